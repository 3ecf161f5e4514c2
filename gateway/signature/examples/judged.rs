//! Signs and checks what a judge gives it: a line of JSON for each case, answered by a line. A judge is a library of others (`tests/judges`).
#![expect(clippy::print_stdout, reason = "the judge reads what is printed")]

use anyhow::{Context, Result, anyhow};
use serde::Deserialize;
use serde_json::{Value, json};
use tidegate_signature::{Outgoing, Secret, Target, scheme, sign_request, verify_request};

/// What is signed, or checked with these headers.
#[derive(Deserialize)]
struct Case {
    scheme: String,
    secret: String,
    /// In hexadecimal.
    body: String,
    #[serde(default)]
    method: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    message_id: String,
    at_ms: i64,
    headers: Option<Vec<(String, String)>>,
}

fn main() -> Result<()> {
    for line in std::io::stdin().lines() {
        println!("{}", answer(&line?)?);
    }
    Ok(())
}

/// `{"ways": [[[name, value], …], …]}`, one for each way that a provider may sign; or `{"accepted": true}`.
fn answer(line: &str) -> Result<Value> {
    let case: Case = serde_json::from_str(line).with_context(|| line.to_owned())?;
    let scheme = scheme(&case.scheme).with_context(|| format!("there is no scheme {:?}", case.scheme))?;
    let secret = Secret::new(&case.secret, &scheme.key).map_err(|error| anyhow!("{error}: {line}"))?;
    let body = hex::decode(&case.body)?;
    let target = Target { method: &case.method, url: &case.url };
    match &case.headers {
        Some(headers) => {
            let decision = verify_request(&scheme, &secret.into(), target, headers, &body, case.at_ms);
            Ok(json!({ "accepted": decision.is_ok() }))
        }
        None => {
            let message = Outgoing { id: &case.message_id, at_ms: case.at_ms, body: &body };
            let ways: Result<Vec<_>, _> =
                scheme.ways().map(|way| sign_request(way, &secret, target, &message)).collect();
            Ok(json!({ "ways": ways.map_err(|error| anyhow!("{error}: {line}"))? }))
        }
    }
}
