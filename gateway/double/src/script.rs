//! What a test or a script may do to a double while it runs: people write, requests fail, and what happened is looked at.

use std::sync::Arc;

use reqwest::Url;

use crate::{
    graph::request::Person,
    ids::Way,
    record::{Delivery, LeadRead, Record, RefusedRequest, SentMessage, SentSms, SmsStatusRecord, StatusRecord},
    rules::{Failure, Rule},
    state::{Shared, StatusManner},
    webhook::{Button, Inbound, InboundKind, Line, Update, What},
};

/// Handle to a running double; clones act on the same one.
#[derive(Clone)]
pub struct Script {
    pub(crate) shared: Arc<Shared>,
}

/// A script asked for something that is not there. Trying again does not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// No number or account has this id.
    #[error("there is no number or account {0:?}")]
    Number(String),
    /// No page has this id.
    #[error("there is no page {0:?}: put it there first")]
    Page(String),
    /// Nobody can write from there.
    #[error("`from` is neither a phone number with its country code nor a business-scoped user id")]
    From,
    /// The address of a webhook cannot be read.
    #[error("the webhook's address cannot be read: write it as http://127.0.0.1:8080/in/whatsapp")]
    Url,
}

impl Script {
    /// A person writes a text: opens the customer service window, and goes out as a webhook at once. Gives the message's id.
    ///
    /// # Errors
    /// [`ScriptError::Number`], [`ScriptError::From`].
    pub fn inbound_text(
        &self,
        phone_number_id: &str,
        from: &str,
        name: &str,
        text: &str,
    ) -> Result<String, ScriptError> {
        self.inbound(phone_number_id, from, name, InboundKind::Text(text.to_owned()))
    }

    /// A person presses a button of a template, as [`Self::inbound_text`].
    ///
    /// # Errors
    /// [`ScriptError::Number`], [`ScriptError::From`].
    pub fn inbound_button(
        &self,
        phone_number_id: &str,
        from: &str,
        name: &str,
        button: Button,
    ) -> Result<String, ScriptError> {
        self.inbound(phone_number_id, from, name, InboundKind::Button(button))
    }

    /// Sets where a number's webhooks go from now on.
    ///
    /// # Errors
    /// [`ScriptError::Number`], [`ScriptError::Url`].
    pub fn set_webhook_url(&self, phone_number_id: &str, url: Option<&str>) -> Result<(), ScriptError> {
        let url = url.map(Url::parse).transpose().map_err(|_| ScriptError::Url)?;
        self.line(phone_number_id)?.set_webhook_url(url);
        Ok(())
    }

    /// A person texts one of Twilio's numbers: goes out as a callback at once. STOP and its kin are obeyed as Twilio obeys them. Gives the message's id.
    ///
    /// # Errors
    /// [`ScriptError::Number`], [`ScriptError::From`].
    pub fn inbound_sms(&self, to: &str, from: &str, text: &str) -> Result<String, ScriptError> {
        self.shared.inbound_sms(to, from, text)
    }

    /// Sets where the host of an account's callbacks really is from now on, as behind a proxy: `http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// [`ScriptError::Number`] for an account that is not there, [`ScriptError::Url`].
    pub fn set_twilio_door(&self, account_sid: &str, url: Option<&str>) -> Result<(), ScriptError> {
        let url = url.map(Url::parse).transpose().map_err(|_| ScriptError::Url)?;
        let account = self.shared.accounts.iter().find(|account| account.is(account_sid));
        account.ok_or_else(|| ScriptError::Number(account_sid.to_owned()))?.set_door(url);
        Ok(())
    }

    /// The next so many requests fail.
    pub fn fail_next(&self, times: u32, failure: Failure) {
        self.add_rule(Rule { failure, to: None, number: None, times: Some(times) });
    }

    /// Every request for this person fails, until the rules are cleared.
    ///
    /// # Errors
    /// [`ScriptError::From`] when it is no person.
    pub fn fail_for(&self, person: &str, failure: Failure) -> Result<(), ScriptError> {
        let person = Person::parse(person).ok_or(ScriptError::From)?;
        self.add_rule(Rule { failure, to: Some(person.key().to_owned()), number: None, times: None });
        Ok(())
    }

    /// Every request of this business number fails, until the rules are cleared.
    ///
    /// # Errors
    /// [`ScriptError::Number`].
    pub fn fail_number(&self, phone_number_id: &str, failure: Failure) -> Result<(), ScriptError> {
        let number = Some(self.line(phone_number_id)?.phone_number_id.clone());
        self.add_rule(Rule { failure, to: None, number, times: None });
        Ok(())
    }

    /// Adds a rule after the others.
    pub fn add_rule(&self, rule: Rule) {
        self.shared.lock().rules.add(rule);
    }

    /// Takes all rules away.
    pub fn clear_rules(&self) {
        self.shared.lock().rules.clear();
    }

    /// How the statuses of messages taken from now on come.
    pub fn set_status_manner(&self, manner: StatusManner) {
        self.shared.lock().manner = manner;
    }

    /// Messages that were taken, oldest first.
    pub fn sent(&self) -> Vec<SentMessage> {
        self.look(|record| record.sent.iter().cloned().collect())
    }

    /// SMS that were taken, oldest first.
    pub fn sms(&self) -> Vec<SentSms> {
        self.look(|record| record.sms.iter().cloned().collect())
    }

    /// Statuses of SMS that came due, oldest first.
    pub fn sms_statuses(&self) -> Vec<SmsStatusRecord> {
        self.look(|record| record.sms_statuses.iter().cloned().collect())
    }

    /// Leads that were shown, oldest first.
    pub fn leads_read(&self) -> Vec<LeadRead> {
        self.look(|record| record.leads_read.iter().cloned().collect())
    }

    /// Requests that were refused, oldest first.
    pub fn refused(&self) -> Vec<RefusedRequest> {
        self.look(|record| record.refused.iter().cloned().collect())
    }

    /// Statuses that came due, oldest first.
    pub fn statuses(&self) -> Vec<StatusRecord> {
        self.look(|record| record.statuses.iter().cloned().collect())
    }

    /// Attempts to deliver webhooks, oldest first.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.look(|record| record.deliveries.iter().cloned().collect())
    }

    /// Looks at the whole record, which stands still meanwhile.
    pub fn look<T>(&self, look: impl FnOnce(&Record) -> T) -> T {
        look(&self.shared.lock().record)
    }

    /// Waits until a look at the record gives something. It waits for ever: bound it with a timeout.
    pub async fn wait_for<T>(&self, mut look: impl FnMut(&Record) -> Option<T>) -> T {
        let mut news = self.shared.news();
        loop {
            news.mark_unchanged();
            if let Some(found) = self.look(&mut look) {
                return found;
            }
            // The sender lives in what this handle holds: it cannot be gone.
            let _ = news.changed().await;
        }
    }

    /// Waits until a message like this was taken.
    pub async fn wait_for_sent(&self, like: impl Fn(&SentMessage) -> bool) -> SentMessage {
        self.wait_for(|record| record.sent.iter().find(|sent| like(sent)).cloned()).await
    }

    /// Waits until everything that is due by now was done: statuses told, webhooks delivered or put off.
    pub async fn settle(&self) {
        let mut news = self.shared.news();
        loop {
            news.mark_unchanged();
            if self.is_settled() {
                return;
            }
            let _ = news.changed().await;
        }
    }

    /// A job goes from the schedule to a lane, and may come back: only if none went while the lanes were empty, all is done.
    fn is_settled(&self) -> bool {
        let now_ms = self.shared.clock.now_ms();
        let before = self.shared.schedule.settled(now_ms);
        before.is_some() && self.shared.lanes.is_settled() && self.shared.schedule.settled(now_ms) == before
    }

    fn inbound(&self, phone_number_id: &str, from: &str, name: &str, kind: InboundKind) -> Result<String, ScriptError> {
        let line = self.line(phone_number_id)?.clone();
        let person = Person::parse(from).ok_or(ScriptError::From)?;
        let at_ms = self.shared.clock.now_ms();
        let id = self.shared.ids.message(person.key(), Way::Inbound);
        let who = self.shared.lock().people.wrote(&line, &person, name, at_ms);
        self.shared.lanes.fresh(Update { line, who, what: What::Inbound(Inbound { id: id.clone(), at_ms, kind }) });
        Ok(id)
    }

    fn line(&self, phone_number_id: &str) -> Result<&Arc<Line>, ScriptError> {
        self.shared.lines.get(phone_number_id).ok_or_else(|| ScriptError::Number(phone_number_id.to_owned()))
    }
}
