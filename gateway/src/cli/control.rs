//! Talks to a running gateway through the control socket in its data directory. Who may open the socket may use it: it belongs to the user that runs the gateway.

use super::Failure;
use crate::app::CONTROL_SOCKET;
use anyhow::{Context, anyhow};
use reqwest::Method;
use serde_json::{Map, Value};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Pause between two looks at work that takes long.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// The socket stands for the host.
fn address(path: &str) -> String {
    format!("http://gateway{path}")
}

/// A client of one gateway.
pub(super) struct Control {
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
    socket: PathBuf,
}

impl Control {
    /// For the gateway that keeps its data there.
    pub(super) fn new(data: &Path) -> Result<Self, Failure> {
        let socket = data.join(CONTROL_SOCKET);
        if !socket.exists() {
            return Err(Failure::Usage(format!(
                "no gateway runs on {}: start it with `tidegate serve`, or name its directory with --data",
                data.display()
            )));
        }
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(anyhow::Error::from)?;
        let client = reqwest::Client::builder().unix_socket(socket.clone()).build().map_err(anyhow::Error::from)?;
        Ok(Self { client, runtime, socket })
    }

    /// Reads a resource.
    pub(super) fn get(&self, path: &str) -> Result<Value, Failure> {
        self.call(Method::GET, path, None)
    }

    /// Asks for something to be done.
    pub(super) fn post(&self, path: &str, body: Value) -> Result<Value, Failure> {
        self.call(Method::POST, path, Some(body))
    }

    /// Reads a resource, with parameters.
    pub(super) fn get_with(&self, path: &str, query: &Map<String, Value>) -> Result<Value, Failure> {
        let mut url = reqwest::Url::parse(&address(path)).map_err(anyhow::Error::from)?;
        for (name, value) in query {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            url.query_pairs_mut().append_pair(name, &text);
        }
        self.send(self.client.get(url))
    }

    /// Sends bytes.
    pub(super) fn post_bytes(&self, path: &str, body: Vec<u8>) -> Result<Value, Failure> {
        self.send(self.client.post(address(path)).body(body))
    }

    /// Asks for something that takes long, and looks at another path while it is done.
    pub(super) fn post_watched(
        &self,
        path: &str,
        body: &Value,
        watched: &str,
        look: impl Fn(&Value),
    ) -> Result<Value, Failure> {
        let order = self.client.post(address(path)).json(body).send();
        let answer = self.runtime.block_on(async {
            let work = async {
                let response = order.await?;
                let failed = !response.status().is_success();
                Ok::<_, reqwest::Error>((failed, response.json::<Value>().await?))
            };
            let looking = async {
                loop {
                    tokio::time::sleep(LOOK_AGAIN).await;
                    if let Ok(response) = self.client.get(address(watched)).send().await
                        && let Ok(value) = response.json::<Value>().await
                    {
                        look(&value);
                    }
                }
            };
            tokio::select! {
                answer = work => answer,
                () = looking => unreachable!("it looks until the work is done"),
            }
        });
        self.answered(answer)
    }

    fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, Failure> {
        let mut request = self.client.request(method, address(path));
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.send(request)
    }

    fn send(&self, request: reqwest::RequestBuilder) -> Result<Value, Failure> {
        let answer = self.runtime.block_on(async {
            let response = request.send().await?;
            let failed = !response.status().is_success();
            Ok::<_, reqwest::Error>((failed, response.json::<Value>().await?))
        });
        self.answered(answer)
    }

    fn answered(&self, answer: Result<(bool, Value), reqwest::Error>) -> Result<Value, Failure> {
        let (failed, value) = answer
            .map_err(reqwest::Error::without_url)
            .with_context(|| format!("the gateway behind {} does not answer", self.socket.display()))?;
        if failed && value["code"] == "configuration-refused" {
            return Err(Failure::Usage(value["detail"].as_str().unwrap_or_default().to_owned()));
        }
        if failed {
            return Err(Failure::Work(anyhow!("{}", value["detail"].as_str().unwrap_or("the gateway refused this"))));
        }
        Ok(value)
    }
}
