//! One request, made: hop by hop, each hop judged, with credentials for its host, under limits of time and size.

use crate::{
    answer::{self, Unread},
    credentials::{self, Credential},
    reach::Fetched,
    resolve::{Guarded, Lookup, NotPublic, System},
    rules::{Refusal, Rules, Way},
};
use reqwest::{Client, Method, Response, Url, header::LOCATION, redirect::Policy};
use std::{error::Error, sync::Arc, time::Duration};
use tidegate_model::{
    outcome::{Answer, Request},
    reach::Authority,
};

mod token;

/// Redirects that are followed.
const REDIRECTS: usize = 3;

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Until a connection stands.
    pub connect: Duration,
    /// In all, with redirects and the reading of the answer.
    pub total: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), total: Duration::from_secs(20) }
    }
}

/// Makes requests. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Fetcher {
    /// Connects to public addresses only.
    public: Client,
    /// Connects to what the operator named.
    private: Client,
    total: Duration,
}

/// The HTTP client can't be made.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be made: check the machine's TLS root certificates")]
pub struct ClientError(#[source] reqwest::Error);

impl Fetcher {
    /// Names are looked up by the system.
    ///
    /// # Errors
    /// TLS can't be set up on this machine.
    pub fn new(times: Times) -> Result<Self, ClientError> {
        Self::looking_up(Arc::new(System), times)
    }

    /// Names are looked up by this.
    ///
    /// # Errors
    /// As [`Fetcher::new`].
    pub fn looking_up(lookup: Arc<dyn Lookup>, times: Times) -> Result<Self, ClientError> {
        let builder = || {
            Client::builder()
                .redirect(Policy::none())
                .connect_timeout(times.connect)
                .pool_idle_timeout(Duration::from_secs(15))
                .user_agent(concat!("tidegate/", env!("CARGO_PKG_VERSION")))
                // A proxy would connect for us, to addresses that nobody checked.
                .no_proxy()
        };
        let public = builder().dns_resolver(Guarded(lookup)).build().map_err(ClientError)?;
        let private = builder().build().map_err(ClientError)?;
        Ok(Self { public, private, total: times.total })
    }

    /// Makes one request.
    pub(crate) async fn fetch(&self, rules: &Rules, held: &[Credential], request: &Request, most: usize) -> Fetched {
        let made = tokio::time::timeout(self.total, self.hops(rules, held, request, most)).await;
        let late = || later(format!("no whole answer came within {} s", self.total.as_secs()));
        match made.unwrap_or_else(|_| late()) {
            Fetched::Answer(Answer::Response { status, headers, body }) => Fetched::Answer(Answer::Response {
                status,
                headers: headers.into_iter().map(|(name, value)| (name, credentials::scrub(held, value))).collect(),
                body: credentials::scrub(held, body),
            }),
            Fetched::Answer(Answer::Failed(reason)) => {
                Fetched::Answer(Answer::Failed(credentials::scrub(held, reason)))
            }
            Fetched::Later { after, reason } => Fetched::Later { after, reason: credentials::scrub(held, reason) },
            refused @ (Fetched::Refused(_) | Fetched::Unauthorized(_)) => refused,
        }
    }

    async fn hops(&self, rules: &Rules, held: &[Credential], request: &Request, most: usize) -> Fetched {
        let Ok(mut url) = Url::parse(&request.url) else { return failed("it is no URL".to_owned()) };
        for hop in 0..=REDIRECTS {
            let way = match rules.way(&url) {
                Ok(way) => way,
                Err(Refusal::NotGranted(line)) if hop == 0 => return Fetched::Refused(line),
                Err(refusal) if hop == 0 => return failed(refusal.to_string()),
                Err(refusal) => {
                    return failed(format!("the provider sends to another place, which is not followed: {refusal}"));
                }
            };
            let response = match self.send(way, held, request, &url).await {
                Ok(response) => response,
                Err(error) => return unanswered(rules, &url, &error),
            };
            match next(request, &url, &response) {
                Next::Answer => return answered(response, most).await,
                Next::Hop(next) => url = next,
                Next::Nowhere(reason) => return failed(reason),
            }
        }
        failed(format!("the provider sends from place to place; {REDIRECTS} redirects are followed"))
    }

    async fn send(
        &self,
        way: Way,
        held: &[Credential],
        request: &Request,
        url: &Url,
    ) -> Result<Response, reqwest::Error> {
        let client = match way {
            Way::Public => &self.public,
            Way::Private => &self.private,
        };
        let host = url.host_str().unwrap_or_default().to_owned();
        let authority = Authority { host, port: url.port() };
        let mut whole = url.clone();
        credentials::in_url(held, &authority, &mut whole);
        let method = match request.method.as_str() {
            "POST" => Method::POST,
            "PUT" => Method::PUT,
            "PATCH" => Method::PATCH,
            "DELETE" => Method::DELETE,
            _ => Method::GET,
        };
        let mut building = client.request(method, whole);
        for (name, value) in &request.headers {
            building = building.header(name, value);
        }
        building = credentials::in_headers(held, &authority, building);
        if let Some(body) = &request.body {
            building = building.body(body.clone());
        }
        building.send().await
    }
}

/// Where a response leads.
enum Next {
    Answer,
    Hop(Url),
    Nowhere(String),
}

fn next(request: &Request, url: &Url, response: &Response) -> Next {
    let status = response.status().as_u16();
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return Next::Answer;
    }
    let Some(place) = response.headers().get(LOCATION).and_then(|value| value.to_str().ok()) else {
        return Next::Answer;
    };
    if request.method != "GET" {
        return Next::Nowhere(format!(
            "the provider sends a {} to another place ({status}), which is not followed",
            request.method
        ));
    }
    match url.join(place) {
        Ok(next) => Next::Hop(next),
        Err(_) => Next::Nowhere(format!("the provider sends to another place ({status}) that is no URL")),
    }
}

async fn answered(response: Response, most: usize) -> Fetched {
    let status = response.status().as_u16();
    if answer::is_worth_retrying(status) {
        let after = answer::retry_after(response.headers());
        return Fetched::Later { after, reason: format!("the provider answered {status}") };
    }
    let headers = answer::shown(response.headers());
    match answer::read(response, most).await {
        Ok(body) => Fetched::Answer(Answer::Response { status, headers, body }),
        Err(Unread::Unfit(reason)) => failed(reason),
        Err(Unread::Broken(error)) => later(format!("the answer broke off: {}", causes(&error.without_url()))),
    }
}

/// No answer came.
fn unanswered(rules: &Rules, url: &Url, error: &reqwest::Error) -> Fetched {
    if let Some(NotPublic { name, address, what }) = not_public(error) {
        let authority = Authority { host: name.clone(), port: url.port_or_known_default() };
        return Fetched::Refused(format!(
            "{name} leads to {address}, {what}: if it is a host of yours, plugins.{}.private_hosts needs \"{authority}\"",
            rules.plugin
        ));
    }
    if error.is_timeout() {
        return later("the provider did not answer in time".to_owned());
    }
    // The error itself names the URL; its causes don't.
    later(format!("the provider could not be reached: {}", causes(error)))
}

fn not_public(error: &reqwest::Error) -> Option<&NotPublic> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<NotPublic>() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

/// The causes below an error, outermost first, without the address.
fn causes(error: &reqwest::Error) -> String {
    let (mut words, mut cause) = (Vec::new(), error.source());
    while let Some(error) = cause {
        words.push(error.to_string());
        cause = error.source();
    }
    words.join(": ")
}

const fn failed(reason: String) -> Fetched {
    Fetched::Answer(Answer::Failed(reason))
}

const fn later(reason: String) -> Fetched {
    Fetched::Later { after: None, reason }
}

#[cfg(test)]
mod tests;
