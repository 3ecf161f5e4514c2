//! What a store keeps: orders and webhooks. It knows no HTTP.

use jiff::Timestamp;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt};

/// Failed deliveries in a row, after which the next one switches a webhook off: the count is compared before it is raised, so it is the seventh.
const MOST_FAILURES: u32 = 5;

/// A webhook of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Its id.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Whether it sends.
    pub status: HookStatus,
    /// What it tells.
    pub topic: String,
    /// Where it goes.
    pub delivery_url: String,
    /// What it is signed with.
    pub secret: String,
    /// Failed deliveries in a row.
    pub failures: u32,
}

/// Whether a webhook sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookStatus {
    /// It does.
    Active,
    /// An administrator paused it.
    Paused,
    /// It was switched off after failures.
    Disabled,
}

impl HookStatus {
    pub(super) fn parse(word: &str) -> Option<Self> {
        [Self::Active, Self::Paused, Self::Disabled].into_iter().find(|status| status.to_string() == word)
    }
}

impl fmt::Display for HookStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
        })
    }
}

impl Hook {
    /// As the REST API tells it: everything but the secret.
    pub(super) fn shown(&self) -> Value {
        let (resource, event) = self.topic.split_once('.').unwrap_or((&self.topic, ""));
        json!({
            "id": self.id, "name": self.name, "status": self.status.to_string(), "topic": self.topic,
            "resource": resource, "event": event, "hooks": [], "delivery_url": self.delivery_url,
        })
    }

    /// A delivery ended.
    pub(super) fn delivered(&mut self, well: bool) {
        if well {
            self.failures = 0;
            return;
        }
        if self.failures > MOST_FAILURES {
            self.status = HookStatus::Disabled;
        }
        self.failures += 1;
    }
}

/// Orders and webhooks.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    pub(super) orders: BTreeMap<u64, Value>,
    pub(super) hooks: BTreeMap<u64, Hook>,
    last_id: u64,
}

impl Shelf {
    /// Ids of orders and webhooks.
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id = self.last_id.max(700) + 1;
        self.last_id
    }

    pub(super) fn place(&mut self, order: &Value, now_s: i64, home: &str) -> (u64, Value) {
        let id = self.next_id();
        let mut order = order.clone();
        order["id"] = json!(id);
        order["number"] = json!(id.to_string());
        order["date_created_gmt"] = json!(gmt(now_s));
        order["date_modified_gmt"] = json!(gmt(now_s));
        order["_links"] = json!({"self": [{"href": format!("{home}wp-json/wc/v3/orders/{id}")}]});
        self.orders.insert(id, order.clone());
        (id, order)
    }

    pub(super) fn change(&mut self, id: u64, with: &Value, now_s: i64) -> Option<Value> {
        let order = self.orders.get_mut(&id)?;
        for (key, value) in with.as_object().into_iter().flatten() {
            order[key] = value.clone();
        }
        order["date_modified_gmt"] = json!(gmt(now_s));
        Some(order.clone())
    }

    /// Orders that were changed after a second, those that were changed first coming first.
    pub(super) fn changed_after(&self, after_s: i64) -> Vec<&Value> {
        let after = gmt(after_s);
        let modified = |order: &&Value| order["date_modified_gmt"].as_str().unwrap_or_default().to_owned();
        let mut found: Vec<&Value> = self.orders.values().filter(|order| modified(order) > after).collect();
        found.sort_by_key(modified);
        found
    }
}

/// A moment as WooCommerce writes it: UTC, and no `Z`.
pub(super) fn gmt(at_s: i64) -> String {
    let at = Timestamp::from_second(at_s).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Reads such a moment.
pub(super) fn parse_gmt(text: &str) -> Option<i64> {
    format!("{}Z", text.trim_end_matches('Z')).parse::<Timestamp>().ok().map(Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seventh_failure_in_a_row_switches_a_webhook_off() {
        let mut hook = Hook {
            id: 1,
            name: String::new(),
            status: HookStatus::Active,
            topic: "order.created".to_owned(),
            delivery_url: String::new(),
            secret: "s".to_owned(),
            failures: 0,
        };
        (0..6).for_each(|_| hook.delivered(false));
        assert_eq!(hook.status, HookStatus::Active);
        hook.delivered(true);
        (0..6).for_each(|_| hook.delivered(false));
        assert_eq!(hook.status, HookStatus::Active);
        hook.delivered(false);
        assert_eq!(hook.status, HookStatus::Disabled);
        assert!(!hook.shown().to_string().contains("secret"));
    }

    #[test]
    fn orders_are_found_by_when_they_changed() {
        let mut shelf = Shelf::default();
        let (first, _) = shelf.place(&json!({}), 100, "http://a/");
        let (second, _) = shelf.place(&json!({}), 200, "http://a/");
        shelf.change(first, &json!({"status": "completed"}), 300);
        let ids =
            |after_s| -> Vec<u64> { shelf.changed_after(after_s).iter().filter_map(|o| o["id"].as_u64()).collect() };
        assert_eq!(ids(150), [second, first]);
        assert_eq!(ids(200), [first], "after does not include the second itself");
        assert_eq!(parse_gmt(&gmt(300)), Some(300));
    }
}
