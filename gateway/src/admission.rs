//! Admission: how many bytes of webhooks may be in memory at once. Endpoints that wait take turns, so that a flood at one leaves room for the others.
//!
//! Knows nothing of HTTP, and no time: who gives up waiting drops the future.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;

/// Webhooks that wait for room at once, over all endpoints; more are sent away, so that waiting itself needs little memory.
const MOST_WAITING: usize = 1_024;

/// The room for webhooks on their way into the store.
pub(crate) struct Admission {
    most_bytes: usize,
    hall: Mutex<Hall>,
}

/// Room for one webhook; given back when dropped.
pub(crate) struct Pass {
    admission: Arc<Admission>,
    bytes: usize,
}

/// Too many wait already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

/// Who waits, and what is free.
struct Hall {
    free: usize,
    waiting: usize,
    /// Endpoints with a line, in turn.
    turns: VecDeque<u32>,
    lines: HashMap<u32, VecDeque<Waiter>>,
}

struct Waiter {
    bytes: usize,
    admitted: oneshot::Sender<Pass>,
}

impl Admission {
    /// Room for so many bytes.
    pub(crate) fn new(most_bytes: usize) -> Arc<Self> {
        let hall = Hall { free: most_bytes, waiting: 0, turns: VecDeque::new(), lines: HashMap::new() };
        Arc::new(Self { most_bytes, hall: Mutex::new(hall) })
    }

    /// Waits for room for a webhook of so many bytes. One that is larger than all the room has it alone.
    ///
    /// # Errors
    /// Too many wait already.
    pub(crate) async fn admit(self: &Arc<Self>, endpoint: u32, bytes: usize) -> Result<Pass, Full> {
        let bytes = bytes.min(self.most_bytes);
        let admitted = {
            let mut hall = self.hall();
            if hall.waiting == 0 && bytes <= hall.free {
                hall.free -= bytes;
                return Ok(self.pass(bytes));
            }
            if hall.waiting >= MOST_WAITING {
                return Err(Full);
            }
            hall.join(endpoint, bytes)
        };
        admitted.await.map_err(|_| Full)
    }

    /// Bytes that are taken, and webhooks that wait.
    pub(crate) fn figures(&self) -> (usize, usize) {
        let hall = self.hall();
        (self.most_bytes - hall.free, hall.waiting)
    }

    fn hall(&self) -> MutexGuard<'_, Hall> {
        self.hall.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass(self: &Arc<Self>, bytes: usize) -> Pass {
        Pass { admission: Arc::clone(self), bytes }
    }

    /// Gives room back, and lets in who comes next.
    fn give_back(self: &Arc<Self>, bytes: usize) {
        let mut hall = self.hall();
        hall.free += bytes;
        let admitted: Vec<Waiter> = std::iter::from_fn(|| hall.next()).collect();
        drop(hall);
        for waiter in admitted {
            // Who has given up drops the pass, which gives its room back in turn.
            drop(waiter.admitted.send(self.pass(waiter.bytes)));
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.admission.give_back(self.bytes);
    }
}

impl Hall {
    fn join(&mut self, endpoint: u32, bytes: usize) -> oneshot::Receiver<Pass> {
        let (admitted, receiver) = oneshot::channel();
        let line = self.lines.entry(endpoint).or_default();
        if line.is_empty() {
            self.turns.push_back(endpoint);
        }
        line.push_back(Waiter { bytes, admitted });
        self.waiting += 1;
        receiver
    }

    /// Who comes next, if there is room: the first of the endpoint whose turn it is. A large one is not overtaken, or it would wait for ever.
    fn next(&mut self) -> Option<Waiter> {
        let endpoint = *self.turns.front()?;
        let line = self.lines.get_mut(&endpoint)?;
        if line.front()?.bytes > self.free {
            return None;
        }
        let waiter = line.pop_front()?;
        self.turns.pop_front();
        if line.is_empty() {
            self.lines.remove(&endpoint);
        } else {
            self.turns.push_back(endpoint);
        }
        self.waiting -= 1;
        self.free -= waiter.bytes;
        Some(waiter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        future::Future,
        pin::Pin,
        task::{Context, Poll, Waker},
    };

    type Waiting = Pin<Box<dyn Future<Output = Result<Pass, Full>>>>;

    fn enter(admission: &Arc<Admission>, endpoint: u32, bytes: usize) -> Waiting {
        let admission = Arc::clone(admission);
        let mut entering: Waiting = Box::pin(async move { admission.admit(endpoint, bytes).await });
        // In line from here on.
        match poll(&mut entering) {
            Poll::Ready(outcome) => Box::pin(std::future::ready(outcome)),
            Poll::Pending => entering,
        }
    }

    fn poll(waiting: &mut Waiting) -> Poll<Result<Pass, Full>> {
        waiting.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }

    fn is_in(waiting: &mut Waiting) -> Option<Pass> {
        match poll(waiting) {
            Poll::Ready(Ok(pass)) => Some(pass),
            Poll::Ready(Err(Full)) => panic!("it was sent away"),
            Poll::Pending => None,
        }
    }

    #[test]
    fn what_fits_goes_in_at_once_and_what_does_not_waits_for_room() {
        let admission = Admission::new(10);
        let first = is_in(&mut enter(&admission, 1, 7)).unwrap();
        let mut second = enter(&admission, 1, 7);
        assert!(is_in(&mut second).is_none());
        assert_eq!(admission.figures(), (7, 1));
        drop(first);
        let second = is_in(&mut second).unwrap();
        assert_eq!(admission.figures(), (7, 0));
        drop(second);
        assert_eq!(admission.figures(), (0, 0));
    }

    #[test]
    fn endpoints_take_turns_so_that_a_flood_at_one_leaves_room_for_the_others() {
        let admission = Admission::new(4);
        let mut inside = is_in(&mut enter(&admission, 1, 4));
        let mut flood: Vec<Waiting> = (0..100).map(|_| enter(&admission, 1, 4)).collect();
        let mut other = enter(&admission, 2, 4);
        let mut before = 0;
        let pass = loop {
            inside.take();
            if let Some(pass) = is_in(&mut other) {
                break pass;
            }
            inside = flood.iter_mut().find_map(is_in);
            drop(flood.remove(0));
            before += 1;
        };
        assert_eq!(before, 1, "of the flood, one goes first");
        drop(pass);
    }

    #[test]
    fn who_gives_up_waiting_gives_the_room_back() {
        let admission = Admission::new(4);
        let first = is_in(&mut enter(&admission, 1, 4));
        let given_up = enter(&admission, 1, 4);
        let mut last = enter(&admission, 1, 4);
        drop(given_up);
        drop(first);
        assert!(is_in(&mut last).is_some());
        drop(last);
        assert_eq!(admission.figures(), (0, 0));
    }

    #[test]
    fn one_that_is_larger_than_all_room_goes_in_alone_and_is_not_overtaken() {
        let admission = Admission::new(4);
        let first = is_in(&mut enter(&admission, 1, 1));
        let mut large = enter(&admission, 2, 100);
        let mut small = enter(&admission, 3, 1);
        assert!(is_in(&mut large).is_none() && is_in(&mut small).is_none());
        drop(first);
        let pass = is_in(&mut large).unwrap();
        assert!(is_in(&mut small).is_none());
        drop(pass);
        assert!(is_in(&mut small).is_some());
    }

    #[test]
    fn too_many_that_wait_are_sent_away() {
        let admission = Admission::new(1);
        let inside = is_in(&mut enter(&admission, 1, 1));
        let waiting: Vec<Waiting> = (0..MOST_WAITING).map(|_| enter(&admission, 1, 1)).collect();
        assert!(matches!(poll(&mut enter(&admission, 2, 1)), Poll::Ready(Err(Full))));
        drop((waiting, inside));
        assert_eq!(admission.figures(), (0, 0));
    }
}
