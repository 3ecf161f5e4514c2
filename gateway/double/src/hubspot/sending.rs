//! Webhooks on their way out: arrays of changes, signed with the app's secret by the first and the third version, and tried ten times.

use super::{APP_ID, Hubspot, PORTAL_ID, Shelf};
use crate::account::{Inside, signature};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Most changes of one webhook.
const MOST: usize = 100;
/// Attempts in all.
const ATTEMPTS: u64 = 10;

/// Changes that go out together.
#[derive(Debug)]
pub(crate) struct Batch {
    changes: Vec<Value>,
    /// Attempts so far.
    attempts: u64,
}

impl Shelf {
    /// A change, where somebody has subscribed to it.
    pub(super) fn change(&mut self, noun: &str, action: &str, id: u64, now_ms: i64, more: &Value) -> Option<Value> {
        let event = format!("{noun}.{action}");
        let property = more["propertyName"].as_str();
        let is_it =
            |hook: &&super::HubspotHook| hook.active && hook.event == event && hook.property.as_deref() == property;
        let hook = self.hooks.iter().find(is_it)?.id;
        let mut change = json!({
            "eventId": self.next_id(), "subscriptionId": hook, "portalId": PORTAL_ID, "appId": APP_ID, "occurredAt": now_ms, "subscriptionType": event,
            "objectId": id, "changeSource": "CRM_UI", "sourceId": "userId:1",
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            change[name] = value.clone();
        }
        Some(change)
    }

    /// Puts changes on their way.
    pub(super) fn wait(&mut self, mut changes: Vec<Value>) {
        // What happens at about the same time goes out together.
        match self.waiting.last_mut() {
            Some(last) if last.attempts == 0 && last.changes.len() + changes.len() <= MOST => {
                last.changes.append(&mut changes)
            }
            _ if changes.is_empty() => {}
            _ => self.waiting.push(Batch { changes, attempts: 0 }),
        }
    }
}

impl Inside<Hubspot> {
    /// Tries everything that has not arrived, once.
    pub(super) async fn send(&self) {
        let waiting = std::mem::take(&mut self.shelf().waiting);
        let url = self.shelf().aim.as_ref().and_then(|aim| aim["targetUrl"].as_str().map(str::to_owned));
        // Without an address nothing is kept.
        let Some(url) = url else { return };
        for mut batch in waiting {
            for change in &mut batch.changes {
                change["attemptNumber"] = json!(batch.attempts);
            }
            let body = json!(batch.changes).to_string();
            let at_ms = self.clock.now_ms();
            let secret = &self.own.secret;
            let first = hex::encode(Sha256::digest(format!("{secret}{body}")));
            let headers = [
                ("content-type", "application/json".to_owned()),
                ("x-hubspot-signature", first),
                ("x-hubspot-signature-version", "v1".to_owned()),
                ("x-hubspot-request-timestamp", at_ms.to_string()),
                ("x-hubspot-signature-v3", signature(secret, &format!("POST{url}{body}{at_ms}"))),
            ];
            let status = self.post(&url, &headers, body).await;
            batch.attempts += 1;
            if !status.is_some_and(|status| (200..300).contains(&status)) && batch.attempts < ATTEMPTS {
                self.shelf().waiting.push(batch);
            }
        }
    }
}
