//! Webhooks on their way out: signed with the app's secret. All that one action tells has one event id.

use super::{Shop, ShopHook, shelf, shelf::Told};
use crate::account::{Inside, signature};

/// One webhook on its way.
pub struct Parcel {
    hook: ShopHook,
    body: String,
    /// Numbers of the webhook and of the action.
    ids: (u64, u64),
}

impl Inside<Shop> {
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
            self.hand_over(parcel);
        }
    }
}

pub(super) async fn deliver(inside: &Inside<Shop>, parcel: &Parcel) {
    let Parcel { hook, body, ids: (webhook, event) } = parcel;
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("x-shopify-topic", hook.topic.clone()),
        ("x-shopify-shop-domain", inside.authority().to_owned()),
        ("x-shopify-api-version", "2026-01".to_owned()),
        ("x-shopify-webhook-id", format!("b54557e4-bdd9-4b37-8a5f-{webhook:012x}")),
        ("x-shopify-event-id", format!("98880550-7158-44d4-b7cd-{event:012x}")),
        ("x-shopify-triggered-at", shelf::utc(inside.now_s())),
        ("x-shopify-hmac-sha256", signature(&inside.own.secret, body)),
    ];
    let status = inside.post(&hook.url, &headers, body.clone()).await;
    inside.shelf().delivered(hook.id, status.is_some_and(|status| (200..300).contains(&status)));
}
