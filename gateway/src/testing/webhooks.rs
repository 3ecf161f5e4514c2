//! Webhooks as the providers of the tests send them: made from the bundled samples, signed at the moment they are sent.

use super::{ACCOUNT, CALLED, NUMBER_ID, SECRET};
use crate::play::{Played, Script};
use serde_json::{Value, json};
use tidegate_model::{MessageId, Timestamp};

/// A webhook that is not signed yet.
#[derive(Clone)]
pub(crate) struct Webhook {
    /// Endpoint, and the plugin's name.
    pub endpoint: &'static str,
    /// Headers and body.
    pub script: Script,
    /// What its provider gives each webhook anew.
    pub unique: String,
}

impl Webhook {
    pub(crate) fn play(&self, now: Timestamp) -> Played {
        let script = Script { to: CALLED.to_owned(), ..self.script.clone() };
        script.sign(self.endpoint, SECRET, &self.unique, now).unwrap()
    }
}

/// An order of the `n`th customer; the webhook's id is `unique`.
pub(crate) fn order(unique: &str, n: u32) -> Webhook {
    let mut script = Script::sample("shopify", "orders/create").unwrap();
    let (phone, email) = (json!(phone(n)), json!(format!("customer-{n}@example.com")));
    let body = &mut script.body;
    body["id"] = json!(6_000_000_000_u64 + u64::from(n));
    body["name"] = json!(format!("#{n}"));
    for key in ["email", "contact_email"] {
        body[key] = email.clone();
    }
    body["phone"] = phone.clone();
    for address in ["billing_address", "shipping_address"] {
        body[address]["phone"] = phone.clone();
    }
    let person = &mut body["customer"];
    person["id"] = json!(7_000_000_000_u64 + u64::from(n));
    person["admin_graphql_api_id"] = json!(format!("gid://shopify/Customer/{}", 7_000_000_000_u64 + u64::from(n)));
    person["email"] = email;
    person["phone"] = phone.clone();
    person["default_address"]["phone"] = phone;
    script.freshen("shopify", unique, Timestamp::from_ms(super::START.ms()));
    Webhook { endpoint: "shopify", script, unique: unique.to_owned() }
}

/// The number of the `n`th customer.
pub(crate) fn phone(n: u32) -> String {
    format!("+4477009{n:05}")
}

fn wa_id(n: u32) -> String {
    phone(n).trim_start_matches('+').to_owned()
}

/// A webhook of Meta with these changes of the account.
pub(crate) fn meta(changes: &[Value]) -> Webhook {
    meta_entries(&[entry(ACCOUNT, changes)])
}

/// A webhook of Meta with these entries.
pub(crate) fn meta_entries(entries: &[Value]) -> Webhook {
    let body = json!({"object": "whatsapp_business_account", "entry": entries});
    Webhook { endpoint: "meta", script: Script { body, ..Script::default() }, unique: String::new() }
}

/// Changes of one account.
pub(crate) fn entry(account: &str, changes: &[Value]) -> Value {
    json!({"id": account, "changes": changes})
}

/// A change: the `n`th customer writes.
pub(crate) fn inbound(id: &str, n: u32, text: &str, at: Timestamp) -> Value {
    let message = json!({"from": wa_id(n), "id": format!("wamid.{id}"), "timestamp": seconds(at), "type": "text", "text": {"body": text}});
    json!({"field": "messages", "value": {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": NUMBER_ID},
        "contacts": [{"profile": {"name": format!("Customer {n}")}, "wa_id": wa_id(n)}],
        "messages": [message],
    }})
}

/// A change: a status of a message to the `n`th customer. `ours` comes back with it.
pub(crate) fn status(provider_id: &str, ours: Option<MessageId>, n: u32, word: &str, at: Timestamp) -> Value {
    let mut status = json!({"id": provider_id, "status": word, "timestamp": seconds(at), "recipient_id": wa_id(n)});
    if let Some(id) = ours {
        status["biz_opaque_callback_data"] = json!(id);
    }
    json!({"field": "messages", "value": {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": NUMBER_ID},
        "statuses": [status],
    }})
}

/// A change: a message to the `n`th customer failed with this code.
pub(crate) fn failure(provider_id: &str, ours: Option<MessageId>, n: u32, code: i64, at: Timestamp) -> Value {
    let mut change = status(provider_id, ours, n, "failed", at);
    let title = format!("error {code}");
    change["value"]["statuses"][0]["errors"] = json!([{"code": code, "title": title, "message": title}]);
    change
}

/// A change: the `n`th customer stops (`stop`) or resumes (`resume`) marketing at the provider.
pub(crate) fn preference(n: u32, value: &str, at: Timestamp) -> Value {
    json!({"field": "user_preferences", "value": {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": NUMBER_ID},
        "contacts": [{"profile": {"name": format!("Customer {n}")}, "wa_id": wa_id(n)}],
        "user_preferences": [{"wa_id": wa_id(n), "detail": "", "category": "marketing_messages", "value": value, "timestamp": at.ms() / 1_000}],
    }})
}

fn seconds(at: Timestamp) -> String {
    (at.ms() / 1_000).to_string()
}
