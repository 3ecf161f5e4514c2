//! A callback on its way: a signed form. Twilio asks once more where no connection stood, and as often as the URL's fragment wants (`#rc=5&rp=all`).

use std::sync::Arc;

use reqwest::{
    Client, Url,
    header::{CONTENT_TYPE, HeaderValue, USER_AGENT},
};

use super::account::Account;
use crate::{
    record::{Delivery, note},
    state::Shared,
};

/// A signed form, and where it goes.
pub(crate) struct Callback {
    account: Arc<Account>,
    /// As it was configured, and is signed: without its fragment.
    public: Url,
    form: Vec<(String, String)>,
    sid: String,
    person: String,
    /// Attempts in all, when it is answered, and not with 2xx.
    attempts: u32,
}

impl Callback {
    pub(super) fn new(
        account: &Arc<Account>,
        url: &Url,
        form: Vec<(&'static str, String)>,
        sid: String,
        person: &str,
    ) -> Self {
        let overrides = url.fragment().unwrap_or_default();
        let of = |name: &str| overrides.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let retries = of("rc").and_then(|text| text.parse().ok()).unwrap_or(1_u32).min(5);
        let all = of("rp").is_some_and(|policy| policy.split(',').any(|word| matches!(word, "all" | "5xx")));
        let mut public = url.clone();
        public.set_fragment(None);
        let form = form.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let attempts = if all { 1 + retries } else { 1 };
        Self { account: account.clone(), public, form, sid, person: person.to_owned(), attempts }
    }

    /// What concerns one person goes in order.
    pub(crate) fn person(&self) -> &str {
        &self.person
    }
}

/// Delivers a callback. One that is refused to the last is lost: Twilio keeps none.
pub(crate) async fn deliver(shared: &Shared, client: &Client, callback: &Callback) {
    let signature = callback.account.signature(callback.public.as_str(), &callback.form);
    let mut body = Url::parse("http://form").expect("a host alone is a URL");
    body.query_pairs_mut().extend_pairs(&callback.form);
    let body = body.query().unwrap_or_default().to_owned();
    for attempt in 1..=callback.attempts.max(2) {
        let request = client
            .post(callback.account.behind(&callback.public))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))
            .header(USER_AGENT, HeaderValue::from_static("TwilioProxy/1.1"))
            .header("X-Twilio-Signature", signature.clone())
            .header("I-Twilio-Idempotency-Token", callback.sid.clone())
            .body(body.clone());
        let http_status = match request.send().await {
            Ok(response) => {
                let status = response.status().as_u16();
                // Read to the end, so that the connection can be used again.
                response.bytes().await.ok().map(|_| status)
            }
            Err(error) => {
                tracing::debug!(error = %error.without_url(), "callback not delivered");
                None
            }
        };
        let taken = http_status.is_some_and(|status| (200..300).contains(&status));
        let again = match http_status {
            _ if taken => false,
            // A connection that failed is asked for once more, whatever the URL says.
            None => attempt < callback.attempts.max(2),
            Some(_) => attempt < callback.attempts,
        };
        let entry = Delivery {
            message_ids: vec![callback.sid.clone()],
            attempt,
            http_status,
            again,
            at_ms: shared.clock.now_ms(),
        };
        note(&mut shared.lock().record.deliveries, entry);
        if !again {
            return;
        }
    }
}
