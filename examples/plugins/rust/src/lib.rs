//! Generic shop: its order webhooks become events.

use serde::Deserialize;
use tidegate_plugin_sdk::{
    ContactInfo, Context, Error, Event, Interpretation, Item, LineItem, Money, Order, Plugin, export,
    json::{self, Decimal, Instant},
};

struct Shop;

impl Plugin for Shop {
    fn interpret(_: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
        let kind = match item.topic.as_str() {
            "order.created" => "order.placed",
            "order.cancelled" => "order.cancelled",
            other => return Err(Error::skip(format!("{other} means nothing for messages"))),
        };
        let Webhook { order, sent_at } = json::parse(&item.body)?;
        let customer = ContactInfo::default()
            .with_name(order.name.as_deref())
            .with_phone(order.phone.as_deref(), None)
            .with_email(order.email.as_deref());
        Ok(Event::new(kind, "order", &sent_at)
            .with_contact(customer)
            .with_entity("order", &order.id, Some(&sent_at))
            .with_payload(order.details())
            .into())
    }
}

export!(Shop);

/// What the shop sends. `Decimal` and `Instant` are checked while they are read; an error names the field.
#[derive(Deserialize)]
struct Webhook<'a> {
    #[serde(borrow)]
    order: ShopOrder<'a>,
    #[serde(borrow)]
    sent_at: Instant<'a>,
}

#[derive(Deserialize)]
struct ShopOrder<'a> {
    id: String,
    number: Option<String>,
    #[serde(borrow)]
    total: Decimal<'a>,
    currency: String,
    email: Option<String>,
    phone: Option<String>,
    name: Option<String>,
    #[serde(borrow)]
    items: Vec<Line<'a>>,
}

#[derive(Deserialize)]
struct Line<'a> {
    sku: Option<String>,
    title: String,
    #[serde(borrow)]
    quantity: Decimal<'a>,
    #[serde(borrow)]
    price: Decimal<'a>,
}

impl ShopOrder<'_> {
    fn details(self) -> Order {
        let money = |amount: &str| Money::of(Some(amount), Some(&self.currency));
        let line = |line: Line<'_>| LineItem {
            sku: line.sku,
            title: line.title,
            price: money(&line.price),
            quantity: line.quantity.into(),
            ..LineItem::default()
        };
        Order {
            id: self.id,
            number: self.number,
            total: money(&self.total),
            items: self.items.into_iter().map(line).collect(),
            ..Order::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Shop;
    use tidegate_plugin_sdk::{Outcome, testing};

    fn interpret(topic: &str, body: &str) -> Outcome {
        testing::interpret::<Shop>(&[testing::item(topic, body)]).remove(0)
    }

    #[test]
    fn what_is_missing_is_named() {
        let Outcome::Failed(failure) = interpret("order.created", r#"{"order": {"id": "1"}}"#) else {
            panic!("expected a failure");
        };
        assert_eq!(failure.field.as_deref(), Some("/order"));
        assert_eq!(failure.reason, "missing field `total`");
    }

    #[test]
    fn other_topics_are_skipped() {
        assert!(matches!(interpret("customer.updated", "{}"), Outcome::Skip(_)));
    }
}
