//! Ranges: ordered, cut, limited.

use super::{Harness, commit_ok, key, put};
use crate::{
    engine::{Batch, Engine, KeyRange, MAX_RANGE, Order},
    keys::{Key, Space},
};

fn names(engine: &dyn Engine, range: &KeyRange, order: Order, limit: usize) -> String {
    let rows = engine.range(range, order, limit).expect("the range is read");
    rows.into_iter().map(|(_, row)| String::from_utf8_lossy(&row.value).into_owned()).collect()
}

/// Forward and backward, from and to.
pub fn ranges_are_ordered_both_ways_and_cut_at_both_ends(harness: &mut dyn Harness) {
    let engine = harness.engine();
    let rows = ["c", "a", "e", "b", "d"].map(|name| put(name, name));
    let outside = [(Key::new(Space::Messages, 2), b"x".to_vec()), (Key::new(Space::Messages, 0).u8(9), b"y".to_vec())];
    commit_ok(&*engine, Batch { put: [&rows[..], &outside[..]].concat(), ..Batch::default() });
    let all = KeyRange::prefix(&Key::new(Space::Messages, 1));
    let check = |range: &KeyRange, order, limit, expected: &str| {
        assert_eq!(names(&*engine, range, order, limit), expected, "{range:?} {order:?} {limit}");
    };
    check(&all, Order::Forward, 10, "abcde");
    check(&all, Order::Backward, 10, "edcba");
    check(&all, Order::Forward, 2, "ab");
    check(&all, Order::Backward, 2, "ed");
    check(&all, Order::Forward, 0, "");
    check(&all.clone().after(&key("b")), Order::Forward, 2, "cd");
    check(&all.clone().before(&key("d")), Order::Backward, 2, "cb");
    check(&KeyRange::between(&key("b"), &key("d")), Order::Forward, 10, "bc");
    check(&KeyRange::between(&key("b"), &key("d")), Order::Backward, 10, "cb");
    check(&KeyRange::between(&key("d"), &key("b")), Order::Forward, 10, "");
    check(&KeyRange::prefix(&key("zz")), Order::Backward, 10, "");
}

/// One read gives a slice at most; a cursor gets the rest.
pub fn a_range_gives_no_more_than_its_limit(harness: &mut dyn Harness) {
    let engine = harness.engine();
    let rows = |from: u32| (from..from + 300).map(|n| (Key::new(Space::Messages, 1).u32(n), vec![0])).collect();
    for from in [0, 300, 600, 900] {
        commit_ok(&*engine, Batch { put: rows(from), ..Batch::default() });
    }
    let all = KeyRange::prefix(&Key::new(Space::Messages, 1));
    let first = engine.range(&all, Order::Forward, 5_000).expect("read");
    assert_eq!(first.len(), MAX_RANGE);
    let rest = engine.range(&all.after(&first[MAX_RANGE - 1].0), Order::Forward, 5_000).expect("read");
    assert_eq!(rest.len(), 200);
}
