//! Commits: atomic, expected versions, alone within their group.

use super::{Harness, commit, commit_ok, key, put, read};
use crate::engine::{Batch, CommitError, Expect, MAX_VALUE_BYTES};

/// All of a batch is there, with the commit's number as version.
pub fn a_batch_is_written_whole_and_read_back(harness: &mut dyn Harness) {
    let engine = harness.engine();
    let version = commit_ok(&*engine, Batch { put: vec![put("a", "1"), put("b", "2")], ..Batch::default() });
    assert_eq!((read(&*engine, "a"), read(&*engine, "b")), (Some("1".into()), Some("2".into())));
    assert_eq!(engine.get(&key("a")).expect("read").expect("there").version, version);
    assert_eq!(read(&*engine, "c"), None);
    let stats = engine.stats();
    assert!(stats.rows_put >= 2 && stats.commits >= 1 && stats.groups >= 1, "{stats:?}");
}

/// Nothing of a batch is written when an expectation fails, and the key is named.
pub fn an_expectation_that_fails_stops_the_whole_batch(harness: &mut dyn Harness) {
    let engine = harness.engine();
    let version = commit_ok(&*engine, Batch { put: vec![put("a", "1")], ..Batch::default() });
    let check = |name: &str, expect: Expect, holds: bool| {
        let batch = Batch { expect: vec![(key(name), expect)], put: vec![put("n", "x")], ..Batch::default() };
        match commit(&*engine, batch) {
            Ok(_) => assert!(holds, "{name} {expect:?}"),
            Err(CommitError::Conflict { key: named }) => assert!(!holds && named == key(name), "{name} {expect:?}"),
            Err(error) => panic!("{error}"),
        }
        assert_eq!(read(&*engine, "n").is_some(), holds);
        commit_ok(&*engine, Batch { delete: vec![key("n")], ..Batch::default() });
    };
    check("a", Expect::Version(version), true);
    check("b", Expect::Absent, true);
    check("a", Expect::Absent, false);
    check("a", Expect::Version(version + 1), false);
    check("b", Expect::Version(version), false);
}

/// Two writes of a row never have the same version, also when its value is the same and it was away in between.
pub fn versions_tell_every_write_apart(harness: &mut dyn Harness) {
    let engine = harness.engine();
    let write = || Batch { put: vec![put("a", "1")], ..Batch::default() };
    let commits = [write(), write(), Batch { delete: vec![key("a")], ..Batch::default() }, write()];
    // Without waiting in between, so that they share a group where the engine has groups.
    let pending: Vec<_> = commits.into_iter().map(|batch| engine.commit(batch)).collect();
    let mut versions: Vec<u64> = pending.into_iter().map(|c| c.wait().expect("committed").version).collect();
    assert_eq!(engine.get(&key("a")).expect("read").expect("there").version, versions[3]);
    versions.dedup();
    assert!(versions.len() == 4 && versions.is_sorted(), "{versions:?}");
}

/// A row that is deleted and put is there.
pub fn deletes_are_done_before_puts(harness: &mut dyn Harness) {
    let engine = harness.engine();
    commit_ok(&*engine, Batch { put: vec![put("a", "1")], ..Batch::default() });
    let both =
        Batch { put: vec![put("a", "2"), put("a", "3")], delete: vec![key("a"), key("missing")], ..Batch::default() };
    commit_ok(&*engine, both);
    assert_eq!(read(&*engine, "a"), Some("3".into()));
}

/// Values are as long as allowed and no longer.
pub fn a_batch_over_a_limit_is_refused_by_name(harness: &mut dyn Harness) {
    let engine = harness.engine();
    let of = |bytes: usize| Batch { put: vec![(key("a"), vec![7; bytes])], ..Batch::default() };
    commit_ok(&*engine, of(MAX_VALUE_BYTES));
    assert_eq!(engine.get(&key("a")).expect("read").expect("there").value, vec![7; MAX_VALUE_BYTES]);
    let error = commit(&*engine, of(MAX_VALUE_BYTES + 1));
    let expected = CommitError::TooLarge { what: "value", size: MAX_VALUE_BYTES + 1, limit: MAX_VALUE_BYTES };
    assert_eq!(error, Err(expected));
}

/// A batch of a group that fails does not touch the others, and later ones see the earlier ones' rows.
pub fn batches_of_one_group_succeed_or_fail_alone(harness: &mut dyn Harness) {
    let engine = harness.engine();
    let absent = |name: &str, value: &str| Batch {
        expect: vec![(key(name), Expect::Absent)],
        put: vec![put(name, value)],
        ..Batch::default()
    };
    let batches = [absent("a", "1"), absent("a", "2"), absent("b", "3"), absent("b", "4"), absent("c", "5")];
    let pending: Vec<_> = batches.into_iter().map(|batch| engine.commit(batch)).collect();
    let done: Vec<bool> = pending.into_iter().map(|commit| commit.wait().is_ok()).collect();
    assert_eq!(done, [true, false, true, false, true]);
    let values = ["a", "b", "c"].map(|name| read(&*engine, name).unwrap_or_default());
    assert_eq!(values, ["1", "3", "5"]);
}

/// A batch may ask and write nothing.
pub fn a_batch_of_nothing_but_an_expectation_is_answered(harness: &mut dyn Harness) {
    let engine = harness.engine();
    let ask = |expect| Batch { expect: vec![(key("a"), expect)], ..Batch::default() };
    assert!(commit(&*engine, ask(Expect::Absent)).is_ok());
    assert!(commit(&*engine, ask(Expect::Version(1))).is_err());
    assert!(commit(&*engine, Batch::default()).is_ok());
}

/// Whatever is written after the call, and nothing of before; the newest write of each key.
pub fn a_follower_is_told_of_every_write_after_it_began(harness: &mut dyn Harness) {
    let engine = harness.engine();
    let engine = &*engine;
    commit_ok(engine, Batch { put: vec![put("before", "1"), put("removed", "1")], ..Batch::default() });
    let follow = engine.follow().expect("a working engine is followed");
    commit_ok(engine, Batch { put: vec![put("after", "1")], ..Batch::default() });
    commit_ok(engine, Batch { delete: vec![key("removed")], ..Batch::default() });
    let last = commit_ok(engine, Batch { put: vec![put("after", "2")], ..Batch::default() });
    let followed = follow.take().expect("it keeps up");
    let mut seen: Vec<_> = followed
        .writes
        .into_iter()
        .filter(|(k, _)| [key("before"), key("removed"), key("after")].contains(k))
        .collect();
    seen.sort_by(|one, other| one.0.cmp(&other.0));
    let after = crate::engine::Row { version: last, value: b"2".to_vec() };
    assert_eq!(seen, [(key("after"), Some(after)), (key("removed"), None)]);
    assert_eq!(followed.commit, last);
    let more = follow.take().expect("it keeps up");
    assert!(more.writes.is_empty(), "{more:?}");
}
