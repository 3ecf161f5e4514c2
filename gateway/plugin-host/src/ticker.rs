//! The clock that interrupts plugins: a thread that moves the engine's epoch every 5 ms while a plugin runs, and sleeps when none does.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// How often a running plugin lets others run.
const TICK: Duration = Duration::from_millis(5);
/// Ticks without a running plugin before the thread sleeps: calls in quick succession don't wake it each time.
const IDLE_TICKS: u32 = 3;

/// Ticks while calls run. Stops when dropped.
#[derive(Debug)]
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    running: AtomicUsize,
    parked: AtomicBool,
    stopped: Mutex<bool>,
    changed: Condvar,
}

/// A call that runs; ends when dropped.
#[derive(Debug)]
pub(crate) struct Running<'t>(&'t Shared);

impl Ticker {
    /// Starts the thread. It calls `tick` every 5 ms while a call runs.
    pub(crate) fn start(tick: impl Fn() + Send + 'static) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let its = Arc::clone(&shared);
        let thread = thread::Builder::new().name("plugin-ticker".to_owned()).spawn(move || its.run(&tick))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Notes that a call runs.
    pub(crate) fn enter(&self) -> Running<'_> {
        let shared = &*self.shared;
        // Either the thread sees the new number before it sleeps, or this sees that it sleeps.
        if shared.running.fetch_add(1, SeqCst) == 0 && shared.parked.load(SeqCst) {
            let _held = shared.lock();
            shared.changed.notify_all();
        }
        Running(shared)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        *self.shared.lock() = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // The thread only panics when `tick` does, and then there is nothing left to stop.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, bool> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'g>(&self, held: MutexGuard<'g, bool>, at_most: Option<Duration>) -> MutexGuard<'g, bool> {
        match at_most {
            Some(time) => self.changed.wait_timeout(held, time).unwrap_or_else(PoisonError::into_inner).0,
            None => self.changed.wait(held).unwrap_or_else(PoisonError::into_inner),
        }
    }

    fn run(&self, tick: &dyn Fn()) {
        let mut idle = 0;
        let mut stopped = self.lock();
        while !*stopped {
            stopped = self.wait(stopped, Some(TICK));
            tick();
            idle = if self.running.load(SeqCst) == 0 { idle + 1 } else { 0 };
            if idle >= IDLE_TICKS {
                stopped = self.park(stopped);
                idle = 0;
            }
        }
    }

    fn park<'g>(&self, mut stopped: MutexGuard<'g, bool>) -> MutexGuard<'g, bool> {
        self.parked.store(true, SeqCst);
        self.changed.notify_all();
        while !*stopped && self.running.load(SeqCst) == 0 {
            stopped = self.wait(stopped, None);
        }
        self.parked.store(false, SeqCst);
        stopped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn it_ticks_while_a_call_runs_sleeps_when_none_does_and_stops_when_dropped() {
        let (sender, ticks) = mpsc::channel();
        let ticker = Ticker::start(move || sender.send(()).unwrap_or_default()).unwrap();
        for _ in 0..2 {
            let running = ticker.enter();
            for _ in 0..3 {
                ticks.recv().unwrap();
            }
            drop(running);
            let shared = &ticker.shared;
            let mut held = shared.lock();
            while !shared.parked.load(SeqCst) {
                held = shared.wait(held, Some(TICK));
            }
            drop(held);
            while ticks.try_recv().is_ok() {}
        }
        drop(ticker);
        assert!(ticks.recv().is_err(), "the thread is gone, and its end of the channel with it");
    }
}
