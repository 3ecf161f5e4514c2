//! What is remembered of an order: refunds, edits and what carriers say name the order only. It is kept as the order's state, and holds no name and no number of a
//! person: only Shopify's id of them.

use crate::{common, person::Customer};
use serde::{Deserialize, Serialize};
use tidegate_plugin_sdk::{ContactInfo, Context, Error, json, json::Instant, json::Text};

/// Whose an order is, and what the customer calls it.
#[derive(Serialize, Deserialize, PartialEq, Default)]
pub(crate) struct Remembered {
    customer: Option<String>,
    /// When the order was like that, in milliseconds since 1970. A shop may give an order to another customer, and a retry tells the first one again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer_at: Option<i64>,
    pub(crate) number: Option<String>,
}

impl Remembered {
    /// What was told of the order before; nothing, when it was not seen yet. Webhooks come in any order.
    pub(crate) fn read(ctx: &Context<'_>) -> Result<Self, Error> {
        Ok(ctx.state()?.unwrap_or_default())
    }

    /// Keeps what an order tells, as it was at a time. What it does not tell stays, and so does what is newer.
    pub(crate) fn keep(
        ctx: &mut Context<'_>,
        customer: Option<&Customer<'_>>,
        number: Option<&Text<'_>>,
        at: Option<&Instant<'_>>,
    ) -> Result<(), Error> {
        let before = ctx.state::<Self>()?;
        let held = before.as_ref();
        let id =
            customer.and_then(|customer| common::id_of(customer.admin_graphql_api_id.as_ref(), customer.id.as_ref()));
        let told = id.map(|id| (at.map(Instant::unix_ms), id));
        let known = held.and_then(|held| Some((held.customer_at, held.customer.as_deref()?)));
        let (customer_at, customer) = told.max(known).unzip();
        let now = Self {
            customer: customer.map(str::to_owned),
            customer_at: customer_at.flatten(),
            number: json::string(number).or_else(|| held?.number.clone()),
        };
        if now.customer.is_none() || held == Some(&now) {
            return Ok(());
        }
        ctx.set_state(&now)
    }

    /// The customer, as far as Shopify's id tells.
    pub(crate) fn contact(&self) -> ContactInfo {
        let mut contact = ContactInfo::default();
        contact.add_external_id(self.customer.as_deref());
        contact
    }
}
