//! The ready lanes, in memory: how many durable rows each has, who has leased it, whose turn is next.
//!
//! Rows stay in the engine; this keeps counters only and is rebuilt at the start.

mod turns;

use crate::{
    engine::{LaneToken, ReadySignal, ReleaseLane},
    keys::{Lane, Queue},
};
use std::{
    collections::HashMap,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use turns::Turns;

/// A change of a lane's number of rows.
pub(super) type Delta = (Queue, Lane, i64);

/// Both queues' lanes.
#[derive(Debug, Default)]
pub(super) struct Ready {
    queues: [One; 2],
}

#[derive(Debug, Default)]
struct One {
    lanes: Mutex<Lanes>,
    arrived: Condvar,
    signal: ReadySignal,
}

#[derive(Debug, Default)]
struct Lanes {
    of: HashMap<Lane, LaneState>,
    turns: Turns,
    rows: u64,
    leased: u64,
    last_lease: u64,
    sleepers: usize,
    stopped: bool,
}

#[derive(Debug, Default)]
struct LaneState {
    rows: u64,
    hold: Hold,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Hold {
    /// Nobody has it and it is in no line.
    #[default]
    Idle,
    /// It waits for its turn.
    InLine,
    /// A worker has it.
    Leased(Lease),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lease {
    number: u64,
    /// Its finishing batch is on the way to the disk: only that ends it.
    committing: bool,
    /// Rows came or went since it began.
    touched: bool,
}

impl Ready {
    fn lock(&self, queue: Queue) -> MutexGuard<'_, Lanes> {
        self.queues[queue.index()].lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what a durable group changed, then ends the leases that it used.
    pub(super) fn publish(&self, deltas: &[Delta], used: &[LaneToken]) {
        for queue in Queue::ALL {
            if deltas.iter().any(|d| d.0 == queue) || used.iter().any(|t| t.queue == queue) {
                let mut lanes = self.lock(queue);
                let mut woken = 0;
                for (_, lane, delta) in deltas.iter().filter(|d| d.0 == queue) {
                    woken += usize::from(lanes.count(*lane, *delta));
                }
                for token in used.iter().filter(|t| t.queue == queue) {
                    woken += usize::from(lanes.end(*token));
                }
                self.wake(queue, &lanes, woken);
            }
        }
    }

    fn wake(&self, queue: Queue, lanes: &Lanes, woken: usize) {
        let one = &self.queues[queue.index()];
        if woken == 0 {
            return;
        }
        for _ in 0..woken.min(lanes.sleepers) {
            one.arrived.notify_one();
        }
        one.signal.wake_one();
    }

    /// Leases the lane whose turn it is.
    pub(super) fn lease(&self, queue: Queue) -> Option<LaneToken> {
        let mut lanes = self.lock(queue);
        let lane = lanes.turns.next()?;
        lanes.last_lease += 1;
        lanes.leased += 1;
        let number = lanes.last_lease;
        let lease = Lease { number, committing: false, touched: false };
        lanes.of.entry(lane).or_default().hold = Hold::Leased(lease);
        if !lanes.turns.is_empty() {
            // A signal wakes one waiter: who takes a lane passes it on.
            self.queues[queue.index()].signal.wake_one();
        }
        Some(LaneToken { queue, lane, lease: number })
    }

    /// Ends a lease whose lane gave no row. It waits for rows to come or go before its next turn.
    pub(super) fn found_empty(&self, token: LaneToken) {
        let mut lanes = self.lock(token.queue);
        let Some(lease) = lanes.lease_of(token) else { return };
        if lease.touched {
            let woken = usize::from(lanes.end(token));
            self.wake(token.queue, &lanes, woken);
        } else {
            lanes.leased -= 1;
            lanes.park(token.lane);
        }
    }

    /// Whether the token is its lane's; if so only the group that carries it ends the lease.
    pub(super) fn begin_commit(&self, token: LaneToken) -> bool {
        let mut lanes = self.lock(token.queue);
        let Some(mut lease) = lanes.lease_of(token) else { return false };
        if lease.committing {
            return false;
        }
        lease.committing = true;
        lanes.hold(token.lane, Hold::Leased(lease));
        true
    }

    /// Whether the token is its lane's and no batch carries it yet.
    pub(super) fn is_current(&self, token: LaneToken) -> bool {
        self.lock(token.queue).lease_of(token).is_some_and(|lease| !lease.committing)
    }

    /// Waits until a lane is ready; false when the time has passed or all has stopped.
    pub(super) fn wait(&self, queue: Queue, timeout: Duration) -> bool {
        let mut lanes = self.lock(queue);
        lanes.sleepers += 1;
        let arrived = &self.queues[queue.index()].arrived;
        let waited = arrived.wait_timeout_while(lanes, timeout, |lanes| lanes.turns.is_empty() && !lanes.stopped);
        let (mut lanes, _) = waited.unwrap_or_else(PoisonError::into_inner);
        lanes.sleepers -= 1;
        !lanes.turns.is_empty() && !lanes.stopped
    }

    pub(super) fn signal(&self, queue: Queue) -> ReadySignal {
        self.queues[queue.index()].signal.clone()
    }

    /// Wakes all who wait, for good.
    pub(super) fn stop(&self) {
        for queue in Queue::ALL {
            self.lock(queue).stopped = true;
            self.queues[queue.index()].arrived.notify_all();
            self.queues[queue.index()].signal.wake_all();
        }
    }

    /// Ready rows and leased lanes.
    pub(super) fn figures(&self, queue: Queue) -> (u64, u64) {
        let lanes = self.lock(queue);
        (lanes.rows, lanes.leased)
    }
}

impl ReleaseLane for Ready {
    fn release(&self, token: LaneToken) {
        let mut lanes = self.lock(token.queue);
        if lanes.lease_of(token).is_some_and(|lease| !lease.committing) {
            let woken = usize::from(lanes.end(token));
            self.wake(token.queue, &lanes, woken);
        }
    }
}

impl Lanes {
    fn lease_of(&self, token: LaneToken) -> Option<Lease> {
        match self.of.get(&token.lane)?.hold {
            Hold::Leased(lease) if lease.number == token.lease => Some(lease),
            Hold::Leased(_) | Hold::Idle | Hold::InLine => None,
        }
    }

    fn hold(&mut self, lane: Lane, hold: Hold) {
        if let Some(state) = self.of.get_mut(&lane) {
            state.hold = hold;
        }
    }

    /// Counts rows in or out; true when the lane has come into line.
    fn count(&mut self, lane: Lane, delta: i64) -> bool {
        let state = self.of.entry(lane).or_default();
        let before = state.rows;
        state.rows = before.saturating_add_signed(delta);
        self.rows = (self.rows + state.rows).saturating_sub(before);
        match &mut state.hold {
            Hold::Leased(lease) => {
                lease.touched = true;
                false
            }
            Hold::Idle => self.line_up(lane),
            Hold::InLine => false,
        }
    }

    /// Ends a lease; true when the lane has come into line again.
    fn end(&mut self, token: LaneToken) -> bool {
        if self.lease_of(token).is_none() {
            return false;
        }
        self.leased -= 1;
        self.line_up(token.lane)
    }

    fn line_up(&mut self, lane: Lane) -> bool {
        let Some(state) = self.of.get_mut(&lane) else { return false };
        if state.rows == 0 {
            self.of.remove(&lane);
            return false;
        }
        state.hold = Hold::InLine;
        self.turns.join(lane);
        true
    }

    fn park(&mut self, lane: Lane) {
        match self.of.get_mut(&lane) {
            Some(state) if state.rows > 0 => state.hold = Hold::Idle,
            _ => drop(self.of.remove(&lane)),
        }
    }
}

#[cfg(test)]
mod tests;
