//! Sweeps over a gateway's real rows, with a stepped clock and crashes.

use super::{Stepped, Sweep};
use crate::{
    config::Retention,
    letters,
    pipeline::Progress,
    records::{Delivery, FlowRow, Interpretation, MessageRow, ProviderIdRow, RunRow, UnreachableRow},
    testing::{Answered, Stage, THANKS, WORKSPACE, Webhook, entry, inbound, meta, meta_entries, order},
    tx::{Tx, TxError},
    work::Work,
};
use std::collections::{BTreeMap, HashSet};
use tidegate_flows::RunState;
use tidegate_model::{
    DeliveryId,
    gate::Unreachable,
    message::{ChannelKind, State},
};
use tidegate_store::{
    Batch, Changes, Key, KeyRange, Order, Queue, Space, WorkRow,
    engine::ops::{Op, Rate},
    keys::{self, GuardName},
    records::{DeadLetter, Deferred, Record, list},
};

const DAY_MS: i64 = 86_400_000;
const SETTINGS: Retention = Retention { days: 30, max_rows: 0, dead_letter_days: 90 };
/// Thanks at once, and asks sixty days later.
const PATIENT: &str = "flow: patient\non: order.placed\nsteps:\n  - id: thank\n    send: { template: thanks }\n  - id: let-it-be\n    wait: 60d\n  - id: ask\n    send: { template: ask }\n";

/// One pass to its end; gives how many rows went.
fn pass(stage: &Stage, sweep: &mut Sweep) -> usize {
    let mut removed = 0;
    // Far more than any pass here takes.
    for _ in 0..10_000 {
        let Stepped { removed: more_removed, more } = sweep.step(stage.app()).unwrap();
        assert!(more_removed <= 256, "{more_removed} rows in one commit");
        removed += more_removed;
        if !more {
            return removed;
        }
    }
    panic!("the pass does not end");
}

fn sweep(stage: &Stage) -> usize {
    pass(stage, &mut Sweep::new(SETTINGS))
}

fn days(stage: &mut Stage, count: i64) {
    stage.advance(count * DAY_MS);
    stage.settle();
}

/// Every readable record of a kind in the workspace.
fn all<R: Record>(stage: &Stage) -> Vec<R> {
    let range = KeyRange::prefix(&Key::new(R::SPACE, WORKSPACE));
    let page = list::<R>(stage.app().store(), range, Order::Forward, None, 1_000).unwrap();
    assert!(page.next.is_none() && page.damaged.is_empty());
    page.items.into_iter().map(|item| item.record).collect()
}

/// How many rows there are of each kind that retention looks at.
fn counts(stage: &Stage) -> BTreeMap<&'static str, usize> {
    let spaces = [
        Space::Deliveries,
        Space::Bodies,
        Space::Interpretations,
        Space::Messages,
        Space::ProviderIds,
        Space::Runs,
        Space::DeadLetters,
    ];
    let count = |space: Space| {
        let range = KeyRange::prefix(&Key::new(space, WORKSPACE));
        stage.app().store().range(&range, Order::Forward, 1_000).unwrap().len()
    };
    spaces.map(|space| (space.label(), count(space))).into_iter().filter(|(_, rows)| *rows > 0).collect()
}

/// Work of the queues, of timers and of dead letters.
fn work(stage: &Stage) -> Vec<Work> {
    let rows = |space: Space| {
        let range = KeyRange::prefix(&Key::new(space, 0)[..1]);
        stage.app().store().range(&range, Order::Forward, 1_000).unwrap().into_iter().map(|(_, row)| row.value)
    };
    let ready = [Space::Ready, Space::Io].into_iter().flat_map(rows).filter_map(|row| WorkRow::decode(&row));
    let timers = rows(Space::Timers).filter_map(|row| Deferred::decode(&row)).map(|deferred| deferred.work);
    let letters = all::<DeadLetter>(stage).into_iter().map(|letter| letter.deferred.work);
    ready.chain(timers).chain(letters).map(|row| Work::read(&row).unwrap()).collect()
}

/// Whatever refers to something finds it, and whatever waits is waited for.
fn assert_whole(stage: &Stage) {
    let deliveries: HashSet<_> = all::<Delivery>(stage).iter().map(|row| row.id).collect();
    let messages = all::<MessageRow>(stage);
    let ids: HashSet<_> = messages.iter().map(|row| row.message.id).collect();
    let runs = all::<RunRow>(stage);
    let run_ids: HashSet<_> = runs.iter().map(|row| row.run.id).collect();
    let versions: HashSet<_> = all::<FlowRow>(stage).into_iter().map(|row| (row.flow, row.version)).collect();
    let work = work(stage);
    assert!(all::<Interpretation>(stage).iter().all(|row| deliveries.contains(&row.delivery)));
    assert!(all::<ProviderIdRow>(stage).iter().all(|row| ids.contains(&row.message)));
    for MessageRow { message, .. } in &messages {
        assert!(message.run.is_none_or(|run| run_ids.contains(&run)), "a message whose run is gone");
        let waits = matches!(message.state, State::Queued | State::Attempting);
        assert!(!waits || work.contains(&Work::Send { id: message.id }), "a message that waits for ever");
    }
    for RunRow { run, .. } in &runs {
        assert!(versions.contains(&(run.flow.clone(), run.version.to_string())), "a run without its flow");
        if let RunState::Waiting { timer, .. } | RunState::WaitingForReply { timer, .. } = run.state {
            assert!(work.contains(&Work::Timer { run: run.id, wait: timer }), "a run that waits for ever");
        }
    }
    for work in work {
        match work {
            Work::Delivery { id, .. }
            | Work::Replay { id, .. }
            | Work::Fetch { id, .. }
            | Work::Answered { id, .. } => {
                assert!(deliveries.contains(&id), "work without its delivery")
            }
            Work::Timer { run, .. } => assert!(run_ids.contains(&run), "a timer without its run"),
            Work::Send { id } => assert!(ids.contains(&id), "a message that is to be sent and is gone"),
            Work::Unknown { id, .. } => assert!(ids.contains(&id), "a message that is unknown and is gone"),
            Work::Letter { .. } | Work::Resume { .. } | Work::Connect { .. } => {}
        }
    }
}

/// An order whose body is too long for one row.
fn long_order(unique: &str, n: u32) -> Webhook {
    let mut webhook = order(unique, n);
    let mut number = u64::from(n) + 7;
    let noise = (0..14_000).map(|_| {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{number:016x}")
    });
    webhook.script.body["note_of_the_test"] = noise.collect::<String>().into();
    webhook
}

/// A webhook whose account has no connection: its item is parked.
fn stranger(id: &str, stage: &Stage) -> Webhook {
    meta_entries(&[entry("55", &[inbound(id, 900, "hello", stage.now())])])
}

fn with_one_account(stage: &mut Stage) {
    let connection = "name = \"whatsapp\"\nendpoint = \"meta\"\nworkspace = \"main\"\n";
    stage.reconfigure(connection, &format!("{connection}account = \"{}\"\n", crate::testing::ACCOUNT));
}

#[test]
fn after_31_days_just_what_is_needed_or_younger_is_left_and_waits_of_60_days_end_as_they_should() {
    let mut stage = Stage::new(&[PATIENT]);
    with_one_account(&mut stage);
    for n in 1..=2 {
        stage.post(&order(&n.to_string(), n));
    }
    stage.post(&long_order("3", 3));
    let parked = stage.post(&stranger("lost", &stage)).id();
    stage.post(&meta(&[inbound("hello", 1, "hello", stage.now())]));
    stage.settle();
    days(&mut stage, 20);
    stage.post(&order("4", 4));
    stage.settle();
    let before = counts(&stage);
    assert_eq!((before["delivery"], before["run"], before["message"], before["provider message id"]), (6, 4, 5, 4));
    assert!(before["body chunk"] >= 2, "{before:?}");
    sweep(&stage);
    assert_eq!(counts(&stage), before, "nothing but marks is so old");

    days(&mut stage, 11);
    let contacts = stage.rows(Space::Contacts);
    sweep(&stage);
    assert_whole(&stage);
    let expected = [
        ("delivery", 2),
        ("interpretation", 2),
        ("message", 1),
        ("provider message id", 1),
        ("run", 4),
        ("dead letter", 1),
    ];
    assert_eq!(counts(&stage), expected.into());
    assert!(all::<Delivery>(&stage).iter().any(|row| row.id == parked), "a parked item keeps its delivery");
    assert_eq!(stage.rows(Space::Contacts), contacts, "people are no matter of age");
    assert_eq!(sweep(&stage), 0, "a second pass finds nothing");

    let asked = stage.channel().sent().len();
    days(&mut stage, 29);
    assert_eq!(stage.channel().sent().len(), asked + 3, "the waits of the first three ended");
    sweep(&stage);
    assert_eq!(counts(&stage)["run"], 4);
    days(&mut stage, 25);
    sweep(&stage);
    assert_whole(&stage);
    assert_eq!((counts(&stage)["run"], counts(&stage)["message"]), (4, 4), "they ended 25 days ago");
    days(&mut stage, 10);
    sweep(&stage);
    assert_whole(&stage);
    let expected = [("message", 1), ("provider message id", 1), ("run", 1)];
    assert_eq!(counts(&stage), expected.into(), "after 95 days the parked one is given up too");
}

#[test]
fn a_repeat_is_recognised_as_long_as_it_may_come_whatever_is_swept() {
    let mut stage = Stage::new(&[]);
    let first = stage.post(&order("same", 1));
    stage.settle();
    for _ in 0..8 {
        days(&mut stage, 1);
        sweep(&stage);
        assert_eq!(stage.post(&order("same", 1)), Answered::Repeat(first.id()));
    }
    days(&mut stage, 2);
    assert_eq!(sweep(&stage), 2, "its mark, and that of the event that it told");
    assert!(matches!(stage.post(&order("same", 1)), Answered::Stored(_)));
}

#[test]
fn what_waits_to_be_interpreted_is_never_too_old() {
    let mut stage = Stage::new(&[THANKS]);
    let id = stage.post(&order("1", 1)).id();
    stage.advance(200 * DAY_MS);
    sweep(&stage);
    assert!(all::<Delivery>(&stage).iter().any(|row| row.id == id));
    stage.settle();
    assert_eq!(counts(&stage)["interpretation"], 1);
    sweep(&stage);
    assert_whole(&stage);
    assert!(!counts(&stage).contains_key("delivery"), "it was received long ago, and is done with");
}

#[test]
fn an_old_delivery_that_is_tried_again_stays_while_its_work_waits() {
    let mut stage = Stage::new(&[]);
    with_one_account(&mut stage);
    stage.post(&stranger("lost", &stage)).id();
    stage.settle();
    stage.advance(95 * DAY_MS);
    let picked = serde_json::from_value(serde_json::json!({"all": {}})).unwrap();
    assert_eq!(
        crate::commands::retry(stage.app(), &picked).map_err(|problem| format!("{problem:?}")).unwrap()["done"],
        1
    );
    sweep(&stage);
    assert_whole(&stage);
    assert_eq!((counts(&stage)["delivery"], counts(&stage)["dead letter"]), (1, 1));
}

#[test]
fn work_that_nobody_took_up_again_ends_with_its_letter() {
    let mut stage =
        Stage::new(&["flow: once\non: order.placed\nsteps:\n  - id: thank\n    send: { template: thanks }\n"]);
    stage.post(&order("1", 1));
    stage.interpret();
    let claim = stage.app().store().claim(Queue::Io, 1).unwrap().unwrap();
    let (key, row) = claim.rows()[0].clone();
    let mut tx = stage.tx();
    let deferred = Deferred { queue: Queue::Io, lane: claim.lane(), work: WorkRow::decode(&row.value).unwrap() };
    letters::put_aside(&mut tx, &deferred, &TxError::Unwritable("it broke".to_owned()), stage.now()).unwrap();
    tx.delete(&key);
    tx.commit(Some(claim.token())).unwrap();
    drop(claim);
    stage.advance(89 * DAY_MS);
    sweep(&stage);
    assert_eq!(stage.outbound()[0].state, State::Queued, "a person may still try it again");
    stage.advance(2 * DAY_MS);
    sweep(&stage);
    let message = stage.outbound().remove(0);
    assert_eq!(message.state, State::Failed);
    assert!(message.history.last().unwrap().note.as_deref().unwrap().contains("it broke"));
    assert_whole(&stage);
    days(&mut stage, 31);
    sweep(&stage);
    assert!(!counts(&stage).contains_key("message"));
}

#[test]
fn beyond_a_number_of_rows_the_oldest_go_first_but_none_of_the_last_day() {
    let mut stage = Stage::new(&[]);
    for n in 1..=5 {
        stage.post(&order(&n.to_string(), n));
        stage.settle();
        stage.advance(DAY_MS);
    }
    stage.post(&order("6", 6));
    stage.post(&order("7", 7));
    stage.settle();
    let with = |max_rows| pass(&stage, &mut Sweep::new(Retention { max_rows, ..SETTINGS }));
    assert_eq!(with(7), 0);
    with(4);
    assert_eq!(counts(&stage)["delivery"], 4);
    with(1);
    assert_eq!(counts(&stage)["delivery"], 3, "those of the last day");
    assert_whole(&stage);
}

#[test]
fn a_flow_version_stays_as_long_as_a_run_is_stored_that_entered_it() {
    let mut stage = Stage::new(&[PATIENT]);
    stage.post(&order("1", 1));
    stage.settle();
    stage.reconfigure("flows = \"flows\"\n", "");
    days(&mut stage, 59);
    sweep(&stage);
    assert_eq!(all::<FlowRow>(&stage).len(), 1);
    days(&mut stage, 2);
    assert_eq!(stage.channel().sent().len(), 2, "the run ends on the version that it entered");
    days(&mut stage, 31);
    sweep(&stage);
    // The run went in this pass, and with it the last that needed the flow.
    assert_eq!((all::<RunRow>(&stage).len(), all::<FlowRow>(&stage).len()), (0, 0));
    let stage = Stage::new(&[PATIENT]);
    stage.advance(100 * DAY_MS);
    sweep(&stage);
    assert_eq!(all::<FlowRow>(&stage).len(), 1, "it is configured");
}

#[test]
fn orphans_are_found_and_young_chunks_may_still_get_their_delivery() {
    let stage = Stage::new(&[]);
    let owner = |ms| *DeliveryId::derive(ms, &[b"orphan"]).raw();
    let (old, young) = (owner(stage.now().ms() - 2 * DAY_MS), owner(stage.now().ms()));
    let chunks = |id: [u8; 16]| (0..70).map(move |n| (keys::body(WORKSPACE, &id, n), vec![1; 10]));
    let provider = ProviderIdRow {
        workspace: WORKSPACE,
        sender: 1,
        provider_id: "wamid.x".to_owned(),
        message: tidegate_model::MessageId::from_raw([1; 16]),
    };
    let mut changes = Changes::new(stage.app().store().seq());
    chunks(old).chain(chunks(young)).for_each(|(key, row)| changes.put_row(key, row));
    changes.put(&provider).unwrap();
    changes.op(Op::Gcra {
        guard: GuardName::new(WORKSPACE, "rate"),
        rate: Rate { limit: 1, period_ms: 1_000, burst: 1 },
        now_ms: stage.now().ms() - DAY_MS,
    });
    stage.app().store().commit(changes.into_batch()).wait().unwrap();
    assert_eq!(sweep(&stage), 70 + 1 + 1, "chunks, provider id, guard");
    assert_eq!(counts(&stage), [("body chunk", 70)].into());
}

/// Days of a small shop, by a number that is drawn on.
fn a_day(stage: &mut Stage, random: &mut u64, day: u32) {
    let mut draw = |most: u64| {
        *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*random >> 33) % most
    };
    for n in 0..draw(4) as u32 {
        let unique = format!("{day}-{n}");
        match draw(5) {
            0 => stage.post(&stranger(&unique, stage)),
            1 => stage.post(&long_order(&unique, day * 10 + n)),
            2 => stage.post(&meta(&[inbound(&unique, n, "hello", stage.now())])),
            _ => stage.post(&order(&unique, day * 10 + n)),
        };
    }
    match draw(4) {
        // A day on which the gateway does not get through.
        0 => drop((0..draw(6)).map(|_| stage.step()).filter(|step| *step == Progress::Idle).count()),
        _ => stage.settle(),
    }
    stage.advance(DAY_MS);
}

#[test]
fn a_crash_after_any_commit_of_a_sweep_leaves_a_whole_store_and_the_next_sweep_ends_the_same() {
    let build = |interrupted: bool| {
        let mut stage = Stage::new(&[PATIENT, THANKS]);
        with_one_account(&mut stage);
        let (mut random, mut commits) = (11, 0);
        for day in 0..75 {
            a_day(&mut stage, &mut random, day);
            if day % 15 != 14 {
                continue;
            }
            stage.settle();
            let mut sweep = Sweep::new(SETTINGS);
            loop {
                let Stepped { removed, more } = sweep.step(stage.app()).unwrap();
                if removed > 0 && interrupted {
                    commits += 1;
                    stage.crash();
                    assert_whole(&stage);
                    sweep = Sweep::new(SETTINGS);
                } else if !more {
                    break;
                }
            }
            assert_whole(&stage);
        }
        (stage, commits)
    };
    let (whole, _) = build(false);
    let (interrupted, commits) = build(true);
    assert!(commits > 12, "{commits} commits");
    assert_eq!(counts(&interrupted), counts(&whole));
    assert_eq!(interrupted.state(), whole.state());
}

#[test]
fn a_mark_of_an_address_that_is_not_on_whatsapp_goes_when_it_holds_no_more() {
    let stage = Stage::new(&[]);
    let now = stage.now();
    let mut tx = Tx::new(stage.app().store(), WORKSPACE);
    for (address, days) in [("+447700900001", 3), ("+447700900002", 30)] {
        let mark = Unreachable { since: now, until: now.plus_ms(days * DAY_MS), reason: "131026".to_owned() };
        tx.put(UnreachableRow {
            workspace: WORKSPACE,
            channel: ChannelKind::Whatsapp,
            address: address.to_owned(),
            mark,
        });
    }
    tx.commit(None).unwrap();
    let held = |stage: &Stage| all::<UnreachableRow>(stage).into_iter().map(|row| row.address).collect::<Vec<_>>();
    sweep(&stage);
    assert_eq!(held(&stage).len(), 2);
    stage.advance(3 * DAY_MS);
    assert_eq!(sweep(&stage), 1);
    assert_eq!(held(&stage), ["+447700900002"]);
}

#[test]
fn a_sweep_of_a_damaged_row_goes_on_with_the_others() {
    let mut stage = Stage::new(&[]);
    stage.post(&order("1", 1));
    stage.settle();
    let foreign = DeliveryId::derive(stage.now().ms(), &[b"another version"]);
    let put = vec![(keys::delivery(WORKSPACE, foreign.raw()), b"\x01\x00\x00\x00\x08{\"v\":99}".to_vec())];
    stage.app().store().commit(Batch { put, ..Batch::default() }).wait().unwrap();
    stage.advance(40 * DAY_MS);
    sweep(&stage);
    assert_eq!(counts(&stage)["delivery"], 1, "what can't be read is left to a version that can");
}
