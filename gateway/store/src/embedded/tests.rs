//! The committer and what it promises.

use super::*;
use crate::{
    engine::{Batch, CommitError, Engine, Health},
    keys::{Lane, Queue, ReadyKey, TimerKey},
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

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

/// Rows in memory, and the last commit whose sync has come back.
#[derive(Default)]
struct Observed {
    rows: RwLock<BTreeMap<Vec<u8>, Vec<u8>>>,
    synced: Arc<AtomicU64>,
}

impl Backend for Observed {
    type Value = Vec<u8>;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.rows.read().unwrap().get(key).cloned())
    }

    fn scan(&self, range: &KeyRange, _: Order, row: &mut dyn FnMut(&[u8], &[u8]) -> Flow) -> Result<(), Fault> {
        let rows = self.rows.read().unwrap();
        let inside =
            rows.range(range.start().to_vec()..).take_while(|(key, _)| range.end().is_none_or(|end| &key[..] < end));
        for (key, value) in inside {
            if row(key, value) == Flow::Stop {
                break;
            }
        }
        Ok(())
    }

    fn apply(&self, writes: Writes) -> Result<(), Fault> {
        let mut rows = self.rows.write().unwrap();
        for (key, value) in writes {
            match value {
                Some(value) => drop(rows.insert(key.into_bytes(), value)),
                None => drop(rows.remove(&key.into_bytes())),
            }
        }
        Ok(())
    }

    fn sync(&self, commit: u64, _: usize) -> Result<(), Fault> {
        // A disk takes its time, and others run meanwhile.
        std::thread::yield_now();
        self.synced.store(commit, Ordering::SeqCst);
        Ok(())
    }
}

#[test]
fn nobody_is_told_of_a_commit_before_its_sync() {
    const COMMITS: i64 = 300;
    let backend = Observed::default();
    let synced = Arc::clone(&backend.synced);
    let core = &Core::start(backend, &Known::default(), 1).unwrap();
    let (is_done, early) = (&AtomicBool::new(false), &Mutex::new(Vec::new()));
    let told = &|what: &str, version: u64| {
        let synced = synced.load(Ordering::SeqCst);
        if version > synced {
            early.lock().unwrap().push(format!("{what} of commit {version}, {synced} are on disk"));
        }
    };
    let claimed = std::thread::scope(|scope| {
        let claims = scope.spawn(move || {
            let mut claimed = 0;
            while !is_done.load(Ordering::SeqCst) || core.stats().ready[0] > 0 {
                let Some(claim) = core.claim(Queue::Pure, 9).unwrap() else { continue };
                claim.rows().iter().for_each(|(_, row)| told("work", row.version));
                claimed += claim.rows().len();
                let delete = claim.rows().iter().map(|(key, _)| key.clone()).collect();
                core.commit(Batch { delete, token: Some(claim.token()), ..Batch::default() }).wait().unwrap();
            }
            claimed
        });
        scope.spawn(move || {
            while !is_done.load(Ordering::SeqCst) {
                // Each timer is due before every older one, so that a new one is the next.
                let Some(due_ms) = core.next_due().unwrap() else { continue };
                let timer = KeyRange::between(&TimerKey { due_ms, seq: 0 }.key(), &TimerKey::end_of_due(due_ms));
                let rows = core.range(&timer, Order::Forward, 1).unwrap();
                rows.iter().for_each(|(_, row)| told("a timer", row.version));
            }
        });
        for n in 0..COMMITS {
            let ready = ReadyKey { queue: Queue::Pure, lane: Lane::new(1, 0, (n % 7) as u16), seq: core.next_seq() };
            let timer = TimerKey { due_ms: COMMITS - n, seq: core.next_seq() };
            let put = vec![(ready.key(), vec![0; 23]), (timer.key(), vec![0; 34])];
            told("an answer", core.commit(Batch { put, ..Batch::default() }).wait().unwrap().version);
        }
        is_done.store(true, Ordering::SeqCst);
        claims.join().unwrap()
    });
    assert_eq!(*early.lock().unwrap(), Vec::<String>::new());
    assert_eq!(claimed, COMMITS as usize);
}
