//! A good message is taken: recorded, its statuses planned. And what people text back, with Twilio's own list of those who opted out.

use std::{collections::HashSet, sync::Arc};

use super::{
    account::{Account, is_e164},
    callback::Callback,
    request::Send,
};
use crate::{
    record::{SentSms, SmsStatusRecord, note},
    schedule::Job,
    script::ScriptError,
    state::{Shared, State, StatusManner},
};

/// Words that Twilio takes for an opt-out, and those that take it back. A whole message, in any case.
const STOP: &[&str] = &["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"];
const START: &[&str] = &["START", "YES", "UNSTOP"];

/// Who opted out of whom: of a number, or of a whole service.
#[derive(Debug, Default)]
pub(crate) struct OptOuts(HashSet<(String, String)>);

impl OptOuts {
    pub(super) fn holds(&self, sender: &str, person: &str) -> bool {
        self.0.contains(&(sender.to_owned(), person.to_owned()))
    }

    /// What a text means, as `OptOutType` says it.
    fn read(&mut self, sender: &str, person: &str, text: &str) -> Option<&'static str> {
        let word = text.trim().to_ascii_uppercase();
        let key = (sender.to_owned(), person.to_owned());
        if STOP.contains(&word.as_str()) {
            self.0.insert(key);
            Some("STOP")
        } else if START.contains(&word.as_str()) {
            self.0.remove(&key);
            Some("START")
        } else {
            matches!(word.as_str(), "HELP" | "INFO").then_some("HELP")
        }
    }
}

/// A status to tell.
#[derive(Clone)]
pub(crate) struct StatusJob {
    account: Arc<Account>,
    send: Arc<Send>,
    sid: String,
    word: &'static str,
    error: Option<i64>,
    at_ms: i64,
}

impl Shared {
    /// Takes a good message, and plans its statuses. `failed` makes it arrive nowhere.
    pub(super) fn take_sms(
        &self,
        state: &mut State,
        account: &Arc<Account>,
        send: &Send,
        failed: Option<i64>,
        now_ms: i64,
    ) -> String {
        let sid = self.ids.sms();
        note(
            &mut state.record.sms,
            SentSms {
                sid: sid.clone(),
                account_sid: account.settings.account_sid.clone(),
                from: send.from.clone(),
                messaging_service: send.service.clone(),
                to: send.to.clone(),
                body: send.body.clone(),
                status_callback: send.callback.as_ref().map(ToString::to_string),
                at_ms: now_ms,
            },
        );
        let delays = self.delays();
        let end = match failed {
            Some(code) => Some(("undelivered", Some(code), delays.delivered_ms.unwrap_or(delays.sent_ms))),
            None => delays.delivered_ms.map(|ms| ("delivered", None, ms)),
        };
        let first = send.service.is_some().then_some(("accepted", None, 0));
        let course = [first, Some(("queued", None, 0)), Some(("sent", None, delays.sent_ms)), end];
        let send = Arc::new(send.clone());
        let mut plan: Vec<StatusJob> = course
            .into_iter()
            .flatten()
            .map(|(word, error, after_ms)| StatusJob {
                account: account.clone(),
                send: send.clone(),
                sid: sid.clone(),
                word,
                error,
                at_ms: now_ms + after_ms,
            })
            .collect();
        let last = plan.iter().map(|job| job.at_ms).max().unwrap_or_default();
        if state.manner == StatusManner::Reversed {
            plan.reverse();
            plan.iter_mut().for_each(|job| job.at_ms = last);
        }
        let times = if state.manner == StatusManner::Twice { 2 } else { 1 };
        let jobs = plan.into_iter().flat_map(|job| std::iter::repeat_n((job.at_ms, Job::Sms(Box::new(job))), times));
        self.schedule.put(jobs);
        sid
    }

    /// Tells a status that came due.
    pub(crate) fn report_sms(&self, job: &StatusJob) {
        let entry = SmsStatusRecord { sid: job.sid.clone(), status: job.word, error_code: job.error, at_ms: job.at_ms };
        note(&mut self.lock().record.sms_statuses, entry);
        let Some(url) = &job.send.callback else { return };
        let mut form = vec![
            ("AccountSid", job.account.settings.account_sid.clone()),
            ("ApiVersion", "2010-04-01".to_owned()),
            ("From", job.send.from.clone()),
            ("MessageSid", job.sid.clone()),
            ("MessageStatus", job.word.to_owned()),
            ("SmsSid", job.sid.clone()),
            ("SmsStatus", job.word.to_owned()),
            ("To", job.send.to.clone()),
        ];
        form.extend(job.send.service.clone().map(|sid| ("MessagingServiceSid", sid)));
        form.extend(job.error.map(|code| ("ErrorCode", code.to_string())));
        if matches!(job.word, "delivered" | "undelivered") {
            form.push(("RawDlrDoneDate", "2603011000".to_owned()));
        }
        self.lanes.form(Callback::new(&job.account, url, form, job.sid.clone(), &job.send.to));
    }

    /// A person texts a number of ours. Gives the message's id.
    pub(crate) fn inbound_sms(&self, to: &str, from: &str, text: &str) -> Result<String, ScriptError> {
        let account = self.accounts.iter().find(|account| account.has_number(to));
        let account = account.ok_or_else(|| ScriptError::Number(to.to_owned()))?;
        if !is_e164(from) {
            return Err(ScriptError::From);
        }
        let sid = self.ids.sms();
        let service = account.service_of(to);
        let sender = service.map_or(to, |service| service.sid.as_str());
        let opt_out = self.lock().opt_outs.read(sender, from, text);
        let Some(url) = account.settings.inbound_url.as_deref().and_then(|url| url.parse().ok()) else {
            return Ok(sid);
        };
        let mut form = vec![
            ("AccountSid", account.settings.account_sid.clone()),
            ("ApiVersion", "2010-04-01".to_owned()),
            ("Body", text.to_owned()),
            ("From", from.to_owned()),
            ("MessageSid", sid.clone()),
            ("NumMedia", "0".to_owned()),
            ("NumSegments", "1".to_owned()),
            ("SmsMessageSid", sid.clone()),
            ("SmsSid", sid.clone()),
            ("SmsStatus", "received".to_owned()),
            ("To", to.to_owned()),
        ];
        if let Some(service) = service {
            form.push(("MessagingServiceSid", service.sid.clone()));
            form.extend(opt_out.filter(|_| service.advanced_opt_out).map(|word| ("OptOutType", word.to_owned())));
        }
        self.lanes.form(Callback::new(account, &url, form, sid.clone(), from));
        Ok(sid)
    }
}
