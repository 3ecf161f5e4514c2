//! Webhooks on their way out: signed with the key of their subscription, tried again for a day. When another one fails after that, the subscription is switched off.

use super::{Calendly, CalendlyHook};
use crate::account::{Inside, hmac_sha256, lock};
use serde_json::{Value, json};

/// How long a webhook is tried, in seconds.
const TRIED_S: i64 = 24 * 3_600;

/// A webhook that has not arrived.
#[derive(Debug)]
pub(super) struct Parcel {
    /// Its subscription.
    hook: String,
    body: String,
    made_at_s: i64,
}

impl Inside<Calendly> {
    pub(super) fn tell(&self, event: &str, payload: &Value) {
        let now_s = self.now_s();
        let at = jiff::Timestamp::from_second(now_s).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string();
        let body = json!({"created_at": at, "created_by": self.user(), "event": event, "payload": payload});
        for hook in lock(&self.own.hooks).iter().filter(|hook| !hook.is_disabled) {
            if hook.events.iter().any(|held| held == event) {
                let parcel = Parcel { hook: hook.uri.clone(), body: body.to_string(), made_at_s: now_s };
                lock(&self.own.parcels).push(parcel);
            }
        }
    }

    pub(super) async fn send(&self) {
        let now_s = self.now_s();
        let parcels = std::mem::take(&mut *lock(&self.own.parcels));
        for parcel in parcels {
            let found = lock(&self.own.hooks).iter().find(|hook| hook.uri == parcel.hook && !hook.is_disabled).cloned();
            let Some(hook) = found else { continue };
            let well = self.deliver(&hook, &parcel.body).await;
            if let Some(hook) = lock(&self.own.hooks).iter_mut().find(|hook| hook.uri == parcel.hook) {
                hook.tried(well, now_s);
            }
            if !well && now_s - parcel.made_at_s < TRIED_S {
                lock(&self.own.parcels).push(parcel);
            }
        }
    }

    async fn deliver(&self, hook: &CalendlyHook, body: &str) -> bool {
        let mut headers = vec![("content-type", "application/json".to_owned())];
        if let Some(key) = &hook.signing_key {
            headers.push(("calendly-webhook-signature", signature(key, self.now_s(), body)));
        }
        let status = self.post(&hook.url, &headers, body.to_owned()).await;
        status.is_some_and(|status| (200..300).contains(&status))
    }
}

impl CalendlyHook {
    fn tried(&mut self, well: bool, now_s: i64) {
        match self.failing_since {
            _ if well => self.failing_since = None,
            None => self.failing_since = Some(now_s),
            Some(since) => self.is_disabled = now_s - since >= TRIED_S,
        }
    }
}

fn signature(key: &str, at_s: i64, body: &str) -> String {
    format!("t={at_s},v1={}", hex::encode(hmac_sha256(key, &format!("{at_s}.{body}"))))
}
