//! What a shop keeps: orders, subscriptions, and what is left of the app's allowances. It knows no HTTP.

use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Failed deliveries in a row that take a subscription away.
const MOST_FAILURES: u32 = 8;
/// Points of GraphQL at most, and those that come back in a second.
const POINTS: (f64, f64) = (2_000.0, 100.0);
/// Requests of REST that fit in the bucket, and those that leave it in a second.
const REQUESTS: (f64, f64) = (40.0, 2.0);

/// A webhook subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopHook {
    /// Its id.
    pub id: u64,
    /// What it tells, as its webhooks name it: `orders/create`.
    pub topic: String,
    /// Where it goes.
    pub url: String,
    /// Failed deliveries in a row.
    pub failures: u32,
}

/// Something that a webhook tells.
pub(super) struct Told {
    pub(super) topic: &'static str,
    pub(super) body: Value,
}

/// What is left of an allowance that comes back with time.
#[derive(Debug, Default)]
pub(super) struct Allowance {
    used: f64,
    at_s: i64,
}

impl Allowance {
    /// Takes so much, if it is left; gives what is left after that.
    fn take(&mut self, (most, per_s): (f64, f64), cost: f64, now_s: i64) -> Result<f64, f64> {
        let passed = f64::from(i32::try_from(now_s - self.at_s).unwrap_or(i32::MAX));
        self.used = (self.used - passed * per_s).max(0.0);
        self.at_s = now_s;
        if self.used + cost > most {
            return Err(most - self.used);
        }
        self.used += cost;
        Ok(most - self.used)
    }
}

/// Orders, subscriptions and allowances.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    pub(super) orders: BTreeMap<u64, Value>,
    pub(super) hooks: BTreeMap<u64, ShopHook>,
    points: Allowance,
    requests: Allowance,
    last_id: u64,
}

impl Shelf {
    /// Ids of everything: above what fits in a float, as Shopify's own examples.
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id = self.last_id.max(820_982_911_946_154_500) + 1;
        self.last_id
    }

    /// Points of GraphQL for a request: what is left.
    pub(super) fn spend_points(&mut self, cost: u32, now_s: i64) -> Result<f64, f64> {
        self.points.take(POINTS, f64::from(cost), now_s)
    }

    /// One request of REST: what is left.
    pub(super) fn spend_request(&mut self, now_s: i64) -> Result<f64, f64> {
        self.requests.take(REQUESTS, 1.0, now_s)
    }

    pub(super) fn place(&mut self, order: &Value, now_s: i64) -> (u64, Vec<Told>) {
        let id = self.next_id();
        let mut order = order.clone();
        order["id"] = json!(id);
        order["admin_graphql_api_id"] = json!(format!("gid://shopify/Order/{id}"));
        for name in ["created_at", "processed_at", "updated_at"] {
            order[name] = json!(local(now_s));
        }
        self.orders.insert(id, order.clone());
        let mut told = vec![Told { topic: "orders/create", body: order.clone() }];
        told.extend(changes(&Value::Null, &order));
        (id, told)
    }

    pub(super) fn change(&mut self, id: u64, with: &Value, now_s: i64) -> Option<Vec<Told>> {
        let order = self.orders.get_mut(&id)?;
        let before = order.clone();
        for (key, value) in with.as_object().into_iter().flatten() {
            order[key] = value.clone();
        }
        order["updated_at"] = json!(local(now_s));
        let mut told: Vec<Told> = changes(&before, order).collect();
        told.push(Told { topic: "orders/updated", body: order.clone() });
        Some(told)
    }

    /// A delivery ended.
    pub(super) fn delivered(&mut self, hook: u64, well: bool) {
        let Some(held) = self.hooks.get_mut(&hook) else { return };
        held.failures = if well { 0 } else { held.failures + 1 };
        if held.failures >= MOST_FAILURES {
            self.hooks.remove(&hook);
        }
    }

    /// Orders that were changed in a second or later, with that second and their id, those that were changed first coming first.
    pub(super) fn changed_since(&self, from_s: i64) -> Vec<(i64, u64, &Value)> {
        let changed = |order: &Value| order["updated_at"].as_str().and_then(parse).unwrap_or_default();
        let rows = self.orders.iter().map(|(id, order)| (changed(order), *id, order));
        let mut rows: Vec<_> = rows.filter(|(at, ..)| *at >= from_s).collect();
        rows.sort_by_key(|(at, id, _)| (*at, *id));
        rows
    }
}

/// What a change means beside that there was one.
fn changes<'a>(before: &'a Value, after: &'a Value) -> impl Iterator<Item = Told> + 'a {
    let became = |field: &str, word: &str| before[field] != word && after[field] == word;
    let whole = [
        (became("financial_status", "paid"), "orders/paid"),
        (became("fulfillment_status", "fulfilled"), "orders/fulfilled"),
        (before["cancelled_at"].is_null() && after["cancelled_at"].is_string(), "orders/cancelled"),
    ];
    let whole = whole.into_iter().filter(|(is_so, _)| *is_so);
    let whole = whole.map(|(_, topic)| Told { topic, body: after.clone() });
    let parts = [("fulfillments", "fulfillments/create"), ("refunds", "refunds/create")];
    let parts = parts.into_iter().flat_map(|(list, topic)| {
        let known: Vec<&Value> = before[list].as_array().into_iter().flatten().map(|part| &part["id"]).collect();
        let new = after[list].as_array().into_iter().flatten().filter(move |part| !known.contains(&&part["id"]));
        new.map(move |part| Told { topic, body: part.clone() })
    });
    whole.chain(parts)
}

/// A moment as the REST API and the webhooks write it: with the shop's offset.
pub(super) fn local(at_s: i64) -> String {
    utc(at_s - 5 * 3_600).replace('Z', "-05:00")
}

/// A moment in UTC.
pub(super) fn utc(at_s: i64) -> String {
    Timestamp::from_second(at_s).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// Reads an instant, in seconds.
pub(super) fn parse(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eighth_failure_in_a_row_takes_a_subscription_away() {
        let mut shelf = Shelf::default();
        let hook = ShopHook { id: 1, topic: "orders/create".to_owned(), url: String::new(), failures: 0 };
        shelf.hooks.insert(1, hook);
        (0..7).for_each(|_| shelf.delivered(1, false));
        shelf.delivered(1, true);
        (0..7).for_each(|_| shelf.delivered(1, false));
        assert_eq!(shelf.hooks.len(), 1);
        shelf.delivered(1, false);
        assert!(shelf.hooks.is_empty());
    }

    #[test]
    fn a_change_is_told_under_every_topic_that_it_means() {
        let mut shelf = Shelf::default();
        let topics = |told: Vec<Told>| told.into_iter().map(|told| told.topic).collect::<Vec<_>>();
        let (id, told) = shelf.place(&json!({"financial_status": "pending"}), 100);
        assert_eq!(topics(told), ["orders/create"]);
        let paid = shelf.change(id, &json!({"financial_status": "paid"}), 200).unwrap();
        assert_eq!(topics(paid), ["orders/paid", "orders/updated"]);
        let sent = json!({"fulfillment_status": "fulfilled", "fulfillments": [{"id": 7}]});
        let sent = shelf.change(id, &sent, 300).unwrap();
        assert_eq!(topics(sent), ["orders/fulfilled", "fulfillments/create", "orders/updated"]);
        assert_eq!(shelf.changed_since(300).len(), 1, "the second itself is in it");
        assert!(shelf.changed_since(301).is_empty());
        assert_eq!((local(0).as_str(), parse(&local(300))), ("1969-12-31T19:00:00-05:00", Some(300)));
    }

    #[test]
    fn an_allowance_comes_back_with_time() {
        let mut shelf = Shelf::default();
        (0..40).for_each(|_| assert!(shelf.spend_request(100).is_ok()));
        assert!(shelf.spend_request(100).is_err());
        assert!(shelf.spend_request(101).is_ok());
    }
}
