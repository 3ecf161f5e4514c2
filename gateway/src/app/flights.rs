//! What is on its way: requests that are answered and messages at providers. At a stop it says what was finished, what was cut, and what waits for the next start.

use super::App;
use std::{
    collections::BTreeSet,
    fmt::Write,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tidegate_model::MessageId;

/// Ids of cut messages that are named; of further ones the number is told.
const NAMED: usize = 20;

/// Everything that is on its way.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    messages: Mutex<BTreeSet<MessageId>>,
    cut: Mutex<BTreeSet<MessageId>>,
    requests: AtomicU64,
    landed_messages: AtomicU64,
    landed_requests: AtomicU64,
}

/// Requests and messages that were finished since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Landed {
    requests: u64,
    messages: u64,
}

impl Flights {
    /// A message that sets out. It counts as cut when it is dropped without [`Flight::landed`].
    pub(crate) fn message(self: &Arc<Self>, id: MessageId) -> Flight {
        lock(&self.messages).insert(id);
        Flight { flights: Arc::clone(self), id, landed: false }
    }

    /// A request that is being answered, until this is dropped.
    pub(crate) fn request(self: &Arc<Self>) -> Request {
        self.requests.fetch_add(1, Ordering::Relaxed);
        Request(Arc::clone(self))
    }

    /// What was finished so far.
    pub(crate) fn landed(&self) -> Landed {
        Landed {
            requests: self.landed_requests.load(Ordering::Relaxed),
            messages: self.landed_messages.load(Ordering::Relaxed),
        }
    }
}

fn lock<T>(held: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A message on its way.
#[derive(Debug)]
pub(crate) struct Flight {
    flights: Arc<Flights>,
    id: MessageId,
    landed: bool,
}

impl Flight {
    /// Its outcome is written, or it never set out.
    pub(crate) fn landed(mut self) {
        self.landed = true;
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        lock(&self.flights.messages).remove(&self.id);
        if self.landed {
            self.flights.landed_messages.fetch_add(1, Ordering::Relaxed);
        } else {
            lock(&self.flights.cut).insert(self.id);
        }
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(crate) struct Request(Arc<Flights>);

impl Drop for Request {
    fn drop(&mut self) {
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
        self.0.landed_requests.fetch_add(1, Ordering::Relaxed);
    }
}

/// How a stop went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stopped {
    finished: Landed,
    cut_requests: u64,
    cut_messages: Vec<MessageId>,
    to_interpret: u64,
    to_send: u64,
    timers: u64,
}

impl Stopped {
    /// As it is now; `before` was finished before the stop began.
    pub(crate) fn of(app: &App, before: Landed) -> Self {
        let flights = app.flights();
        let now = flights.landed();
        let stats = app.store().stats();
        let on_their_way = lock(&flights.messages).clone();
        let cut = lock(&flights.cut).union(&on_their_way).copied().collect();
        Self {
            finished: Landed { requests: now.requests - before.requests, messages: now.messages - before.messages },
            cut_requests: flights.requests.load(Ordering::Relaxed),
            cut_messages: cut,
            to_interpret: stats.ready[0],
            to_send: stats.ready[1],
            timers: stats.timers,
        }
    }

    /// Whether everything that had begun was finished.
    pub(crate) fn is_clean(&self) -> bool {
        self.cut_requests == 0 && self.cut_messages.is_empty()
    }

    /// Writes it to the log: in words, and as fields.
    pub(crate) fn log(&self, how: &str) {
        let (finished, cut) = (self.finished, self.cut_messages.len());
        let ids = self.ids();
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    finished.requests = finished.requests,
                    finished.messages = finished.messages,
                    cut.requests = self.cut_requests,
                    cut.messages = cut,
                    cut.ids = ids,
                    left.interpret = self.to_interpret,
                    left.send = self.to_send,
                    left.timers = self.timers,
                    "{how}: {}",
                    self.words()
                )
            };
        }
        if self.is_clean() { line!(info) } else { line!(warn) }
    }

    fn ids(&self) -> String {
        let named = self.cut_messages.iter().take(NAMED).map(ToString::to_string);
        named.collect::<Vec<_>>().join(" ")
    }

    fn words(&self) -> String {
        let mut text = String::new();
        let finished = [(self.finished.requests, "request"), (self.finished.messages, "message")];
        let finished: Vec<String> =
            finished.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| count(n, what)).collect();
        if !finished.is_empty() {
            text = format!("{} finished during the stop; ", finished.join(" and "));
        }
        // Writing to a text can't fail.
        if self.cut_requests > 0 {
            let _ = write!(text, "{} cut, their callers come again; ", count(self.cut_requests, "request"));
        }
        if !self.cut_messages.is_empty() {
            let n = self.cut_messages.len() as u64;
            let more = if self.cut_messages.len() > NAMED { " …" } else { "" };
            let _ = write!(
                text,
                "{} cut on the way ({}{more}): unknown until a status comes; ",
                count(n, "message"),
                self.ids()
            );
        }
        if self.is_clean() {
            text.push_str("nothing was cut; ");
        }
        let (interpret, send) = (count(self.to_interpret, "row"), count(self.to_send, "message"));
        let _ = write!(
            text,
            "{interpret} to interpret, {send} to send and {} wait for the next start",
            count(self.timers, "timer")
        );
        text
    }
}

fn count(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_told_in_words() {
        let mut stopped = Stopped {
            finished: Landed { requests: 0, messages: 0 },
            cut_requests: 0,
            cut_messages: Vec::new(),
            to_interpret: 3,
            to_send: 1,
            timers: 0,
        };
        assert_eq!(
            stopped.words(),
            "nothing was cut; 3 rows to interpret, 1 message to send and 0 timers wait for the next start"
        );
        let id = MessageId::from_raw([1; 16]);
        stopped.finished = Landed { requests: 2, messages: 1 };
        stopped.cut_requests = 1;
        stopped.cut_messages = vec![id];
        let expected = format!(
            "2 requests and 1 message finished during the stop; 1 request cut, their callers come again; 1 message cut on the way ({id}): unknown until a status comes; 3 rows"
        );
        assert!(stopped.words().starts_with(&expected), "{}", stopped.words());
    }

    #[test]
    fn a_message_that_is_dropped_on_its_way_is_cut() {
        let flights: Arc<Flights> = Arc::default();
        flights.message(MessageId::from_raw([1; 16])).landed();
        drop(flights.message(MessageId::from_raw([2; 16])));
        drop(flights.request());
        assert_eq!(flights.landed(), Landed { requests: 1, messages: 1 });
        assert_eq!(lock(&flights.cut).iter().collect::<Vec<_>>(), [&MessageId::from_raw([2; 16])]);
        assert!(lock(&flights.messages).is_empty());
    }
}
