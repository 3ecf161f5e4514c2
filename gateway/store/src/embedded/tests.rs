//! The committer and what it promises.

use super::*;
use crate::engine::{Batch, CommitError, Engine, Health};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Panics when it applies its second group.
#[derive(Default)]
struct Panicking(AtomicUsize);

impl Backend for Panicking {
    type Value = Vec<u8>;

    fn get(&self, _: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        Ok(None)
    }

    fn scan(&self, _: &KeyRange, _: Order, _: &mut dyn FnMut(&[u8], &[u8]) -> Flow) -> Result<(), Fault> {
        Ok(())
    }

    fn apply(&self, _: Writes) -> Result<(), Fault> {
        match self.0.fetch_add(1, Ordering::Relaxed) {
            0 => Ok(()),
            _ => panic!("page not found"),
        }
    }

    fn sync(&self, _: u64, _: usize) -> Result<(), Fault> {
        Ok(())
    }
}

#[test]
fn a_panic_in_the_committer_is_caught_said_and_stays() {
    let core = Core::start(Panicking::default(), &Known::default(), 1).unwrap();
    let put = || vec![(crate::keys::meta("a"), vec![])];
    let reason = "the committer panicked: page not found".to_owned();
    for _ in 0..2 {
        let outcome = core.commit(Batch { put: put(), ..Batch::default() }).wait();
        assert_eq!(outcome, Err(CommitError::Failed { reason: reason.clone() }));
    }
    assert_eq!(core.health(), Health::Failed(reason));
}
