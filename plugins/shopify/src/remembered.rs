//! What is remembered of an order: refunds, edits and what carriers say name the order only; and what was told of it, so that an order that is read again says only
//! what no webhook said. It is kept as the order's state, and holds no name and no number of a person: only Shopify's id of them.

use crate::{common, person::Customer};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tidegate_plugin_sdk::{ContactInfo, Context, Error, json, json::Instant, json::Text};

/// Steps that are remembered of an order. One with more refunds and parcels than that is none.
const MOST_STEPS: usize = 200;

/// Whose an order is, what the customer calls it, and what was told of it.
#[derive(Serialize, Deserialize, Clone, PartialEq, Default)]
pub(crate) struct Remembered {
    customer: Option<String>,
    /// When the order was like that, in milliseconds since 1970. A shop may give an order to another customer, and a retry tells the first one again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer_at: Option<i64>,
    pub(crate) number: Option<String>,
    /// What was told, with the newest version (milliseconds since 1970) of what it was told of.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    told: BTreeMap<String, i64>,
    /// What of that was told when the order was read again, so that the webhook of it, if it comes at last, is not news.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    read: BTreeMap<String, i64>,
    /// It was seen before it was paid: that it is paid is news.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) was_unpaid: bool,
}

/// Something that is told of an order: a step of it, a refund, a parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    name: String,
    /// Version of the order, or of the parcel.
    version: i64,
}

impl Step {
    /// A step of the order, by the kind of its event.
    pub(crate) fn of_order(kind: &str, updated_at: Option<&Instant<'_>>) -> Self {
        let name = kind.strip_prefix("order.").unwrap_or(kind).to_owned();
        Self { name, version: updated_at.map_or(0, Instant::unix_ms) }
    }

    /// Tells its event from the others of an item.
    pub(crate) fn key(&self) -> String {
        self.name.replace(' ', "-")
    }

    /// A refund. It does not change.
    pub(crate) fn refund(id: &str) -> Self {
        Self { name: format!("refund {id}"), version: 0 }
    }

    /// A parcel, as it was at a time.
    pub(crate) fn parcel(id: &str, updated_at: Option<&Instant<'_>>) -> Self {
        Self { name: format!("parcel {id}"), version: updated_at.map_or(0, Instant::unix_ms) }
    }
}

impl Remembered {
    /// What was told of the order before; nothing, when it was not seen yet. Webhooks come in any order.
    pub(crate) fn read(ctx: &Context<'_>) -> Result<Self, Error> {
        Ok(ctx.state()?.unwrap_or_default())
    }

    /// Keeps it, if it is another than before.
    pub(crate) fn keep(&self, ctx: &mut Context<'_>) -> Result<(), Error> {
        if *self == Self::read(ctx)? { Ok(()) } else { ctx.set_state(self) }
    }

    /// Takes in what an order tells, as it was at a time. What it does not tell stays, and so does what is newer.
    pub(crate) fn learn(
        &mut self,
        customer: Option<&Customer<'_>>,
        number: Option<&Text<'_>>,
        at: Option<&Instant<'_>>,
    ) {
        let id =
            customer.and_then(|customer| common::id_of(customer.admin_graphql_api_id.as_ref(), customer.id.as_ref()));
        let told = id.map(|id| (at.map(Instant::unix_ms), id));
        let known = self.customer.as_deref().map(|id| (self.customer_at, id));
        let (customer_at, customer) = told.max(known).unzip();
        let customer = customer.map(str::to_owned);
        (self.customer, self.customer_at) = (customer, customer_at.flatten());
        if let Some(number) = json::string(number) {
            self.number = Some(number);
        }
    }

    /// What a webhook tells is told, once: an error that skips the item when a reading has told it.
    pub(crate) fn tell(&mut self, step: &Step) -> Result<(), Error> {
        if self.read.get(&step.name).is_some_and(|read| step.version <= *read) {
            return Err(Error::skip("this was told when the order was read again"));
        }
        note(&mut self.told, step);
        Ok(())
    }

    /// A version was seen.
    pub(crate) fn saw(&mut self, step: &Step) {
        note(&mut self.told, step);
    }

    /// What a reading tells is told.
    pub(crate) fn tell_read(&mut self, step: &Step) {
        note(&mut self.told, step);
        note(&mut self.read, step);
    }

    /// Whether it was never told, in no version.
    pub(crate) fn is_new(&self, step: &Step) -> bool {
        !self.told.contains_key(&step.name)
    }

    /// Whether no version as new as this was told.
    pub(crate) fn is_newer(&self, step: &Step) -> bool {
        self.told.get(&step.name).is_none_or(|told| *told < step.version)
    }

    /// The customer, as far as Shopify's id tells.
    pub(crate) fn contact(&self) -> ContactInfo {
        let mut contact = ContactInfo::default();
        contact.add_external_id(self.customer.as_deref());
        contact
    }
}

fn note(told: &mut BTreeMap<String, i64>, step: &Step) {
    if let Some(version) = told.get_mut(&step.name) {
        *version = step.version.max(*version);
    } else if told.len() < MOST_STEPS {
        told.insert(step.name.clone(), step.version);
    }
}
