//! Refunds. What was paid back is in the transactions; the lines tell what the returned goods were worth.

use crate::{
    common,
    line::Line,
    money::MoneySet,
    remembered::{Remembered, Step},
};
use serde::Deserialize;
use tidegate_plugin_sdk::{
    Context, Error, Event, Interpretation, Item, LineItem, Money, Order, decimal, json, json::Decimal, json::Instant,
    json::Object, json::Raw, json::Text,
};

/// A movement of money.
#[derive(Deserialize)]
pub(crate) struct Transaction<'a> {
    #[serde(borrow)]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    status: Option<Text<'a>>,
    #[serde(borrow)]
    amount: Option<Decimal<'a>>,
    #[serde(borrow)]
    currency: Option<Text<'a>>,
}

impl Transaction<'_> {
    /// Paid back, or on its way.
    fn is_refund(&self) -> bool {
        self.kind.as_deref() == Some("refund") && matches!(self.status.as_deref(), None | Some("success" | "pending"))
    }
}

/// The sum of what was paid back; `None` when nothing was.
pub(crate) fn paid_back<'t, 'a: 't>(
    transactions: impl Iterator<Item = &'t Transaction<'a>>,
) -> Result<Option<Money>, Error> {
    let refunds: Vec<_> = transactions.filter(|transaction| transaction.is_refund()).collect();
    let currency = refunds.iter().find_map(|refund| json::filled(refund.currency.as_deref()));
    let amounts = refunds.iter().filter_map(|refund| refund.amount.as_ref().map(Decimal::as_str));
    match currency {
        None => Ok(None),
        Some(currency) => Ok(Money::of(Some(&total(amounts)?), Some(currency))),
    }
}

/// `refunds/create`
#[derive(Deserialize)]
struct Refund<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    admin_graphql_api_id: Option<Text<'a>>,
    #[serde(borrow)]
    order_id: Text<'a>,
    #[serde(borrow)]
    created_at: Option<Instant<'a>>,
    #[serde(borrow)]
    processed_at: Option<Instant<'a>>,
    #[serde(borrow)]
    note: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    transactions: Vec<Transaction<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    refund_line_items: Vec<RefundLine<'a>>,
}

#[derive(Deserialize)]
struct RefundLine<'a> {
    #[serde(borrow)]
    quantity: Option<Decimal<'a>>,
    #[serde(borrow)]
    subtotal: Option<Decimal<'a>>,
    #[serde(borrow)]
    total_tax: Option<Decimal<'a>>,
    #[serde(borrow)]
    subtotal_set: Option<Raw<'a>>,
    #[serde(borrow)]
    line_item: Option<Line<'a>>,
}

pub(crate) fn created(ctx: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
    let mut known = Remembered::read(ctx)?;
    let event = event(&known, item, &item.body)?;
    let refund: Refund<'_> = json::parse(&item.body)?;
    if let Some(id) = common::id_of(refund.admin_graphql_api_id.as_ref(), refund.id.as_ref()) {
        known.tell(&Step::refund(id))?;
        known.keep(ctx)?;
    }
    Ok(event.into())
}

/// The event of a refund of a known order. `body` is the refund.
pub(crate) fn event(known: &Remembered, item: &Item, body: &str) -> Result<Event, Error> {
    let refund: Refund<'_> = json::parse(body)?;
    let order = Order {
        id: refund.order_id.as_str().to_owned(),
        number: known.number.clone(),
        // The refund does not tell the order's status, and the contract wants one.
        refunded: paid_back(refund.transactions.iter())?,
        items: refund.refund_line_items.iter().filter_map(RefundLine::item).collect(),
        ..Order::default()
    };
    let own_time = refund.processed_at.as_ref().or(refund.created_at.as_ref());
    let occurred_at = common::occurred_at(item, own_time);
    let event = Event::new("order.refunded", "order", &occurred_at).with_contact(known.contact());
    let event = event.with_entity("order", &refund.order_id, None);
    Ok(event.with_payload(order).with_extra(refund.extra()?))
}

impl Refund<'_> {
    fn extra(&self) -> Result<Object, Error> {
        let value = self.value_of_lines()?;
        let value = value
            .map(|value| Object::new().text("amount", Some(&value.amount)).text("currency", Some(&value.currency)));
        let id = common::id_of(self.admin_graphql_api_id.as_ref(), self.id.as_ref());
        let note = json::filled(self.note.as_deref());
        Ok(Object::new()
            .text("refund_id", id)
            .text("refund_note", note)
            .object("lines_value", value.unwrap_or_default()))
    }

    /// In the shop's currency.
    fn value_of_lines(&self) -> Result<Option<Money>, Error> {
        let Some(set) = self.refund_line_items.iter().find_map(|line| line.subtotal_set) else { return Ok(None) };
        let set: MoneySet<'_> = set.parse().map_err(|error| error.under("/refund_line_items/0/subtotal_set"))?;
        let currency = set.shop_money.as_ref().and_then(|money| json::filled(money.currency_code.as_deref()));
        let amounts = self
            .refund_line_items
            .iter()
            .flat_map(|line| [&line.subtotal, &line.total_tax])
            .flatten()
            .map(Decimal::as_str);
        Ok(Money::of(Some(&total(amounts)?), currency))
    }
}

impl RefundLine<'_> {
    /// The line with the quantity that was returned.
    fn item(&self) -> Option<LineItem> {
        let line = self.line_item.as_ref()?.unpriced();
        let quantity = self.quantity.as_ref().map_or(line.quantity, |quantity| quantity.as_str().to_owned());
        Some(LineItem { quantity, ..line })
    }
}

fn total<'t>(amounts: impl Iterator<Item = &'t str>) -> Result<String, Error> {
    decimal::sum(amounts)
        .ok_or_else(|| Error::new(format!("the amounts add up to more than {} digits", decimal::MAX_DIGITS)))
}
