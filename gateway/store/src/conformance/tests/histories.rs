//! Random histories: what memory and sled answer must be the same, step by step, across restarts.

use super::*;
use crate::engine::{
    Claim, Expect, KeyRange, Order, Row,
    ops::{Op, Rate},
};
use crate::keys::{GuardName, TimerKey};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Write { expect: Option<(u8, Want)>, put: Vec<u8>, delete: Vec<u8>, op: Option<Guarded> },
    Enqueue { lane: u8, ahead: bool },
    Arm { due_ms: i64 },
    Promote { now_ms: i64 },
    Claim { rows: usize },
    Finish { claim: usize, rows: usize },
    Release { claim: usize },
    Range { from: u8, to: u8, backward: bool, limit: usize },
    Reopen,
}

#[derive(Debug, Clone, Copy)]
enum Want {
    Absent,
    Current,
    Stale,
}

#[derive(Debug, Clone, Copy)]
enum Guarded {
    Take { now_ms: i64 },
    Add { delta: i64 },
    Member { id: u8, now_ms: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0u8..6;
    let keys = || prop::collection::vec(0u8..6, 0..3);
    let want = prop_oneof![Just(Want::Absent), Just(Want::Current), Just(Want::Stale)];
    let now = || 1_000_000i64..1_000_400;
    let guarded = prop_oneof![
        now().prop_map(|now_ms| Guarded::Take { now_ms }),
        (-5i64..6).prop_map(|delta| Guarded::Add { delta }),
        (0u8..6, now()).prop_map(|(id, now_ms)| Guarded::Member { id, now_ms }),
    ];
    prop_oneof![
        6 => (prop::option::of((key.clone(), want)), keys(), keys(), prop::option::of(guarded))
            .prop_map(|(expect, put, delete, op)| Step::Write { expect, put, delete, op }),
        4 => (0u8..4, any::<bool>()).prop_map(|(lane, ahead)| Step::Enqueue { lane, ahead }),
        2 => (0i64..50).prop_map(|due_ms| Step::Arm { due_ms }),
        1 => (0i64..50).prop_map(|now_ms| Step::Promote { now_ms }),
        3 => (1usize..4).prop_map(|rows| Step::Claim { rows }),
        3 => (0usize..3, 0usize..4).prop_map(|(claim, rows)| Step::Finish { claim, rows }),
        1 => (0usize..3).prop_map(|claim| Step::Release { claim }),
        2 => (0u8..7, 0u8..7, any::<bool>(), 0usize..8)
            .prop_map(|(from, to, backward, limit)| Step::Range { from, to, backward, limit }),
        1 => Just(Step::Reopen),
    ]
}

/// One store and the claims that its worker holds.
struct Player<H> {
    harness: H,
    claims: Vec<Claim>,
}

fn row_key(name: u8) -> Key {
    Key::new(Space::Messages, 1).u8(name)
}

fn shown(rows: &[(Vec<u8>, Row)]) -> String {
    format!("{rows:?}")
}

impl<H: Harness> Player<H> {
    /// Plays a step; the answer is everything that can be seen of it.
    fn play(&mut self, step: &Step) -> String {
        let engine = self.harness.engine();
        match step {
            Step::Write { expect, put, delete, op } => {
                let batch = Batch {
                    expect: expect.iter().map(|(name, want)| self.expectation(*name, *want)).collect(),
                    put: put.iter().map(|name| (row_key(*name), vec![*name; 3])).collect(),
                    delete: delete.iter().map(|name| row_key(*name)).collect(),
                    ops: op.iter().map(|op| guarded(*op)).collect(),
                    token: None,
                };
                format!("{:?}", commit(&*engine, batch))
            }
            Step::Enqueue { lane, ahead } => {
                let lane = Lane::new(u32::from(*lane % 2), u32::from(*lane), 0);
                enqueue(&*engine, Queue::Pure, if *ahead { lane.ahead() } else { lane }, 1);
                String::new()
            }
            Step::Arm { due_ms } => {
                let work = WorkRow::new(2, [0; 16]);
                let deferred = crate::records::Deferred { queue: Queue::Pure, lane: Lane::new(3, 0, 0), work };
                let timer = TimerKey { due_ms: *due_ms, seq: engine.next_seq() };
                let put = vec![(timer.key(), deferred.encode().to_vec())];
                format!("{:?}", commit(&*engine, Batch { put, ..Batch::default() }))
            }
            Step::Promote { now_ms } => format!("{:?}", crate::records::promote_due(&*engine, *now_ms, 3)),
            Step::Claim { rows } => {
                let claim = engine.claim(Queue::Pure, *rows).unwrap();
                let answer = format!("{:?}", claim.as_ref().map(|claim| (claim.token(), claim.rows().to_vec())));
                self.claims.extend(claim);
                answer
            }
            Step::Finish { claim, rows } => match self.claims.get(*claim) {
                None => String::new(),
                Some(held) => {
                    let delete = held.rows().iter().take(*rows).map(|(key, _)| key.clone()).collect();
                    let batch = Batch { delete, token: Some(held.token()), ..Batch::default() };
                    let answer = format!("{:?}", commit(&*engine, batch));
                    drop(self.claims.remove(*claim));
                    answer
                }
            },
            Step::Release { claim } => {
                if *claim < self.claims.len() {
                    drop(self.claims.remove(*claim));
                }
                String::new()
            }
            Step::Range { from, to, backward, limit } => {
                let order = if *backward { Order::Backward } else { Order::Forward };
                let range = KeyRange::between(&row_key(*from), &row_key(*to));
                shown(&engine.range(&range, order, *limit).unwrap())
            }
            Step::Reopen => {
                self.claims.clear();
                drop(engine);
                self.harness.reopen();
                String::new()
            }
        }
    }

    fn expectation(&self, name: u8, want: Want) -> (Key, Expect) {
        let version = self.harness.engine().get(&row_key(name)).unwrap().map_or(0, |row| row.version);
        let expect = match want {
            Want::Absent => Expect::Absent,
            Want::Current => Expect::Version(version),
            Want::Stale => Expect::Version(version.wrapping_sub(1)),
        };
        (row_key(name), expect)
    }

    /// All rows and the figures that must agree.
    fn state(&self) -> String {
        let engine = self.harness.engine();
        let stats = engine.stats();
        let all = KeyRange::between(b"N", &[0xff]);
        let rows = engine.range(&all, Order::Forward, 1_000).unwrap();
        format!("{} {:?} {:?} {:?}", shown(&rows), stats.ready, stats.timers, engine.next_due())
    }
}

fn guarded(op: Guarded) -> Op {
    match op {
        Guarded::Take { now_ms } => {
            let rate = Rate { limit: 1, period_ms: 100, burst: 2 };
            Op::Gcra { guard: GuardName::new(1, "rate"), rate, now_ms }
        }
        Guarded::Add { delta } => Op::Add { guard: GuardName::new(1, "figure"), delta, floor: 0 },
        Guarded::Member { id, now_ms } => {
            let guard = GuardName::new(1, "set");
            Op::Member { guard, id: [id; 16], expires_at_ms: now_ms + 100, limit: 3, now_ms }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]
    #[test]
    fn memory_and_sled_agree_on_any_history(steps in prop::collection::vec(step(), 1..40)) {
        let mut memory = Player { harness: InMemory(Some(Memory::new())), claims: Vec::new() };
        let mut sled = Player { harness: OnDisk::new(), claims: Vec::new() };
        for step in &steps {
            prop_assert_eq!(memory.play(step), sled.play(step), "{:?}", step);
        }
        prop_assert_eq!(memory.state(), sled.state());
        memory.play(&Step::Reopen);
        sled.play(&Step::Reopen);
        prop_assert_eq!(memory.state(), sled.state());
    }
}
