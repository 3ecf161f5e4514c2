//! The one HTTP client that all senders share: a pool of connections, TLS by rustls, no redirects. It knows no provider.

use std::time::Duration;

use reqwest::redirect::Policy;

/// How long a connection may take to stand (TCP and TLS). Past it nothing was sent, which is worth knowing soon.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an unused connection is kept. Short: a server that closes one just as it is reused leaves an attempt of unknown outcome.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// A pool of connections to providers; clones share it.
#[derive(Debug, Clone)]
pub struct HttpClient(reqwest::Client);

impl HttpClient {
    /// Makes the client. Make one at start and clone it into every sender.
    ///
    /// # Errors
    /// When TLS cannot be set up on this machine; trying again does not help.
    pub fn new() -> Result<Self, ClientError> {
        reqwest::Client::builder()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .user_agent(concat!("tidegate/", env!("CARGO_PKG_VERSION")))
            .build()
            .map(Self)
            .map_err(ClientError)
    }

    pub(crate) fn post(&self, url: reqwest::Url) -> reqwest::RequestBuilder {
        self.0.post(url)
    }
}

/// The HTTP client cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be made: check the machine's TLS root certificates")]
pub struct ClientError(#[source] reqwest::Error);
