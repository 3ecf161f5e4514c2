//! `tidegate webhook`: plays a provider, so that a gateway can be tried without one.

mod trial;

use super::{Failure, output};
use crate::{
    config::SecretText,
    play::{self, Script},
};
use anyhow::Context;
use clap::Subcommand;
use serde_json::json;
use tidegate_clock::DomainClock;
use tidegate_model::Timestamp;

#[derive(Debug, Subcommand)]
pub(super) enum WebhookCommand {
    /// Show what an endpoint would make of a body, without a gateway: its items, and the events of each. Verifies no signature.
    Try(trial::TryArgs),
    /// Send a webhook, signed as the provider would.
    Send {
        /// Provider: the id of a bundled plugin (shopify, woocommerce, calendly, meta, twilio), or a packed plugin, which says how its provider signs.
        #[arg(value_name = "PROVIDER|FILE")]
        provider: String,
        /// A topic with a bundled sample (orders/create), or a file with the body or a fixture.
        #[arg(value_name = "TOPIC|FILE")]
        what: String,
        /// URL of the endpoint.
        #[arg(long, value_name = "URL")]
        to: String,
        /// The endpoint's signing secret: `${NAME}`, `file:PATH` or the secret itself.
        #[arg(long, env = "TIDEGATE_WEBHOOK_SECRET", hide_env_values = true)]
        secret: String,
        /// Topic of a file's body, for providers that name it in a header.
        #[arg(long)]
        topic: Option<String>,
        /// Set a place of the body, as a JSON pointer: /customer/phone=+12025550123. May be repeated.
        #[arg(long, value_name = "POINTER=VALUE")]
        set: Vec<String>,
        /// Delivery id, to send the same webhook twice. Fresh when absent.
        #[arg(long)]
        id: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(command: &WebhookCommand) -> Result<u8, Failure> {
    let (provider, what, to, secret, topic, set, id, as_json) = match command {
        WebhookCommand::Try(args) => return trial::run(args),
        WebhookCommand::Send { provider, what, to, secret, topic, set, id, json } => {
            (provider, what, to, secret, topic, set, id, json)
        }
    };
    let usage = |error: &dyn std::fmt::Display| Failure::Usage(error.to_string());
    let mut script = script(provider, what)?;
    if topic.is_some() {
        script.topic.clone_from(topic);
    }
    for pair in set {
        let (pointer, value) =
            pair.split_once('=').ok_or_else(|| usage(&format!("--set {pair}: expected POINTER=VALUE")))?;
        script.set(pointer, value).map_err(|error| usage(&error))?;
    }
    script.to.clone_from(to);
    let now = Timestamp::from_ms(DomainClock::system().now_ms());
    let unique = match id {
        Some(id) => id.clone(),
        None => play::unique().map_err(|error| anyhow::anyhow!("the system has no randomness: {error}"))?,
    };
    script.freshen(provider, &unique, now);
    let secret =
        SecretText::new(secret.clone()).resolve(&|name| std::env::var(name).ok()).map_err(|error| usage(&error))?;
    let played = script.sign(provider, &secret, &unique, now).map_err(|error| usage(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(anyhow::Error::from)?;
    let answer = runtime
        .block_on(play::post(&reqwest::Client::new(), &script.url(), &played))
        .with_context(|| format!("{to} can't be reached"))?;
    let accepted = (200..300).contains(&answer.status);
    if *as_json {
        output::json(&json!({"status": answer.status, "delivery": answer.delivery, "id": unique, "body": answer.body}));
    } else if accepted {
        let delivery = answer.delivery.as_deref().unwrap_or("-");
        output::line(format!("{} {delivery}", answer.status));
        output::line(format!("  see what it meant: tidegate event show {delivery}"));
    } else {
        output::line(format!("{} {}", answer.status, answer.body));
    }
    Ok(u8::from(!accepted))
}

fn script(provider: &str, what: &str) -> Result<Script, Failure> {
    let path = std::path::Path::new(what);
    if !path.is_file() {
        if crate::config::is_path(provider) {
            return Err(Failure::Usage(format!(
                "{what}: there is no such file; a plugin of your own has no samples here"
            )));
        }
        return Script::sample(provider, what).map_err(|error| Failure::Usage(error.to_string()));
    }
    let bytes = std::fs::read(path).with_context(|| format!("{what} can't be read"))?;
    match serde_json::from_slice(&bytes) {
        Ok(value) => {
            let mut script = Script::from_fixture(&value);
            if script.topic.is_none() {
                // Not a fixture: the provider would send these very bytes, unless --set or fresh ids change them.
                script.body = value;
            }
            Ok(script)
        }
        Err(_) => Ok(Script { raw: Some(bytes), ..Script::default() }),
    }
}
