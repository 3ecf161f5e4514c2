//! What all parts of a double share, and how a good message is taken: recorded, its statuses planned.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Deserialize;
use serde_json::{Value, json};
use tidegate_clock::DomainClock;
use tokio::sync::watch;

use crate::{
    config::{Delays, DoubleConfig, Limits, Template, WindowRule},
    graph::request::{Person, Send},
    ids::{Ids, Way},
    leads::Shelf,
    limits::Buckets,
    people::People,
    record::{Record, SentMessage, StatusRecord, StatusWord, note},
    rules::Rules,
    schedule::{Job, Schedule, StatusJob},
    twilio::{Account, OptOuts},
    webhook::{Lanes, Line, Pricing, StatusUpdate, Update, What, Who},
};

/// The person wrote too long ago.
const WINDOW_CLOSED: i64 = 131047;

/// How statuses come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusManner {
    /// Each once, in order.
    #[default]
    Plain,
    /// Each twice.
    Twice,
    /// The last first, all when the last is due.
    Reversed,
}

/// Everything that changes.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) rules: Rules,
    pub(crate) manner: StatusManner,
    pub(crate) buckets: Buckets,
    pub(crate) record: Record,
    pub(crate) people: People,
    pub(crate) opt_outs: OptOuts,
    pub(crate) leads: Shelf,
}

/// What all parts share.
pub(crate) struct Shared {
    pub(crate) clock: DomainClock,
    pub(crate) ids: Ids,
    pub(crate) lines: HashMap<String, Arc<Line>>,
    pub(crate) accounts: Vec<Arc<Account>>,
    pub(crate) templates: Vec<Template>,
    pub(crate) limits: Limits,
    pub(crate) window: WindowRule,
    pub(crate) schedule: Schedule,
    pub(crate) lanes: Lanes,
    delays: Delays,
    state: Mutex<State>,
    /// Ticks whenever there is something new to see.
    news: watch::Sender<()>,
}

/// A message that was taken: what Graph answers.
pub(crate) struct Taken(pub(crate) Value);

impl Shared {
    pub(crate) fn new(config: DoubleConfig, lanes: Lanes) -> Self {
        let lines = config.numbers.into_iter().map(|number| {
            let id = number.phone_number_id.clone();
            (id, Arc::new(Line::new(number)))
        });
        Self {
            ids: Ids::new(config.seed),
            lines: lines.collect(),
            accounts: config.twilio.into_iter().map(|account| Arc::new(Account::new(account))).collect(),
            templates: config.templates,
            limits: config.limits,
            window: config.window,
            schedule: Schedule::default(),
            lanes,
            delays: config.delays,
            state: Mutex::default(),
            news: watch::Sender::new(()),
            clock: config.clock,
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) const fn delays(&self) -> Delays {
        self.delays
    }

    /// Tells everybody who waits that there is something new. Not to be called with the state locked.
    pub(crate) fn tell(&self) {
        self.news.send_replace(());
    }

    pub(crate) fn news(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    /// Takes a good message: records it, and plans its statuses. `failed` makes it fail by webhook.
    pub(crate) fn take(
        &self,
        state: &mut State,
        line: &Arc<Line>,
        send: &Send<'_>,
        failed: Option<i64>,
        now_ms: i64,
    ) -> Taken {
        let open = state.people.window_open(line, &send.to, now_ms);
        let shut = send.template.is_none() && !open;
        let failed = failed.or(shut.then_some(WINDOW_CLOSED));
        let id = self.ids.message(send.to.key(), Way::Outbound);
        let who = state.people.who(line, &send.to);
        let answer = answer(send, &who, &id);
        let message = Arc::new(sent_message(line, send, id, now_ms));
        note(&mut state.record.sent, (*message).clone());
        let job = |word, error, at_ms| StatusJob {
            line: line.clone(),
            message: message.clone(),
            who: who.clone(),
            word,
            error,
            at_ms,
            pricing: Pricing::of(send.category(), open, now_ms),
        };
        let plan = match failed {
            Some(code) => vec![job(StatusWord::Failed, Some(code), now_ms + self.delays.sent_ms)],
            None => {
                self.course(&send.message_type).map(|(word, delay_ms)| job(word, None, now_ms + delay_ms)).collect()
            }
        };
        self.plan(plan, state.manner);
        Taken(answer)
    }

    /// The statuses of a message that arrives. Of a reaction only `sent` is told.
    fn course(&self, message_type: &str) -> impl Iterator<Item = (StatusWord, i64)> {
        let delays = self.delays;
        let further = message_type != "reaction";
        let later = |word, delay: Option<i64>| delay.filter(|_| further).map(|ms| (word, ms));
        [
            Some((StatusWord::Sent, delays.sent_ms)),
            later(StatusWord::Delivered, delays.delivered_ms),
            later(StatusWord::Read, delays.read_ms),
        ]
        .into_iter()
        .flatten()
    }

    fn plan(&self, mut plan: Vec<StatusJob>, manner: StatusManner) {
        let last = plan.iter().map(|job| job.at_ms).max().unwrap_or_default();
        if manner == StatusManner::Reversed {
            plan.reverse();
        }
        let times = if manner == StatusManner::Twice { 2 } else { 1 };
        self.schedule.put(plan.into_iter().flat_map(|job| {
            let due_ms = match manner {
                StatusManner::Reversed => last,
                StatusManner::Plain | StatusManner::Twice => job.at_ms,
            };
            std::iter::repeat_n((due_ms, Job::Status(Box::new(job))), times)
        }));
    }

    /// Does what came due.
    pub(crate) fn run(&self, job: Job) {
        match job {
            Job::Status(job) => self.report(*job),
            Job::Sms(job) => self.report_sms(&job),
            Job::Again(parcel) => self.lanes.again(*parcel),
        }
    }

    fn report(&self, job: StatusJob) {
        let entry = StatusRecord {
            message_id: job.message.id.clone(),
            status: job.word,
            error_code: job.error,
            callback_data: job.message.callback_data.clone(),
            at_ms: job.at_ms,
        };
        note(&mut self.lock().record.statuses, entry);
        self.lanes.fresh(Update {
            line: job.line,
            who: job.who,
            what: What::Status(StatusUpdate {
                message: job.message,
                word: job.word,
                at_ms: job.at_ms,
                error: job.error,
                pricing: job.pricing,
            }),
        });
    }
}

/// What Graph answers for a message that it took.
fn answer(send: &Send<'_>, who: &Who, id: &str) -> Value {
    let mut contact = json!({ "input": send.input });
    // To a user id Meta answers no number, known or not.
    if let (Some(wa_id), Person::Phone(_)) = (&who.wa_id, &send.to) {
        contact["wa_id"] = json!(wa_id);
    }
    contact["user_id"] = json!(who.user_id);
    let mut message = json!({ "id": id });
    if send.template.is_some() {
        message["message_status"] = json!("accepted");
    }
    json!({ "messaging_product": "whatsapp", "contacts": [contact], "messages": [message] })
}

fn sent_message(line: &Line, send: &Send<'_>, id: String, now_ms: i64) -> SentMessage {
    SentMessage {
        id,
        phone_number_id: line.phone_number_id.clone(),
        to: send.to.key().to_owned(),
        message_type: send.message_type.clone(),
        template: send.template.map(|template| template.name.clone()),
        language: send.template.map(|template| template.language.clone()),
        parameters: send.parameters.clone(),
        text: send.text.clone(),
        category: send.category(),
        callback_data: send.callback_data.clone(),
        at_ms: now_ms,
    }
}
