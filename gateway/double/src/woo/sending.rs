//! Webhooks on their way out: signed with their own secrets, sent once, never again. Only their failures are counted.

use super::{Hook, HookStatus, Store};
use crate::account::{Inside, signature};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Something on its way out.
pub enum Parcel {
    /// A resource, by a webhook.
    Resource(Hook, String),
    /// The try-out of a new webhook's address: a form, without headers of its own and unsigned.
    Ping(Hook),
}

impl Inside<Store> {
    /// Sends a resource by every active webhook for the topic.
    pub(super) fn tell(&self, topic: &str, resource: &Value) {
        let hooks: Vec<Hook> = self.shelf().hooks.values().cloned().collect();
        for hook in hooks.into_iter().filter(|hook| hook.status == HookStatus::Active && hook.topic == topic) {
            self.hand_over(Parcel::Resource(hook, resource.to_string()));
        }
    }

    pub(super) fn ping(&self, hook: &Hook) {
        self.hand_over(Parcel::Ping(hook.clone()));
    }
}

pub(super) async fn deliver(inside: &Inside<Store>, parcel: Parcel) {
    match parcel {
        Parcel::Resource(hook, body) => {
            let well = send(inside, &hook, body).await;
            if let Some(held) = inside.shelf().hooks.get_mut(&hook.id) {
                held.delivered(well);
            }
        }
        Parcel::Ping(hook) => {
            let headers = [("content-type", "application/x-www-form-urlencoded".to_owned())];
            // It is not counted.
            inside.post(&hook.delivery_url, &headers, format!("webhook_id={}", hook.id)).await;
        }
    }
}

/// Whether it was taken: WooCommerce counts 200 to 302.
async fn send(inside: &Inside<Store>, hook: &Hook, body: String) -> bool {
    let (resource, event) = hook.topic.split_once('.').unwrap_or((&hook.topic, ""));
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("x-wc-webhook-source", inside.home()),
        ("x-wc-webhook-topic", hook.topic.clone()),
        ("x-wc-webhook-resource", resource.to_owned()),
        ("x-wc-webhook-event", event.to_owned()),
        ("x-wc-webhook-signature", signature(&hook.secret, &body)),
        ("x-wc-webhook-id", hook.id.to_string()),
        ("x-wc-webhook-delivery-id", delivery_id(hook.id, inside.now_s())),
    ];
    let status = inside.post(&hook.delivery_url, &headers, body).await;
    status.is_some_and(|status| (200..303).contains(&status))
}

/// The same for every delivery of a webhook in one second.
fn delivery_id(hook: u64, now_s: i64) -> String {
    hex::encode(&Sha256::digest(format!("{hook}{now_s}"))[..16])
}
