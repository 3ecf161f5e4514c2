//! Slots: how many messages may be on their way at once, in all and for each sender. It knows no message.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// All slots.
#[derive(Debug)]
pub(super) struct Slots {
    total: usize,
    used: Mutex<Used>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Used {
    all: usize,
    by_sender: HashMap<u32, usize>,
}

/// One slot, until it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Arc<Slots>,
    sender: u32,
}

impl Slots {
    /// So many slots.
    pub(super) fn new(total: usize) -> Arc<Self> {
        Arc::new(Self { total: total.max(1), used: Mutex::default(), freed: Notify::new() })
    }

    /// A slot for a message of this sender; `None` when it has its share.
    ///
    /// A sender may have as many as are left for others: the first half, the second half of the rest, and so on. So however many hang, another finds a slot.
    /// One that is alone has nobody to leave room for.
    pub(super) fn take(self: &Arc<Self>, sender: u32, is_alone: bool) -> Option<Slot> {
        let mut used = self.lock();
        let free = self.total - used.all;
        let mine = used.by_sender.get(&sender).copied().unwrap_or(0);
        if free == 0 || (!is_alone && mine >= free) {
            return None;
        }
        used.all += 1;
        used.by_sender.insert(sender, mine + 1);
        Some(Slot { slots: Arc::clone(self), sender })
    }

    /// Whether nobody can have one.
    pub(super) fn is_full(&self) -> bool {
        self.lock().all == self.total
    }

    /// Waits until one was given back since the last wait.
    pub(super) async fn freed(&self) {
        self.freed.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut used = self.slots.lock();
        used.all -= 1;
        if let Some(mine) = used.by_sender.get_mut(&self.sender) {
            *mine -= 1;
            if *mine == 0 {
                used.by_sender.remove(&self.sender);
            }
        }
        drop(used);
        self.slots.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slots that each of these senders gets when it takes what it can, one after the other.
    fn shares(total: usize, senders: usize) -> Vec<usize> {
        let slots = Slots::new(total);
        let mut held = Vec::new();
        let mut take_all = |sender| {
            let before = held.len();
            held.extend(std::iter::from_fn(|| slots.take(sender, senders == 1)));
            held.len() - before
        };
        (0..u32::try_from(senders).unwrap()).map(&mut take_all).collect()
    }

    #[test]
    fn however_many_hang_another_finds_a_slot() {
        assert_eq!(shares(64, 1), [64]);
        assert_eq!(shares(64, 7), [32, 16, 8, 4, 2, 1, 1]);
        assert_eq!(shares(1, 2), [1, 0]);
        assert_eq!(shares(2, 2), [1, 1]);
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let slots = Slots::new(2);
        let first = slots.take(1, false).unwrap();
        let second = slots.take(2, false).unwrap();
        assert!(slots.is_full() && slots.take(3, false).is_none());
        drop(first);
        assert!(slots.take(2, false).is_none(), "it has its share");
        drop(second);
        assert!(!slots.is_full() && slots.take(2, false).is_some());
    }
}
