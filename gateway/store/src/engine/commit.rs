//! The answer to a commit: a future, and something a plain thread can wait for.

use super::CommitError;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
    thread::Thread,
};

/// What a batch that succeeded is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The number of the commit: the version of every row it wrote.
    pub version: u64,
}

type Outcome = Result<Committed, CommitError>;

/// A commit under way. It goes on when this is dropped.
#[must_use = "a batch is durable only when its commit has resolved"]
pub struct Commit(Arc<Slot>);

impl Commit {
    /// Waits on a plain thread. (In async code: `.await`.)
    ///
    /// # Errors
    /// Why the batch was not committed.
    pub fn wait(mut self) -> Outcome {
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            match Pin::new(&mut self).poll(&mut context) {
                Poll::Ready(outcome) => return outcome,
                Poll::Pending => std::thread::park(),
            }
        }
    }

    /// A commit that failed before it was queued.
    pub fn refused(error: CommitError) -> Self {
        Self(Arc::new(Slot(Mutex::new(State::Done(Err(error))))))
    }

    /// A commit and the other end of it.
    pub(crate) fn pending() -> (Self, Resolver) {
        let slot = Arc::new(Slot(Mutex::new(State::Waiting(None))));
        (Self(Arc::clone(&slot)), Resolver(Some(slot)))
    }
}

impl Future for Commit {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let mut state = self.0.lock();
        match &mut *state {
            State::Done(outcome) => Poll::Ready(outcome.clone()),
            State::Waiting(Some(waker)) if waker.will_wake(context.waker()) => Poll::Pending,
            State::Waiting(waker) => {
                *waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl fmt::Debug for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self.0.lock() {
            State::Waiting(_) => "Commit(under way)",
            State::Done(_) => "Commit(done)",
        })
    }
}

/// The engine's end of a commit. Dropped without an answer it says that the store has stopped.
#[derive(Debug)]
pub(crate) struct Resolver(Option<Arc<Slot>>);

impl Resolver {
    /// Answers, and wakes who waits.
    pub(crate) fn resolve(mut self, outcome: Outcome) {
        if let Some(slot) = self.0.take() {
            slot.finish(outcome);
        }
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        if let Some(slot) = self.0.take() {
            slot.finish(Err(CommitError::Failed { reason: "its writer ended".to_owned() }));
        }
    }
}

#[derive(Debug)]
struct Slot(Mutex<State>);

#[derive(Debug)]
enum State {
    Waiting(Option<Waker>),
    Done(Outcome),
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn finish(&self, outcome: Outcome) {
        let before = std::mem::replace(&mut *self.lock(), State::Done(outcome));
        if let State::Waiting(Some(waker)) = before {
            waker.wake();
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_thread_is_woken_with_the_answer() {
        let (commit, resolver) = Commit::pending();
        let waiting = std::thread::spawn(move || commit.wait());
        resolver.resolve(Ok(Committed { version: 7 }));
        assert_eq!(waiting.join().unwrap(), Ok(Committed { version: 7 }));
    }

    #[tokio::test]
    async fn a_task_is_woken_with_the_answer() {
        let (commit, resolver) = Commit::pending();
        let (outcome, ()) = tokio::join!(commit, async {
            tokio::task::yield_now().await;
            resolver.resolve(Ok(Committed { version: 7 }));
        });
        assert_eq!(outcome, Ok(Committed { version: 7 }));
    }

    #[test]
    fn a_forgotten_commit_says_that_the_outcome_is_unknown() {
        let (commit, resolver) = Commit::pending();
        drop(resolver);
        assert!(matches!(commit.wait(), Err(CommitError::Failed { .. })));
    }
}
