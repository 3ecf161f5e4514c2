//! Webhooks on their way out: signed with the app's secret, and kept until they are taken or given up.

use super::{Meta, NUMBER, PAGE_ID, Shelf, WABA_ID};
use crate::{
    account::{Inside, hmac_sha256},
    leads::Lead,
};
use reqwest::Url;
use serde_json::{Value, json};

impl Shelf {
    /// A lead, where the page tells the app of leads.
    pub(super) fn tell_lead(&mut self, lead: &Lead) {
        let Some(url) = self.callback.clone().filter(|_| self.tells_leads()) else { return };
        let created_s = lead.created_at_ms.div_euclid(1_000);
        let value = json!({
            "leadgen_id": lead.id, "page_id": PAGE_ID, "form_id": lead.more.get("form_id"), "ad_id": lead.more.get("ad_id"), "created_time": created_s,
        });
        let entry =
            json!({ "id": PAGE_ID, "time": created_s + 1, "changes": [{ "field": "leadgen", "value": value }] });
        self.wait(url, &json!({ "object": "page", "entry": [entry] }));
    }

    /// A message, where the account tells the app: to the number's own address, or the account's, or the app's.
    pub(super) fn tell_message(&mut self, from: &str, text: &str, now_s: i64) {
        let addresses = [&self.number_aim, &self.aim, &self.callback];
        let Some(url) = addresses.into_iter().flatten().next().filter(|_| self.is_on_waba).cloned() else { return };
        let (number, number_id) = NUMBER;
        let id = format!("wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQz{:08}", self.next_id());
        let value = json!({
            "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": number, "phone_number_id": number_id },
            "contacts": [{ "profile": { "name": "Ada" }, "wa_id": from }],
            "messages": [{ "from": from, "id": id, "timestamp": now_s.to_string(), "type": "text", "text": { "body": text } }],
        });
        let entry = json!({ "id": WABA_ID, "changes": [{ "value": value, "field": "messages" }] });
        self.wait(url, &json!({ "object": "whatsapp_business_account", "entry": [entry] }));
    }

    fn wait(&mut self, url: String, body: &Value) {
        self.waiting.push((url, body.to_string()));
    }
}

impl Inside<Meta> {
    /// Tries everything that has not arrived, once. Meta takes every status but 200 for a failure.
    pub(super) async fn send(&self) {
        let waiting = std::mem::take(&mut self.shelf().waiting);
        for (url, body) in waiting {
            let signature = format!("sha256={}", hex::encode(hmac_sha256(&self.own.secret, &body)));
            let headers = [("content-type", "application/json".to_owned()), ("x-hub-signature-256", signature)];
            if self.post(&url, &headers, body.clone()).await != Some(200) {
                self.shelf().waiting.push((url, body));
            }
        }
    }

    /// Sets the app's address, as the dashboard does, when it proves itself.
    pub(super) async fn configure(&self, url: &str, verify_token: &str) -> bool {
        let is_proven = self.proves(url, verify_token).await;
        if is_proven {
            self.shelf().callback = Some(url.to_owned());
        }
        is_proven
    }

    /// Asks an address for its proof.
    pub(super) async fn proves(&self, url: &str, verify_token: &str) -> bool {
        let proof = "1158201444";
        let query = [("hub.mode", "subscribe"), ("hub.challenge", proof), ("hub.verify_token", verify_token)];
        let Ok(whole) = Url::parse_with_params(url, query) else { return false };
        self.get(whole).await.is_some_and(|(status, body)| status == 200 && body == proof)
    }
}
