//! Webhooks on their way out: signed with the app's secret. All that one action tells has one event id.

use super::{Inside, ShopHook, shelf, shelf::Told};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::sync::{Arc, atomic::Ordering::SeqCst};
use tokio::sync::mpsc::UnboundedReceiver;

/// One webhook on its way.
pub(super) struct Parcel {
    hook: ShopHook,
    body: String,
    /// Numbers of the webhook and of the action.
    ids: (u64, u64),
}

impl Inside {
    /// Sends what an action tells by every subscription to its topics.
    pub(super) fn tell(&self, told: Vec<Told>) {
        let mut parcels = Vec::new();
        {
            let mut shelf = self.shelf();
            let action = shelf.next_id();
            for Told { topic, body } in told {
                let hooks: Vec<ShopHook> = shelf.hooks.values().filter(|hook| hook.topic == topic).cloned().collect();
                for hook in hooks {
                    parcels.push(Parcel { hook, body: body.to_string(), ids: (shelf.next_id(), action) });
                }
            }
        }
        for parcel in parcels {
            self.on_the_way.send_modify(|on_the_way| *on_the_way += 1);
            // The courier lives as long as the shop.
            let _ = self.outgoing.send(parcel);
        }
    }
}

/// Carries parcels, one after the other, for ever.
pub(super) async fn carry(inside: Arc<Inside>, mut parcels: UnboundedReceiver<Parcel>) {
    while let Some(parcel) = parcels.recv().await {
        let well = deliver(&inside, &parcel).await;
        inside.shelf().delivered(parcel.hook.id, well);
        inside.on_the_way.send_modify(|on_the_way| *on_the_way -= 1);
    }
}

async fn deliver(inside: &Inside, parcel: &Parcel) -> bool {
    if inside.is_cut_off.load(SeqCst) {
        return false;
    }
    let Parcel { hook, body, ids: (webhook, event) } = parcel;
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("x-shopify-topic", hook.topic.clone()),
        ("x-shopify-shop-domain", inside.domain.clone()),
        ("x-shopify-api-version", "2026-01".to_owned()),
        ("x-shopify-webhook-id", format!("b54557e4-bdd9-4b37-8a5f-{webhook:012x}")),
        ("x-shopify-event-id", format!("98880550-7158-44d4-b7cd-{event:012x}")),
        ("x-shopify-triggered-at", shelf::utc(inside.now_s())),
        ("x-shopify-hmac-sha256", signature(&inside.secret, body)),
    ];
    let mut request = inside.client.post(&hook.url).body(body.clone());
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.send().await.is_ok_and(|response| response.status().is_success())
}

fn signature(secret: &str, body: &str) -> String {
    // HMAC takes a key of any length.
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map(|mac| mac.chain_update(body));
    mac.map(|mac| STANDARD.encode(mac.finalize().into_bytes())).unwrap_or_default()
}
