//! Plays a provider: makes a webhook as the provider would send it, from a bundled sample or a file, with fresh ids and a signature.

use serde_json::{Value, json};
use std::borrow::Cow;
use tidegate_bundled::{BundledPlugin, PLUGINS, SAMPLES};
use tidegate_model::Timestamp;
use tidegate_plugin_host::read_manifest;
use tidegate_signature::{Outgoing, Secret, Target, sign_request};

/// A webhook ready to be sent.
pub(crate) struct Played {
    /// Headers, with the signature.
    pub headers: Vec<(String, String)>,
    /// The bytes that were signed.
    pub body: Vec<u8>,
}

/// What to send.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Script {
    /// Headers that the provider sets beside the signature.
    pub headers: Vec<(String, String)>,
    /// Topic, when the headers are to name it.
    pub topic: Option<String>,
    /// Body.
    pub body: Value,
    /// Exact bytes, instead of `body`.
    pub raw: Option<Vec<u8>>,
    /// The URL that it is sent to, for providers that sign it; empty where it is not known.
    pub to: String,
    /// What the provider adds to that URL, for providers that give back in it what they were given.
    pub query: Option<String>,
}

/// Why a webhook can't be played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PlayFault {
    /// No bundled plugin is for this provider.
    #[error("there is no provider {found:?}; there are {known}")]
    Provider {
        /// What was asked for.
        found: String,
        /// What there is.
        known: String,
    },
    /// No sample of this topic.
    #[error("there is no file and no sample {found:?} for {provider}; there are samples of {known}")]
    Topic {
        /// The provider.
        provider: String,
        /// What was asked for.
        found: String,
        /// What there is.
        known: String,
    },
    /// A place in the body can't be set.
    #[error("--set {pointer}: {problem}")]
    Set {
        /// The place.
        pointer: String,
        /// Why.
        problem: String,
    },
    /// It can't be signed.
    #[error("the webhook can't be signed: {0}")]
    Sign(String),
}

impl Script {
    /// A bundled sample, by its topic or the name of its case; a sample made for demonstrations comes first.
    ///
    /// # Errors
    /// The provider or the topic is not known.
    pub(crate) fn sample(provider: &str, wanted: &str) -> Result<Self, PlayFault> {
        known_provider(provider)?;
        let of_provider = || SAMPLES.iter().filter(|sample| sample.plugin == provider);
        let mut fitting: Vec<_> =
            of_provider().filter(|sample| sample.topic == wanted || sample.case == wanted).collect();
        fitting.sort_by_key(|sample| (sample.case != wanted, !sample.case.starts_with("demo"), sample.case));
        let Some(sample) = fitting.first() else {
            let mut known: Vec<&str> = of_provider().map(|sample| sample.topic).collect();
            known.sort_unstable();
            known.dedup();
            return Err(PlayFault::Topic {
                provider: provider.to_owned(),
                found: wanted.to_owned(),
                known: known.join(", "),
            });
        };
        Ok(Self::from_fixture(&serde_json::from_str(sample.webhook_json).unwrap_or_default()))
    }

    /// From a fixture's `webhook.json`; any other JSON is taken as the body.
    pub(crate) fn from_fixture(fixture: &Value) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let is_fixture =
            fixture.get("topic").is_some() && (fixture.get("body").is_some() || fixture.get("body_text").is_some());
        if !is_fixture {
            return Self { body: fixture.clone(), ..Self::default() };
        }
        let headers = fixture["headers"].as_object().cloned().unwrap_or_default();
        let headers = headers.into_iter().filter_map(|(name, value)| Some((name.to_lowercase(), text(&value)?)));
        // What a plugin is told of the URL stands among its headers.
        let (query, headers): (Vec<_>, Vec<_>) = headers.partition(|(name, _)| name == ":query");
        Self {
            headers,
            query: query.into_iter().next().map(|(_, value)| value),
            topic: text(&fixture["topic"]),
            body: fixture["body"].clone(),
            raw: text(&fixture["body_text"]).map(String::into_bytes),
            to: String::new(),
        }
    }

    /// Sets a place of the body (a JSON pointer) to a value: JSON where it can be read as such, else text.
    ///
    /// # Errors
    /// The place's parent is not there.
    pub(crate) fn set(&mut self, pointer: &str, value: &str) -> Result<(), PlayFault> {
        let fault = |problem: &str| PlayFault::Set { pointer: pointer.to_owned(), problem: problem.to_owned() };
        let (parent, key) =
            pointer.rsplit_once('/').ok_or_else(|| fault("a place begins with /, such as /customer/phone"))?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
        match self.body.pointer_mut(parent) {
            Some(Value::Object(fields)) => {
                fields.insert(key.replace("~1", "/").replace("~0", "~"), value);
                Ok(())
            }
            Some(Value::Array(items)) => match key.parse::<usize>().ok().and_then(|place| items.get_mut(place)) {
                Some(slot) => {
                    *slot = value;
                    Ok(())
                }
                None => Err(fault("there is no such element")),
            },
            _ => Err(fault("there is no such place in the body")),
        }
    }

    /// Gives what a provider makes anew for each webhook (ids, times) new values. `unique` is never the same twice.
    pub(crate) fn freshen(&mut self, provider: &str, unique: &str, now: Timestamp) {
        match provider {
            "shopify" => self.freshen_shopify(unique, now),
            "meta" => self.freshen_meta(unique, now),
            "woocommerce" => self.freshen_woocommerce(unique),
            "calendly" => self.freshen_calendly(unique, now),
            "hubspot" => self.freshen_hubspot(unique, now),
            "twilio" => self.freshen_twilio(unique),
            _ => {}
        }
    }

    fn freshen_shopify(&mut self, unique: &str, now: Timestamp) {
        if let Some(topic) = &self.topic {
            put(&mut self.headers, "x-shopify-topic", topic.clone());
        }
        put_if_absent(&mut self.headers, "x-shopify-shop-domain", "tidegate-demo.myshopify.com");
        put_if_absent(&mut self.headers, "x-shopify-api-version", "2026-07");
        put(&mut self.headers, "x-shopify-webhook-id", unique.to_owned());
        put(&mut self.headers, "x-shopify-event-id", format!("event-{unique}"));
        put(&mut self.headers, "x-shopify-triggered-at", now.to_string());
    }

    /// New ids and times for messages; statuses are left alone, because they are about messages that exist.
    fn freshen_meta(&mut self, unique: &str, now: Timestamp) {
        let entries = self.body.get_mut("entry").and_then(Value::as_array_mut).into_iter().flatten();
        let changes = entries.filter_map(|entry| entry.get_mut("changes")?.as_array_mut()).flatten();
        let messages =
            changes.filter_map(|change| change.get_mut("value")?.get_mut("messages")?.as_array_mut()).flatten();
        for (place, message) in messages.enumerate() {
            if let Some(message) = message.as_object_mut() {
                message.insert("id".to_owned(), json!(format!("wamid.{unique}.{place}")));
                message.insert("timestamp".to_owned(), json!((now.ms() / 1_000).to_string()));
            }
        }
    }

    fn freshen_woocommerce(&mut self, unique: &str) {
        if let Some(topic) = self.topic.clone() {
            let (resource, event) = topic.split_once('.').unwrap_or((&topic, ""));
            put(&mut self.headers, "x-wc-webhook-resource", resource.to_owned());
            put(&mut self.headers, "x-wc-webhook-event", event.to_owned());
            put(&mut self.headers, "x-wc-webhook-topic", topic);
        }
        put_if_absent(&mut self.headers, "x-wc-webhook-source", "https://tidegate-demo.example/");
        put_if_absent(&mut self.headers, "x-wc-webhook-id", "1");
        put(&mut self.headers, "x-wc-webhook-delivery-id", unique.to_owned());
    }

    /// A new booking, and a new moment of the webhook; Calendly's webhooks have no id.
    fn freshen_calendly(&mut self, unique: &str, now: Timestamp) {
        if let Some(topic) = &self.topic {
            set_text(&mut self.body, "/event", topic);
        }
        set_text(&mut self.body, "/created_at", &now.to_string());
        let invitee = self.body.pointer("/payload/uri").and_then(Value::as_str).map(str::to_owned);
        if let Some((place, _)) = invitee.as_deref().and_then(|uri| uri.rsplit_once('/')) {
            set_text(&mut self.body, "/payload/uri", &format!("{place}/{unique}"));
        }
    }

    /// A new number and a new time for each change; HubSpot's deliveries have no id.
    fn freshen_hubspot(&mut self, unique: &str, now: Timestamp) {
        let first = unique.bytes().fold(0_u32, |number, byte| number.wrapping_mul(31).wrapping_add(byte.into()));
        for (place, change) in (0_u32..).zip(self.body.as_array_mut().into_iter().flatten()) {
            if let Some(change) = change.as_object_mut() {
                change.insert("eventId".to_owned(), json!(first.wrapping_add(place)));
                change.insert("occurredAt".to_owned(), json!(now.ms()));
            }
        }
    }

    /// A new id for what people write; statuses are left alone, because they are about messages that exist.
    fn freshen_twilio(&mut self, unique: &str) {
        let Some(form) = self.raw.as_ref().filter(|_| self.topic.as_deref() == Some("received")) else { return };
        let pairs = String::from_utf8_lossy(form).into_owned();
        let fresh = pairs.split('&').map(|pair| match pair.split_once('=') {
            Some((name @ ("MessageSid" | "SmsSid" | "SmsMessageSid"), _)) => format!("{name}=SM{unique}"),
            _ => pair.to_owned(),
        });
        self.raw = Some(fresh.collect::<Vec<_>>().join("&").into_bytes());
    }

    /// The URL that it is sent to, whole.
    pub(crate) fn url(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.to),
            None => self.to.clone(),
        }
    }

    /// Signs the webhook.
    ///
    /// # Errors
    /// The provider is not known, or the secret can't be used.
    pub(crate) fn sign(&self, provider: &str, secret: &str, unique: &str, now: Timestamp) -> Result<Played, PlayFault> {
        let fault = |error: &dyn std::fmt::Display| PlayFault::Sign(error.to_string());
        let component = if crate::config::is_path(provider) {
            let read = std::fs::read(provider);
            Cow::Owned(read.map_err(|error| fault(&format!("{provider}: {error}")))?)
        } else {
            Cow::Borrowed(known_provider(provider)?)
        };
        let manifest = read_manifest(&component).map_err(|error| fault(&error))?;
        let scheme = crate::catalog::scheme_of(&manifest).map_err(|error| fault(&error))?;
        let secret = Secret::new(secret, &scheme.key).map_err(|error| fault(&error))?;
        let body = self.raw.clone().unwrap_or_else(|| self.body.to_string().into_bytes());
        let url = self.url();
        let target = Target { method: "POST", url: &url };
        let message = Outgoing { id: unique, at_ms: now.ms(), body: &body };
        let signature = sign_request(&scheme, &secret, target, &message).map_err(|error| fault(&error))?;
        let mut headers = self.headers.clone();
        put_if_absent(&mut headers, "content-type", "application/json");
        for (name, value) in signature {
            put(&mut headers, &name.to_lowercase(), value);
        }
        Ok(Played { headers, body })
    }
}

/// The bundled plugins that are for one provider: their manifests say how it signs.
pub(crate) fn providers() -> impl Iterator<Item = &'static BundledPlugin> {
    PLUGINS.iter().filter(|plugin| read_manifest(plugin.component).is_ok_and(|manifest| manifest.signature.is_some()))
}

/// The component of a provider's bundled plugin.
fn known_provider(provider: &str) -> Result<&'static [u8], PlayFault> {
    providers().find(|plugin| plugin.id == provider).map(|plugin| plugin.component).ok_or_else(|| PlayFault::Provider {
        found: provider.to_owned(),
        known: providers().map(|plugin| plugin.id).collect::<Vec<_>>().join(", "),
    })
}

/// Writes a text to a place of an object that is there.
fn set_text(body: &mut Value, pointer: &str, text: &str) {
    let (parent, key) = pointer.rsplit_once('/').unwrap_or_default();
    if let Some(Value::Object(fields)) = body.pointer_mut(parent) {
        fields.insert(key.to_owned(), json!(text));
    }
}

fn put(headers: &mut Vec<(String, String)>, name: &str, value: String) {
    headers.retain(|(held, _)| held != name);
    headers.push((name.to_owned(), value));
}

fn put_if_absent(headers: &mut Vec<(String, String)>, name: &str, value: &str) {
    if !headers.iter().any(|(held, _)| held == name) {
        headers.push((name.to_owned(), value.to_owned()));
    }
}

/// Sends a webhook.
///
/// # Errors
/// The receiver can't be reached.
pub(crate) async fn post(client: &reqwest::Client, url: &str, played: &Played) -> Result<Answer, reqwest::Error> {
    let mut request = client.post(url).body(played.body.clone());
    for (name, value) in &played.headers {
        request = request.header(name, value);
    }
    let response = request.send().await.map_err(reqwest::Error::without_url)?;
    let status = response.status().as_u16();
    let delivery = response.headers().get("tidegate-delivery").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let body = response.text().await.map_err(reqwest::Error::without_url)?;
    Ok(Answer { status, delivery, body })
}

/// What the receiver said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The stored delivery's id.
    pub delivery: Option<String>,
    /// Body.
    pub body: String,
}

/// A text that is never the same twice.
///
/// # Errors
/// The system has no randomness.
pub(crate) fn unique() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_780_000_000_000);

    #[test]
    fn a_played_webhook_verifies_as_the_provider_s() {
        let target = Target { method: "POST", url: "https://gateway.example/in/test" };
        let topics = [
            ("shopify", "orders/create"),
            ("meta", "messages"),
            ("hubspot", "contact.creation"),
            ("woocommerce", "order.created"),
            ("calendly", "invitee.created"),
            ("twilio", "received"),
            ("twilio", "queued"),
        ];
        for (provider, topic) in topics {
            let mut script = Script::sample(provider, topic).unwrap();
            target.url.clone_into(&mut script.to);
            let (url, method) = (script.url(), "POST");
            let target = Target { method, url: &url };
            script.freshen(provider, "u1", NOW);
            let played = script.sign(provider, "s3cret", "u1", NOW).unwrap();
            let scheme = tidegate_signature::scheme(provider).unwrap();
            let secrets = Secret::new("s3cret", &scheme.key).unwrap().into();
            tidegate_signature::verify_request(&scheme, &secrets, target, &played.headers, &played.body, NOW.ms())
                .unwrap();
        }
    }

    #[test]
    fn what_is_not_known_is_said_with_what_is() {
        let error = Script::sample("shopfy", "orders/create").unwrap_err().to_string();
        assert!(error.contains("shopfy") && error.contains("shopify"), "{error}");
        let error = Script::sample("shopify", "order/create").unwrap_err().to_string();
        assert!(error.contains("orders/create"), "{error}");
    }

    #[test]
    fn places_are_set_by_pointer() {
        let mut script = Script { body: json!({"customer": {"phone": null}, "lines": [1, 2]}), ..Script::default() };
        script.set("/customer/phone", "+1 202 555 0123").unwrap();
        script.set("/lines/1", "3").unwrap();
        assert_eq!(script.body, json!({"customer": {"phone": "+1 202 555 0123"}, "lines": [1, 3]}));
        assert!(script.set("/nobody/phone", "1").is_err());
        assert!(script.set("phone", "1").is_err());
    }
}
