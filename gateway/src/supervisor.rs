//! The tasks and threads of a running gateway: each is named, told to stop together, and waited for.
//!
//! | name | what | when it ends early |
//! |---|---|---|
//! | `listener` | webhooks and health; ends last, and answers 503 meanwhile | the gateway stops |
//! | `control` | the control socket; ends last | the gateway stops |
//! | `metrics` | figures, where they have a listener of their own; ends last | the gateway stops |
//! | `watchdog` | tells the service manager that the store works | the gateway stops |
//! | `clock` | the clock socket, with a stepped clock | the gateway stops |
//! | `waker` | moves due timers to their queues | the gateway stops |
//! | `plugins` | looks for plugins in the watched folder | the gateway stops |
//! | `retention` | removes what is old | the gateway stops |
//! | `pure-N` | threads that interpret and advance | the gateway stops |
//! | `sender` | thread that passes messages through the gate, and starts reads | the gateway stops |
//! | `send` | one message on its way | the message is `unknown` |
//! | `fetch` | reads from a provider for one item | it is read again |

use futures_util::FutureExt;
use std::{
    future::Future,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{runtime::Handle, sync::watch, task::JoinSet, time::Instant};

/// Time for what has nothing left to do but to end.
const LAST_MOMENT: Duration = Duration::from_millis(500);

/// Starts work, and ends it.
#[derive(Clone)]
pub(crate) struct Supervisor {
    inner: Arc<Inner>,
}

struct Inner {
    runtime: Handle,
    stop: watch::Sender<Stop>,
    close: watch::Sender<bool>,
    tasks: Mutex<JoinSet<()>>,
    /// What answers callers until everything else has ended.
    faces: Mutex<JoinSet<()>>,
    threads: Mutex<Vec<(String, std::thread::JoinHandle<()>)>>,
}

/// Whether the gateway goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stop {
    No,
    Asked,
    /// Something that must not end has ended: what, and why.
    Failed(String),
}

/// Seen by everything that runs: whether to stop.
#[derive(Clone)]
pub(crate) struct Shutdown(watch::Receiver<Stop>);

impl Shutdown {
    /// Whether to stop now.
    pub(crate) fn is_asked(&self) -> bool {
        *self.0.borrow() != Stop::No
    }

    /// Waits until it is time to stop.
    pub(crate) async fn asked(&mut self) {
        // The sender lives as long as the supervisor; without one it is time to stop as well.
        let _ = self.0.wait_for(|stop| *stop != Stop::No).await;
    }

    /// Why the gateway stops by itself; `None` when it was asked to.
    pub(crate) fn failure(&self) -> Option<String> {
        match &*self.0.borrow() {
            Stop::Failed(reason) => Some(reason.clone()),
            Stop::No | Stop::Asked => None,
        }
    }
}

/// Seen by what answers callers: whether everything else has ended.
#[derive(Clone)]
pub(crate) struct Closing(watch::Receiver<bool>);

impl Closing {
    /// Waits until it is time to end.
    pub(crate) async fn asked(&mut self) {
        // The sender lives as long as the supervisor; without one it is time to end as well.
        let _ = self.0.wait_for(|close| *close).await;
    }
}

impl Supervisor {
    /// Tasks run on this runtime.
    pub(crate) fn new(runtime: Handle) -> Self {
        let (stop, _) = watch::channel(Stop::No);
        let (close, _) = watch::channel(false);
        let (tasks, faces, threads) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { inner: Arc::new(Inner { runtime, stop, close, tasks, faces, threads }) }
    }

    /// What everything that runs looks at.
    pub(crate) fn shutdown(&self) -> Shutdown {
        Shutdown(self.inner.stop.subscribe())
    }

    /// The runtime.
    pub(crate) fn runtime(&self) -> &Handle {
        &self.inner.runtime
    }

    /// Starts a task that must last as long as the gateway.
    pub(crate) fn service(&self, name: &'static str, work: impl Future<Output = Result<(), String>> + Send + 'static) {
        self.task(self.clone().lasting(name, work));
    }

    /// Starts a task that answers callers: it is told to end by [`Closing`], when everything else has ended.
    pub(crate) fn face(&self, name: &'static str, work: impl Future<Output = Result<(), String>> + Send + 'static) {
        let work = self.clone().lasting(name, work);
        self.inner.faces.lock().unwrap_or_else(PoisonError::into_inner).spawn_on(work, &self.inner.runtime);
    }

    /// What a face looks at.
    pub(crate) fn closing(&self) -> Closing {
        Closing(self.inner.close.subscribe())
    }

    async fn lasting(self, name: &'static str, work: impl Future<Output = Result<(), String>>) {
        match caught(work).await {
            Some(Ok(())) if self.shutdown().is_asked() => tracing::debug!(task = name, "ended"),
            Some(Ok(())) => self.fail(format!("the task {name} ended")),
            Some(Err(reason)) => self.fail(format!("the task {name} failed: {reason}")),
            None => self.fail(format!("the task {name} panicked")),
        }
    }

    /// Starts a task that may end when it is done. One that panics is told: what it was to do is done again when its claim is back.
    pub(crate) fn task(&self, work: impl Future<Output = ()> + Send + 'static) {
        let work = async {
            if caught(work).await.is_none() {
                tracing::error!("a task panicked: this is a defect; the lines before have its message");
            }
        };
        let mut tasks = self.inner.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that ended are forgotten here, so that the set stays small.
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(work, &self.inner.runtime);
    }

    /// Starts a thread that must last as long as the gateway.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn thread(
        &self,
        name: String,
        work: impl FnOnce() -> Result<(), String> + Send + 'static,
    ) -> std::io::Result<()> {
        let supervisor = self.clone();
        let named = name.clone();
        let handle = std::thread::Builder::new().name(name.clone()).spawn(move || {
            match std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)) {
                Ok(Ok(())) => {}
                Ok(Err(reason)) => supervisor.fail(format!("the thread {named} failed: {reason}")),
                Err(_) => supervisor.fail(format!("the thread {named} panicked")),
            }
        })?;
        self.inner.threads.lock().unwrap_or_else(PoisonError::into_inner).push((name, handle));
        Ok(())
    }

    /// Asks everything to stop.
    pub(crate) fn stop(&self) {
        self.inner.stop.send_if_modified(|stop| {
            let first = *stop == Stop::No;
            if first {
                *stop = Stop::Asked;
            }
            first
        });
    }

    /// Stops everything because of this.
    pub(crate) fn fail(&self, reason: String) {
        tracing::error!(reason, "the gateway stops");
        self.inner.stop.send_if_modified(|stop| {
            let first = *stop == Stop::No;
            if first {
                *stop = Stop::Failed(reason);
            }
            first
        });
    }

    /// Waits for everything, at most so long; what answers callers ends last. What is left is cut: it says so itself when it is dropped.
    pub(crate) async fn drain(&self, grace: Duration) {
        let end = Instant::now() + grace;
        finish(&self.inner.tasks, end).await;
        let threads = std::mem::take(&mut *self.inner.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let joined = tokio::task::spawn_blocking(move || {
            for (name, thread) in threads {
                if thread.join().is_err() {
                    tracing::error!(thread = name, "panicked");
                }
            }
        });
        if tokio::time::timeout_at(end.max(soon()), joined).await.is_err() {
            tracing::warn!("threads were still at work at the end of the drain");
        }
        // A thread may have started a last task while it ended.
        finish(&self.inner.tasks, end).await;
        self.inner.close.send_replace(true);
        finish(&self.inner.faces, end.max(soon())).await;
    }
}

/// What comes of work; `None` when it panicked.
async fn caught<T>(work: impl Future<Output = T>) -> Option<T> {
    AssertUnwindSafe(work).catch_unwind().await.ok()
}

/// What ends by itself in a moment gets that moment, also when the time is up.
fn soon() -> Instant {
    Instant::now() + LAST_MOMENT
}

/// Waits for tasks until then, and cuts those that are left.
async fn finish(tasks: &Mutex<JoinSet<()>>, end: Instant) {
    let mut tasks = std::mem::take(&mut *tasks.lock().unwrap_or_else(PoisonError::into_inner));
    let ended = tokio::time::timeout_at(end, async { while tasks.join_next().await.is_some() {} }).await;
    if ended.is_err() {
        tasks.abort_all();
        // A cut task is gone when it has been dropped; one that sits in a commit is left behind.
        let _ = tokio::time::timeout_at(soon(), async { while tasks.join_next().await.is_some() {} }).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_must_last_and_panics_stops_the_gateway_and_what_need_not_does_not() {
        let supervisor = Supervisor::new(Handle::current());
        supervisor.task(async { panic!("a message") });
        supervisor.drain(Duration::from_secs(5)).await;
        assert!(!supervisor.shutdown().is_asked());
        supervisor.service("waker", async { panic!("timers") });
        supervisor.shutdown().asked().await;
        assert_eq!(supervisor.shutdown().failure().as_deref(), Some("the task waker panicked"));
    }
}
