//! Shows each step as it happens, by looking at what the gateway stores.

use super::{
    super::{Failure, output},
    House,
    house::Door,
    say,
};
use crate::{app::Running, http::Problem, views};
use serde_json::{Value, json};
use std::{collections::HashSet, time::Duration};
use tidegate_model::{DeliveryId, EventId, MessageId};

/// How often the demo looks.
const LOOK: Duration = Duration::from_millis(25);
/// Events that are looked through for new ones while the demo stays up.
const RECENT: usize = 50;

/// What was shown so far.
pub(super) struct Watch {
    json: bool,
    house: Shown,
    shown: HashSet<String>,
    deliveries: Vec<DeliveryId>,
}

struct Shown {
    double: String,
    data: String,
    phone_number_id: &'static str,
}

/// How far the messages of a delivery are; of several, the greatest counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Far {
    AllRead,
    Stuck,
    Waiting,
}

impl Watch {
    pub(super) fn new(json: bool, house: &House) -> Self {
        let house = Shown {
            double: house.double.url().to_owned(),
            data: house.data.display().to_string(),
            phone_number_id: house.phone_number_id(),
        };
        Self { json, house, shown: HashSet::new(), deliveries: Vec::new() }
    }

    /// Says where everything is.
    pub(super) fn opening(&self, running: &Running, doors: &[Door]) {
        let url = format!("http://{}", running.address);
        if self.json {
            output::json(
                &json!({"listening": url, "connections": doors, "double": self.house.double, "data": self.house.data}),
            );
            return;
        }
        say(format!("Tidegate listens on {url}"));
        say(format!("A double of Meta's Graph API listens on {}", self.house.double));
        say(format!("Data, flows and templates are in {}", self.house.data));
    }

    /// Something happens in the shop.
    pub(super) fn scene(&self, words: &str, topic: &str, url: &str) {
        if self.json {
            output::json(&json!({"step": "webhook", "topic": topic, "to": url, "about": words}));
        } else {
            say(format!("\n▸ In the shop, {words}: {topic} → {url}"));
        }
    }

    /// Follows a delivery from now on.
    pub(super) fn expect(&mut self, id: DeliveryId) {
        self.deliveries.push(id);
    }

    /// Shows what happens until every message of the deliveries so far was read, or can't be.
    pub(super) async fn until_read(&mut self, running: &Running) -> Result<bool, Failure> {
        loop {
            let mut far = Far::AllRead;
            for delivery in self.deliveries.clone() {
                far = far.max(self.look(running, delivery).map_err(|error| problem(&error))?);
            }
            if far != Far::Waiting {
                return Ok(far == Far::AllRead);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Shows what happens for ever.
    pub(super) async fn follow(&mut self, running: &Running) -> Result<std::convert::Infallible, Failure> {
        loop {
            let events = views::events(&running.app, RECENT).map_err(|error| problem(&error.into()))?;
            let mut recent: Vec<DeliveryId> =
                events.iter().filter_map(|row| row["delivery"].as_str()?.parse().ok()).collect();
            recent.reverse();
            recent.dedup();
            for delivery in recent {
                self.look(running, delivery).map_err(|error| problem(&error))?;
            }
            tokio::time::sleep(LOOK * 8).await;
        }
    }

    fn look(&mut self, running: &Running, delivery: DeliveryId) -> Result<Far, Problem> {
        let Some(found) = views::delivery(&running.app, delivery)? else { return Ok(Far::Waiting) };
        let name = delivery.to_string();
        self.once(&format!("{name} received"), || json!({"step": "received", "delivery": name, "endpoint": found["endpoint"], "bytes": found["body_bytes"]}));
        let items = found["items"].as_array().cloned().unwrap_or_default();
        if items.is_empty() {
            return Ok(Far::Waiting);
        }
        let mut far = Far::AllRead;
        for item in &items {
            if let Some(reason) = item["result"]["parked"]["reason"].as_str() {
                self.once(
                    &format!("{} parked", item["id"]),
                    || json!({"step": "parked", "item": item["id"], "reason": reason}),
                );
                far = far.max(Far::Stuck);
            }
            let events =
                item["result"]["interpreted"]["outcome"]["done"]["events"].as_array().cloned().unwrap_or_default();
            for event in events {
                let Some(id) = event["id"].as_str().and_then(|id| id.parse::<EventId>().ok()) else { continue };
                far = far.max(self.look_at_event(running, id, &event, item)?);
            }
        }
        Ok(far)
    }

    fn look_at_event(&mut self, running: &Running, id: EventId, event: &Value, item: &Value) -> Result<Far, Problem> {
        self.once(
            &format!("{id} event"),
            || json!({"step": "event", "event": id, "kind": event["kind"], "connection": event["connection"]}),
        );
        if let Some(text) = event["message"]["text"].as_str() {
            self.once(&format!("{id} text"), || json!({"step": "reply", "event": id, "text": text}));
        }
        for trigger in item["result"]["interpreted"]["outcome"]["done"]["triggers"].as_array().into_iter().flatten() {
            self.once(
                &format!("{id} trigger {}", trigger["name"]),
                || json!({"step": "trigger", "event": id, "trigger": trigger["name"]}),
            );
        }
        let Some(found) = views::event(&running.app, id)? else { return Ok(Far::Waiting) };
        for run in found["runs"].as_array().into_iter().flatten() {
            self.once(
                &format!("{} flow", run["id"]),
                || json!({"step": "flow", "run": run["id"], "flow": run["flow"], "event": id}),
            );
            if let Some(wait) = run["state"].get("waiting") {
                self.once(
                    &format!("{} waits {}", run["id"], wait["timer"]),
                    || json!({"step": "wait", "run": run["id"], "flow": run["flow"], "until": wait["due_at"]}),
                );
            }
        }
        let mut far = Far::AllRead;
        for line in found["messages"].as_array().into_iter().flatten() {
            let Some(message) = line["id"].as_str().and_then(|id| id.parse::<MessageId>().ok()) else { continue };
            if line["direction"] == "inbound" {
                continue;
            }
            let Some(whole) = views::message(&running.app, message)? else { continue };
            self.once(
                &format!("{message} text"),
                || json!({"step": "message", "message": message, "to": line["to"], "text": line["text"]}),
            );
            for state in whole["history"].as_array().into_iter().flatten() {
                let word = state["state"].as_str().unwrap_or_default();
                if matches!(word, "queued" | "attempting") && state["note"].is_null() {
                    continue;
                }
                self.once(
                    &format!("{message} {word} {}", state["at"]),
                    || json!({"step": word, "message": message, "at": state["at"], "note": state["note"]}),
                );
            }
            match line["state"].as_str() {
                Some("read") => {}
                Some("refused" | "failed") => far = Far::Stuck,
                _ => return Ok(Far::Waiting),
            }
        }
        Ok(far)
    }

    /// Shows a step, unless it was shown.
    fn once(&mut self, key: &str, step: impl FnOnce() -> Value) {
        if !self.shown.insert(key.to_owned()) {
            return;
        }
        let step = step();
        if self.json {
            output::json(&step);
        } else if !is_known_from_the_message(&step) {
            say(line(&step));
        }
    }

    /// Says how a demo that ends by itself ended.
    pub(super) fn closing(&self, all_read: bool) {
        if self.json {
            output::json(&json!({"step": "end", "all_read": all_read}));
        } else if all_read {
            say("\nEvery message was read.");
        } else {
            say("\nA message was not read; `tidegate message list` says where it is.");
        }
    }

    /// What a newcomer may try next.
    pub(super) fn next_steps(&self, doors: &[Door]) {
        if self.json {
            return;
        }
        let program = std::env::current_exe().map_or_else(|_| "tidegate".to_owned(), |path| path.display().to_string());
        let data = &self.house.data;
        say("\nThe gateway stays up. Try, in another terminal (Ctrl-C here ends it):\n");
        if let Some(door) = doors.iter().find(|door| door.provider == "shopify") {
            say("  # another order, with a number of your choice");
            say(format!(
                "  {program} webhook send shopify orders/create --to {} --secret file:{data}/webhook.secret --set /customer/phone=+447700900456 --set /phone=+447700900456\n",
                door.url
            ));
        }
        say("  # the customer answers; then STOP, and the next order is refused by the gate, which says why");
        say(format!(
            "  curl -s {}/_double/inbound -H 'content-type: application/json' -d '{{\"phone_number_id\":\"{}\",\"from\":\"447700900456\",\"name\":\"Robin\",\"text\":\"STOP\"}}'\n",
            self.house.double, self.house.phone_number_id
        ));
        say("  # what came in, what went out, and why");
        say(format!("  {program} event list --data {data}"));
        say(format!("  {program} message list --data {data}"));
        say(format!("  {program} message send --data {data} --to +447700900456 --text 'Thank you for writing!'"));
    }
}

fn problem(problem: &Problem) -> Failure {
    Failure::Work(anyhow::anyhow!("{problem:?}"))
}

/// Whether people see it at the message already: its statuses are webhooks of their own.
fn is_known_from_the_message(step: &Value) -> bool {
    step["kind"] == "message.status_changed" || (step["step"] == "received" && step["endpoint"] == "meta")
}

/// A step for people.
fn line(step: &Value) -> String {
    let text = |key: &str| step[key].as_str().unwrap_or("-").to_owned();
    let note = step["note"].as_str().map(|note| format!(" ({note})")).unwrap_or_default();
    match step["step"].as_str().unwrap_or_default() {
        "received" => format!("  received   {} ({} bytes, verified, on disk)", text("delivery"), step["bytes"]),
        "event" => format!("  event      {} {}", text("kind"), text("event")),
        "reply" => format!("  reply      “{}”", text("text")),
        "trigger" => format!("  trigger    {}", text("trigger")),
        "flow" => format!("  flow       {} {}", text("flow"), text("run")),
        "wait" => format!("  wait       {} until {}", text("flow"), text("until")),
        "message" => format!("  message    to {}: “{}”", text("to"), text("text")),
        "parked" => format!("  parked     {}", text("reason")),
        state => format!("  {state:<10} {}{note}", text("message")),
    }
}
