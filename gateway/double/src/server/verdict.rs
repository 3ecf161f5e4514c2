//! What becomes of one request to send: scripted failures, the token, the shape, the window, the limits, in this order. No I/O.

use std::sync::Arc;

use axum::http::{
    HeaderMap,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    config::WindowRule,
    graph::{
        error::GraphError,
        is_version,
        request::{Ask, Send, read, recipient},
    },
    limits::Reached,
    record::{RefusedRequest, note},
    rules::{Failure, Stage},
    state::{Shared, State, Taken},
    webhook::Line,
};

/// One request.
pub(crate) struct Call {
    version: String,
    phone_number_id: String,
    token: Option<String>,
    is_json: bool,
    pub(crate) body: Bytes,
}

/// What to do with it.
pub(crate) enum Reply {
    Answer { status: u16, retry_after_s: Option<u64>, body: Value },
    Hang,
    Cut,
}

impl Call {
    pub(crate) fn new(version: String, phone_number_id: String, headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let token = text(AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        let kind = text(CONTENT_TYPE).unwrap_or_default();
        Self {
            version,
            phone_number_id,
            token: token.map(|token| token.trim().to_owned()),
            is_json: kind.split(';').next().map(str::trim) == Some("application/json"),
            body: Bytes::new(),
        }
    }
}

impl Shared {
    /// Whether a script wants the connection cut before the body is read.
    pub(crate) fn strike_at_head(&self, call: &Call) -> bool {
        let struck = self.lock().rules.take(Stage::Head, &call.phone_number_id, None).is_some();
        if struck {
            self.note_failure(call, None, "cut by a script before its body was read");
        }
        struck
    }

    /// Judges a request that was read.
    pub(crate) fn judge(&self, call: &Call) -> Reply {
        let json = if call.is_json {
            serde_json::from_slice::<Value>(&call.body).ok()
        } else {
            // Graph reads a form then, and finds no parameter in it.
            Some(json!({}))
        };
        let to = json.as_ref().and_then(recipient);
        let early = self.lock().rules.take(Stage::Body, &call.phone_number_id, to.as_deref());
        match early {
            Some(failure) => self.fail_early(call, failure),
            None => match self.decide(call, json.as_ref()) {
                Ok(reply) => reply,
                Err(error) => self.refuse(call, &error),
            },
        }
    }

    fn fail_early(&self, call: &Call, failure: Failure) -> Reply {
        match failure {
            Failure::Hang => {
                self.note_failure(call, None, "never answered, as a script wants");
                Reply::Hang
            }
            Failure::CloseBeforeReading => {
                self.note_failure(call, None, "cut, as a script wants");
                Reply::Cut
            }
            _ => {
                self.note_failure(call, Some(500), "answered 500, as a script wants");
                Reply::Answer { status: 500, retry_after_s: None, body: Value::Null }
            }
        }
    }

    fn decide(&self, call: &Call, json: Option<&Value>) -> Result<Reply, GraphError> {
        let line = self.authorize(call)?;
        let body = json.ok_or_else(|| GraphError::parameter("Invalid parameter: the body cannot be read as JSON"))?;
        match read(body, &line.display_phone_number, &self.templates)? {
            Ask::Send(send) => self.offer(call, line, &send),
            Ask::MarkRead { message_id } if message_id.starts_with("wamid.") => Ok(success(json!({ "success": true }))),
            Ask::MarkRead { .. } => Err(GraphError::with(131009, "message_id is not a message's")),
        }
    }

    fn authorize(&self, call: &Call) -> Result<&Arc<Line>, GraphError> {
        if !is_version(&call.version) {
            let path = format!("/{}/{}/messages", call.version, call.phone_number_id);
            return Err(GraphError::path(&path));
        }
        let token = call.token.as_deref().ok_or_else(GraphError::token)?;
        if !self.lines.values().any(|line| line.accepts(token)) {
            return Err(GraphError::token());
        }
        self.lines
            .get(&call.phone_number_id)
            .filter(|line| line.accepts(token))
            .ok_or_else(|| GraphError::object(&call.phone_number_id))
    }

    /// A message without fault: limits and window, then what a script wants, then it is taken.
    fn offer(&self, call: &Call, line: &Arc<Line>, send: &Send<'_>) -> Result<Reply, GraphError> {
        let now_ms = self.clock.now_ms();
        let mut state = self.lock();
        self.check_limits(&mut state, line, send, now_ms)?;
        let struck = state.rules.take(Stage::Good, &call.phone_number_id, Some(send.to.key()));
        let failed = match struck {
            Some(Failure::Code { code }) => return Err(GraphError::of(code)),
            Some(Failure::RateLimited { retry_after_s }) => return Err(limited(retry_after_s)),
            Some(Failure::FailedStatus { code }) => Some(code),
            _ => None,
        };
        let Taken(answer) = self.take(&mut state, line, send, failed, now_ms);
        drop(state);
        self.tell();
        if struck == Some(Failure::DropAnswerAfterAccepting) {
            self.note_failure(call, None, "taken, and its answer dropped, as a script wants");
            return Ok(Reply::Cut);
        }
        Ok(success(answer))
    }

    fn check_limits(&self, state: &mut State, line: &Line, send: &Send<'_>, now_ms: i64) -> Result<(), GraphError> {
        let shut = send.template.is_none() && !state.people.window_open(line, &send.to, now_ms);
        if shut && self.window == WindowRule::Answer {
            return Err(GraphError::of(131047));
        }
        let taken = state.buckets.take(self.limits, &line.phone_number_id, send.to.key(), now_ms);
        taken.map_err(|reached| {
            GraphError::of(match reached {
                Reached::Pair => 131056,
                Reached::Throughput => 130429,
            })
        })
    }

    fn refuse(&self, call: &Call, error: &GraphError) -> Reply {
        self.note_refused(RefusedRequest {
            phone_number_id: call.phone_number_id.clone(),
            http_status: Some(error.status),
            code: Some(error.code),
            reason: error.reason(),
            at_ms: self.clock.now_ms(),
        });
        Reply::Answer { status: error.status, retry_after_s: error.retry_after_s, body: error.body(&self.ids.trace()) }
    }

    fn note_failure(&self, call: &Call, http_status: Option<u16>, reason: &str) {
        self.note_refused(RefusedRequest {
            phone_number_id: call.phone_number_id.clone(),
            http_status,
            code: None,
            reason: reason.to_owned(),
            at_ms: self.clock.now_ms(),
        });
    }

    fn note_refused(&self, entry: RefusedRequest) {
        note(&mut self.lock().record.refused, entry);
        self.tell();
    }
}

fn success(body: Value) -> Reply {
    Reply::Answer { status: 200, retry_after_s: None, body }
}

/// Throughput was reached, with HTTP 429 and a wait: some sources report it so, Meta's own table says 400.
fn limited(retry_after_s: u64) -> GraphError {
    GraphError { status: 429, retry_after_s: Some(retry_after_s), ..GraphError::of(130429) }
}
