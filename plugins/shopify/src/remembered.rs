//! What is remembered of an order: refunds, edits and what carriers say name the order only. It is kept as the order's state, and holds no name and no number of a
//! person: only Shopify's id of them.

use crate::{common, person::Customer};
use serde::{Deserialize, Serialize};
use tidegate_plugin_sdk::{ContactInfo, Context, Error, json, json::Text};

/// Whose an order is, and what the customer calls it.
#[derive(Serialize, Deserialize, PartialEq, Default)]
pub(crate) struct Remembered {
    customer: Option<String>,
    pub(crate) number: Option<String>,
}

impl Remembered {
    /// What was told of the order before; nothing, when it was not seen yet. Webhooks come in any order.
    pub(crate) fn read(ctx: &Context<'_>) -> Result<Self, Error> {
        Ok(ctx.state()?.unwrap_or_default())
    }

    /// Keeps what an order tells. What it does not tell stays.
    pub(crate) fn keep(
        ctx: &mut Context<'_>,
        customer: Option<&Customer<'_>>,
        number: Option<&Text<'_>>,
    ) -> Result<(), Error> {
        let before = ctx.state::<Self>()?;
        let held = before.as_ref();
        let id =
            customer.and_then(|customer| common::id_of(customer.admin_graphql_api_id.as_ref(), customer.id.as_ref()));
        let now = Self {
            customer: id.map(str::to_owned).or_else(|| held?.customer.clone()),
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
