//! Webhooks on their way out: signed with their own secrets, sent once, never again. Only their failures are counted.

use super::{Hook, HookStatus, Inside};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::{Arc, atomic::Ordering::SeqCst};
use tokio::sync::mpsc::UnboundedReceiver;

/// Something on its way out.
pub(super) enum Parcel {
    /// A resource, by a webhook.
    Resource(Hook, String),
    /// The try-out of a new webhook's address: a form, without headers of its own and unsigned.
    Ping(Hook),
}

impl Inside {
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

    fn hand_over(&self, parcel: Parcel) {
        self.on_the_way.send_modify(|on_the_way| *on_the_way += 1);
        // The courier lives as long as the store.
        let _ = self.outgoing.send(parcel);
    }
}

/// Carries parcels, one after the other, for ever.
pub(super) async fn carry(inside: Arc<Inside>, mut parcels: UnboundedReceiver<Parcel>) {
    while let Some(parcel) = parcels.recv().await {
        match parcel {
            Parcel::Resource(hook, body) => {
                let well = deliver(&inside, &hook, body).await;
                if let Some(held) = inside.shelf().hooks.get_mut(&hook.id) {
                    held.delivered(well);
                }
            }
            Parcel::Ping(hook) => {
                let request = inside.client.post(&hook.delivery_url);
                let request = request.header("content-type", "application/x-www-form-urlencoded");
                // It is not counted.
                let _ = request.body(format!("webhook_id={}", hook.id)).send().await;
            }
        }
        inside.on_the_way.send_modify(|on_the_way| *on_the_way -= 1);
    }
}

/// Whether it was taken: WooCommerce counts 200 to 302.
async fn deliver(inside: &Inside, hook: &Hook, body: String) -> bool {
    if inside.is_cut_off.load(SeqCst) {
        return false;
    }
    let (resource, event) = hook.topic.split_once('.').unwrap_or((&hook.topic, ""));
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("x-wc-webhook-source", inside.home.clone()),
        ("x-wc-webhook-topic", hook.topic.clone()),
        ("x-wc-webhook-resource", resource.to_owned()),
        ("x-wc-webhook-event", event.to_owned()),
        ("x-wc-webhook-signature", signature(&hook.secret, &body)),
        ("x-wc-webhook-id", hook.id.to_string()),
        ("x-wc-webhook-delivery-id", delivery_id(hook.id, inside.now_s())),
    ];
    let mut request = inside.client.post(&hook.delivery_url).body(body);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.send().await.is_ok_and(|response| (200..303).contains(&response.status().as_u16()))
}

fn signature(secret: &str, body: &str) -> String {
    // HMAC takes a key of any length.
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map(|mac| mac.chain_update(body));
    mac.map(|mac| STANDARD.encode(mac.finalize().into_bytes())).unwrap_or_default()
}

/// The same for every delivery of a webhook in one second.
fn delivery_id(hook: u64, now_s: i64) -> String {
    hex::encode(&Sha256::digest(format!("{hook}{now_s}"))[..16])
}
