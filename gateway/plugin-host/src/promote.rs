//! Keys of `extra` that the host's model understands: they become fields of the model. So the model grows while a version of the contract stays as it is; a later
//! version has fields for them. `docs/plugins.md` lists them, and a test holds the list to this one.

use serde_json::{Map, Value};
use tidegate_model::{Timestamp, event::Payload};

/// Keys that are promoted, with the payload that has the field, and what the value is.
#[cfg(test)]
pub(crate) const KEYS: &[(&str, &str, &str)] = &[
    ("order", "gift_message", "text"),
    ("order", "source", "text"),
    ("order", "test", "boolean"),
    ("shipment", "delivered_at", "instant"),
    ("shipment", "pickup_point", "text"),
];

/// A key whose value is not what its field takes: the key, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unfit {
    /// The key of `extra`.
    pub(crate) key: &'static str,
    /// What was expected, and what was found.
    pub(crate) reason: String,
}

/// Moves what the model has fields for from `extra` to the payload. A null is no value. Every other key stays.
pub(crate) fn promote(payload: &mut Payload, extra: &mut Map<String, Value>) -> Result<(), Unfit> {
    if extra.is_empty() {
        return Ok(());
    }
    match payload {
        Payload::Order(order) => {
            set(extra, "gift_message", text, &mut order.gift_message)?;
            set(extra, "source", text, &mut order.source)?;
            let mut test = None;
            set(extra, "test", boolean, &mut test)?;
            order.test = test.unwrap_or(order.test);
        }
        Payload::Shipment(shipment) => {
            set(extra, "delivered_at", instant, &mut shipment.delivered_at)?;
            set(extra, "pickup_point", text, &mut shipment.pickup_point)?;
        }
        Payload::Cart(_)
        | Payload::ContactChange(_)
        | Payload::Lead(_)
        | Payload::Deal(_)
        | Payload::Appointment(_)
        | Payload::Form(_)
        | Payload::Message(_)
        | Payload::Status(_)
        | Payload::Sender(_)
        | Payload::Template(_)
        | Payload::ConnectionChange(_)
        | Payload::Custom(_) => {}
    }
    Ok(())
}

fn set<T>(
    extra: &mut Map<String, Value>,
    key: &'static str,
    read: fn(Value) -> Result<Option<T>, String>,
    field: &mut Option<T>,
) -> Result<(), Unfit> {
    // In order, so that what is left keeps its own.
    match extra.shift_remove(key) {
        None | Some(Value::Null) => Ok(()),
        Some(value) => {
            *field = read(value).map_err(|reason| Unfit { key, reason })?;
            Ok(())
        }
    }
}

/// A text; one without characters is none.
fn text(value: Value) -> Result<Option<String>, String> {
    match value {
        Value::String(text) => Ok(Some(text).filter(|text| !text.trim().is_empty())),
        other => Err(format!("expected a text, found {}", kind(&other))),
    }
}

fn boolean(value: Value) -> Result<Option<bool>, String> {
    match value {
        Value::Bool(flag) => Ok(Some(flag)),
        other => Err(format!("expected true or false, found {}", kind(&other))),
    }
}

fn instant(value: Value) -> Result<Option<Timestamp>, String> {
    match value {
        Value::String(text) => Timestamp::parse(&text).map(Some).map_err(|error| error.to_string()),
        other => Err(format!("expected an instant as text, found {}", kind(&other))),
    }
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests;
