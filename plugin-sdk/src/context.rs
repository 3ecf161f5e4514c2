//! What a plugin may use while it interprets one item: its connection, its state, answers from the provider, the log.

use crate::{Answer, Connection, Error, Item, Level, Request, Response, json};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// What a plugin may use while it interprets one item.
#[derive(Debug)]
pub struct Context<'a> {
    connection: &'a Connection,
    item: &'a Item,
    next_answer: usize,
    needed: Vec<Request>,
    state: Option<String>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(connection: &'a Connection, item: &'a Item) -> Self {
        Self { connection, item, next_answer: 0, needed: Vec::new(), state: None }
    }

    /// The connection the item belongs to.
    pub fn connection(&self) -> &'a Connection {
        self.connection
    }

    /// The plugin's settings for this connection.
    ///
    /// # Errors
    /// When they do not fit `T`; the reason names the setting.
    pub fn settings<T: Deserialize<'a>>(&self) -> Result<T, Error> {
        json::parse(&self.connection.settings).map_err(|error| within("the settings of the connection", error))
    }

    /// What was last stored under the item's state key; `None` the first time.
    ///
    /// # Errors
    /// When it does not fit `T`.
    pub fn state<T: Deserialize<'a>>(&self) -> Result<Option<T>, Error> {
        let Some(text) = &self.item.state else { return Ok(None) };
        json::parse(text).map(Some).map_err(|error| within("the stored state", error))
    }

    /// Keeps a new state under the item's state key, in the commit that stores the events.
    ///
    /// # Errors
    /// When it can't be written as JSON (a map whose keys are no strings).
    pub fn set_state<T: Serialize>(&mut self, state: &T) -> Result<(), Error> {
        let text = serde_json::to_string(state)
            .map_err(|error| Error::new(format!("the state can't be written as JSON: {error}")))?;
        self.state = Some(text);
        Ok(())
    }

    /// Reads from the provider. Any status is an answer.
    ///
    /// The gateway makes the request (only to granted hosts, with the connection's credentials) and calls the plugin again; so what comes before must not depend on anything but the item.
    ///
    /// # Errors
    /// [`Error::Need`] while there is no answer: pass it on with `?`. A failure when there will be none.
    pub fn fetch(&mut self, request: Request) -> Result<Response, Error> {
        read(self.try_fetch(request)?)
    }

    /// Like [`fetch`](Self::fetch), and reads the body of the answer as JSON.
    ///
    /// # Errors
    /// As for [`fetch`](Self::fetch) and [`Response::json`].
    pub fn fetch_json<T: DeserializeOwned>(&mut self, request: Request) -> Result<T, Error> {
        self.fetch(request)?.json()
    }

    /// Like [`fetch`](Self::fetch), for several requests that do not depend on each other: the gateway makes them together.
    ///
    /// # Errors
    /// As for [`fetch`](Self::fetch).
    pub fn fetch_all(&mut self, requests: impl IntoIterator<Item = Request>) -> Result<Vec<Response>, Error> {
        let answers: Vec<_> = requests.into_iter().map(|request| self.try_fetch(request)).collect();
        answers.into_iter().map(|answer| read(answer?)).collect()
    }

    /// Like [`fetch`](Self::fetch), for a plugin that can go on without the answer: that there is none is a value.
    ///
    /// # Errors
    /// [`Error::Need`] while it is not known: pass it on with `?`.
    pub fn try_fetch(&mut self, request: Request) -> Result<&'a Answer, Error> {
        let answer = self.item.answers.get(self.next_answer);
        self.next_answer += 1;
        answer.ok_or_else(|| {
            self.needed.push(request);
            Error::Need
        })
    }

    /// Writes a line to the gateway's log, with the ids of the item. Never log personal data.
    pub fn log(&self, level: Level, message: &str) {
        write_log(level, message);
    }

    /// The requests without an answer, and the new state.
    pub(crate) fn finish(self) -> (Vec<Request>, Option<String>) {
        (self.needed, self.state)
    }
}

fn read(answer: &Answer) -> Result<Response, Error> {
    match answer {
        Answer::Response(response) => Ok(response.clone()),
        Answer::Failed(reason) => Err(Error::new(format!("the provider gave no answer: {reason}"))),
    }
}

/// The field of such an error is not in the item, so it goes into the reason.
fn within(what: &str, error: Error) -> Error {
    match error {
        Error::Failed { field, reason, retryable } => {
            let reason = format!("{what}, {}: {reason}", field.as_deref().unwrap_or("/"));
            Error::Failed { field: None, reason, retryable }
        }
        other @ (Error::Need | Error::Skip(_)) => other,
    }
}

#[cfg(target_arch = "wasm32")]
fn write_log(level: Level, message: &str) {
    crate::bindings::tidegate::plugin::host::log(level, message);
}

#[cfg(not(target_arch = "wasm32"))]
#[expect(clippy::print_stderr, reason = "outside of the gateway, in the author's unit tests, this is the log")]
fn write_log(level: Level, message: &str) {
    eprintln!("{level:?}: {message}");
}

impl Request {
    /// The same request with one more header. Credentials are the host's to add.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(crate::Header { name: name.to_ascii_lowercase(), value: value.to_owned() });
        self
    }

    /// A `GET` of an absolute `https` URL.
    pub fn get(url: impl Into<String>) -> Self {
        Self { method: "GET".to_owned(), url: url.into(), ..Self::default() }
    }

    /// A `POST` that reads (a search, a batch read), with a JSON body.
    ///
    /// # Errors
    /// When the body can't be written as JSON.
    pub fn post_json<T: Serialize>(url: impl Into<String>, body: &T) -> Result<Self, Error> {
        let body = serde_json::to_string(body)
            .map_err(|error| Error::new(format!("the request's body can't be written as JSON: {error}")))?;
        let headers = vec![crate::Header { name: "content-type".to_owned(), value: "application/json".to_owned() }];
        Ok(Self { method: "POST".to_owned(), url: url.into(), headers, body: Some(body) })
    }
}

impl Response {
    /// Reads the body of a 2xx answer as JSON.
    ///
    /// # Errors
    /// When the provider refused (which is worth another try for 429 and 5xx), or the body does not fit `T`: the reason names the field of the answer.
    pub fn json<'r, T: Deserialize<'r>>(&'r self) -> Result<T, Error> {
        if !self.is_success() {
            let refused = Error::new(format!("the provider answered {} to a request for more", self.status));
            return Err(if self.status == 429 || self.status >= 500 { refused.retryable() } else { refused });
        }
        json::parse(&self.body).map_err(|error| within("the provider's answer", error))
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header's value; the name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }
}

impl Item {
    /// The value of a header that must be there; the name in any case.
    ///
    /// # Errors
    /// When it is not, by its name.
    pub fn required_header(&self, name: &str) -> Result<&str, Error> {
        self.header(name).ok_or_else(|| Error::new(format!("expected the header {name}, found none")))
    }

    /// A header's value; the name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }
}

fn find_header<'h>(headers: &'h [crate::Header], name: &str) -> Option<&'h str> {
    let header = headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
    Some(&header.value)
}
