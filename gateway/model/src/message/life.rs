//! How a message is made, and how it moves: what is reported about it, and how it goes back to the queue.

use super::{Category, ChannelKind, Content, Direction, Message, State, Step};
use crate::{ContactId, EventId, MessageId, RunId, Timestamp, contact::WhatsappAddress};

/// What a message begins as.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Id.
    pub id: MessageId,
    /// Channel.
    pub channel: ChannelKind,
    /// Our sender's name in the configuration.
    pub sender: String,
    /// The other side.
    pub contact: ContactId,
    /// Where it goes, or came from.
    pub address: Option<WhatsappAddress>,
    /// Its category.
    pub category: Category,
    /// What it says.
    pub content: Content,
    /// The event it goes back to.
    pub event: Option<EventId>,
    /// The run that sends it, and the flow's step.
    pub step: Option<(RunId, String)>,
    /// When it was made.
    pub at: Timestamp,
}

/// What a provider's report did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reported {
    /// It came before.
    Repeated,
    /// It is kept in the history, and moved nothing.
    Noted,
    /// The message stands elsewhere now.
    Moved,
}

impl Message {
    /// A message to a person that waits for the send gate, and is no longer worth sending after `life_ms`.
    pub fn queued(draft: Draft, life_ms: i64) -> Self {
        let expires_at = draft.at.plus_ms(life_ms);
        Self { expires_at, ..Self::new(draft, Direction::Outbound, State::Queued) }
    }

    /// A message that has happened: it stands where it will.
    pub fn new(draft: Draft, direction: Direction, state: State) -> Self {
        let (run, step) = draft.step.unzip();
        Self {
            id: draft.id,
            direction,
            channel: draft.channel,
            sender: draft.sender,
            contact: draft.contact,
            address: draft.address,
            category: draft.category,
            content: draft.content,
            state,
            history: vec![Step { state, at: draft.at, note: None }],
            gate: Vec::new(),
            attempts: 0,
            retries: 0,
            resends: 0,
            not_before: None,
            probe: false,
            provider_id: None,
            earlier: Vec::new(),
            errors: Vec::new(),
            pricing: None,
            event: draft.event,
            run,
            step,
            created_at: draft.at,
            expires_at: draft.at,
        }
    }

    /// Notes a reported state. The ladder only climbs; a report that does not move it is kept in the history unless it repeats one. Returns whether the row must be written.
    pub fn report(&mut self, step: Step) -> bool {
        if self.has(&step) {
            return false;
        }
        if step.state.rank() > self.state.rank() {
            self.state = step.state;
        }
        self.history.push(step);
        true
    }

    /// Puts it back into the queue for another attempt: after a definite refusal, or by the policy for unknown outcomes.
    pub fn requeue(&mut self, at: Timestamp, note: String) {
        self.state = State::Queued;
        self.earlier.extend(self.provider_id.take());
        self.history.push(Step { state: State::Queued, at, note: Some(note) });
    }

    /// Notes what the provider reports about the attempt that it knows by this id. Reports may come in any order, twice, and contradict each other: the highest
    /// counts. Of an attempt that is over only the good counts: that it reached the person after all.
    pub fn report_of_provider(&mut self, provider_id: &str, mut step: Step) -> Reported {
        if self.has_of_provider(&step) {
            return Reported::Repeated;
        }
        let earlier = self.is_earlier(provider_id, step.state);
        let good = matches!(step.state, State::Delivered | State::Read);
        if earlier {
            let words = step.note.map_or_else(String::new, |note| format!("; {note}"));
            step.note = Some(format!("of an earlier attempt{words}"));
            if self.has(&step) {
                return Reported::Repeated;
            }
        }
        let moves = step.state.rank() > self.state.rank() || self.was_given_up_unknown();
        if !earlier && self.provider_id.is_none() {
            self.provider_id = Some(provider_id.to_owned());
        }
        let moved = moves && (good || !earlier);
        if moved {
            self.state = step.state;
        }
        self.history.push(step);
        if moved { Reported::Moved } else { Reported::Noted }
    }

    /// Whether a report is about an attempt that is over. Where that cannot be told, only bad news is held to be old.
    fn is_earlier(&self, provider_id: &str, state: State) -> bool {
        match &self.provider_id {
            _ if self.earlier.iter().any(|held| held == provider_id) => true,
            Some(own) => own != provider_id && self.attempts > 1,
            None => self.resends > 0 && state == State::Failed,
        }
    }

    /// Failed without a word of the provider's: whatever it says now is more.
    fn was_given_up_unknown(&self) -> bool {
        self.state == State::Failed && self.attempts > 0 && self.provider_id.is_none() && self.errors.is_empty()
    }

    /// As [`Self::has`]; what was added to the provider's words makes no difference.
    fn has_of_provider(&self, step: &Step) -> bool {
        let same_words = |held: &Step| match (&held.note, &step.note) {
            (Some(held), Some(told)) => held.starts_with(told.as_str()),
            (held, told) => held == told,
        };
        self.history.iter().any(|held| held.state == step.state && held.at == step.at && same_words(held))
    }

    fn has(&self, step: &Step) -> bool {
        self.history.iter().any(|held| held == step)
    }
}
