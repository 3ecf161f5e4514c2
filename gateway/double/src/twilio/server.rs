//! `POST /2010-04-01/Accounts/{AccountSid}/Messages.json`: reads the request, asks for a verdict, and answers, hangs or cuts the line.

use std::sync::Arc;

use axum::{
    body::to_bytes,
    extract::{Path, Request, State},
    http::header::{AUTHORIZATION, CONTENT_TYPE},
    response::Response,
};
use serde_json::{Value, json};

use super::{
    account::Account,
    error::TwilioError,
    request::{Send, fields, parties, read},
};
use crate::{
    record::{RefusedRequest, note},
    rules::{Failure, Stage},
    server::{MAX_BODY_BYTES, answer, cut},
    state::Shared,
};

/// What to do with a request.
enum Verdict {
    Answer(u16, Option<u64>, Value),
    Hang,
    Cut,
}

pub(crate) async fn messages(
    State(shared): State<Arc<Shared>>,
    Path(account_sid): Path<String>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (authorization, kind) = (text(AUTHORIZATION), text(CONTENT_TYPE));
    if shared.lock().rules.take(Stage::Head, &account_sid, None).is_some() {
        shared.note_sms_refusal(&account_sid, None, None, "cut by a script before its body was read");
        return cut();
    }
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else {
        return answer(413, None, &Value::Null);
    };
    let is_form = kind.split(';').next().map(str::trim) == Some("application/x-www-form-urlencoded");
    let form = if is_form { fields(&body) } else { Vec::new() };
    match shared.judge_sms(&account_sid, authorization, &form) {
        Verdict::Answer(status, retry_after_s, body) => answer(status, retry_after_s, &body),
        Verdict::Hang => std::future::pending().await,
        Verdict::Cut => cut(),
    }
}

impl Shared {
    fn judge_sms(&self, account_sid: &str, authorization: &str, form: &[(String, String)]) -> Verdict {
        let (to, by) = parties(form);
        let early = self.lock().rules.take(Stage::Body, by.unwrap_or(account_sid), to.as_deref());
        let note = |status, code, reason: &str| self.note_sms_refusal(account_sid, status, code, reason);
        match early {
            Some(Failure::Hang) => {
                note(None, None, "never answered, as a script wants");
                return Verdict::Hang;
            }
            Some(Failure::CloseBeforeReading) => {
                note(None, None, "cut, as a script wants");
                return Verdict::Cut;
            }
            Some(_) => {
                note(Some(500), None, "answered 500, as a script wants");
                return Verdict::Answer(500, None, Value::Null);
            }
            None => {}
        }
        match self.decide_sms(account_sid, authorization, form) {
            Ok(verdict) => verdict,
            Err(error) => {
                note(Some(error.status), Some(error.code), &error.message);
                Verdict::Answer(error.status, error.retry_after_s, error.body())
            }
        }
    }

    fn decide_sms(
        &self,
        account_sid: &str,
        authorization: &str,
        form: &[(String, String)],
    ) -> Result<Verdict, TwilioError> {
        let account = self.accounts.iter().find(|account| account.is(account_sid));
        let account = account.ok_or_else(|| TwilioError::of(20404))?;
        if !account.accepts(authorization) {
            return Err(TwilioError::of(20003));
        }
        let send = read(account, form)?;
        let now_ms = self.clock.now_ms();
        let mut state = self.lock();
        if state.opt_outs.holds(send.sender(), &send.to) {
            return Err(TwilioError::of(21610));
        }
        let struck = state.rules.take(Stage::Good, send.sender(), Some(send.to.trim_start_matches('+')));
        let failed = match struck {
            Some(Failure::Code { code }) => return Err(TwilioError::of(code)),
            Some(Failure::RateLimited { retry_after_s }) => {
                return Err(TwilioError { retry_after_s: Some(retry_after_s), ..TwilioError::of(20429) });
            }
            Some(Failure::FailedStatus { code }) => Some(code),
            _ => None,
        };
        let sid = self.take_sms(&mut state, account, &send, failed, now_ms);
        drop(state);
        self.tell();
        if struck == Some(Failure::DropAnswerAfterAccepting) {
            self.note_sms_refusal(account_sid, None, None, "taken, and its answer dropped, as a script wants");
            return Ok(Verdict::Cut);
        }
        Ok(Verdict::Answer(201, None, resource(account, &send, &sid)))
    }

    fn note_sms_refusal(&self, account_sid: &str, http_status: Option<u16>, code: Option<i64>, reason: &str) {
        let entry = RefusedRequest {
            phone_number_id: account_sid.to_owned(),
            http_status,
            code,
            reason: reason.to_owned(),
            at_ms: self.clock.now_ms(),
        };
        note(&mut self.lock().record.refused, entry);
        self.tell();
    }
}

/// The message as Twilio answers it. A service has not chosen its number yet.
fn resource(account: &Account, send: &Send, sid: &str) -> Value {
    let account_sid = &account.settings.account_sid;
    let waits = send.service.is_some();
    json!({
        "account_sid": account_sid,
        "api_version": "2010-04-01",
        "body": send.body,
        "date_sent": null,
        "direction": "outbound-api",
        "error_code": null,
        "error_message": null,
        "from": (send.named).then_some(&send.from),
        "messaging_service_sid": send.service,
        "num_media": "0",
        "num_segments": if waits { "0" } else { "1" },
        "price": null,
        "price_unit": null,
        "sid": sid,
        "status": if waits { "accepted" } else { "queued" },
        "to": send.to,
        "uri": format!("/2010-04-01/Accounts/{account_sid}/Messages/{sid}.json"),
    })
}
