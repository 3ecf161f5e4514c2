//! The gateway's control socket.

use serde_json::Value;
use std::path::Path;

/// Reads and commands of one running gateway.
#[derive(Debug)]
pub(crate) struct Control {
    client: reqwest::Client,
}

impl Control {
    pub(crate) fn new(data: &Path) -> Self {
        let client = reqwest::Client::builder().unix_socket(data.join("control.sock")).build();
        Self { client: client.expect("a client for a socket can be made") }
    }

    /// A resource; `None` when there is none, or nobody answers.
    pub(crate) async fn get(&self, path: &str) -> Option<Value> {
        let answer = self.client.get(format!("http://gateway{path}")).send().await.ok()?;
        if !answer.status().is_success() {
            return None;
        }
        answer.json().await.ok()
    }

    /// A resource that is no JSON.
    pub(crate) async fn text(&self, path: &str) -> Option<String> {
        let answer = self.client.get(format!("http://gateway{path}")).send().await.ok()?;
        if !answer.status().is_success() {
            return None;
        }
        answer.text().await.ok()
    }

    /// The rows of a list.
    pub(crate) async fn list(&self, path: &str) -> Option<Vec<Value>> {
        match self.get(&format!("{path}?limit=1000")).await?["data"].take() {
            Value::Array(rows) => Some(rows),
            _ => None,
        }
    }
}
