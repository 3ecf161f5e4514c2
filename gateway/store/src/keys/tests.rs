//! Keys: order, forms, privacy.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

#[test]
fn every_space_has_its_own_byte_and_label() {
    let bytes: BTreeSet<u8> = Space::ALL.iter().map(|s| *s as u8).collect();
    let labels: BTreeSet<&str> = Space::ALL.iter().map(|s| s.label()).collect();
    assert_eq!((bytes.len(), labels.len()), (Space::ALL.len(), Space::ALL.len()));
    for space in Space::ALL {
        assert_eq!(Space::from_byte(*space as u8), Some(*space));
    }
}

#[test]
fn the_text_of_a_key_names_space_and_workspace_and_hides_what_is_personal() {
    let check = |key: Key, expected: &str| assert_eq!(key.to_string(), expected);
    check(meta("format"), "meta in workspace 0: format");
    check(dead_letter(3, 255), "dead letter in workspace 3: 00000000000000ff");
    check(Key::from_bytes(vec![0xfe, 1]), "key of an unknown space (2 bytes)");
    let phone = contact_key(7, 1, "+393331234567").to_string();
    assert!(phone.starts_with("contact key in workspace 7: 15 bytes, checksum "), "{phone}");
    assert!(!phone.contains("333"));
}

#[test]
fn ready_and_timer_keys_have_the_documented_bytes() {
    let ready = ReadyKey { queue: Queue::Io, lane: Lane::new(1, 2, 3).ahead(), seq: 4 };
    assert_eq!(&*ready.key(), b"w\0\0\0\x01\0\0\0\x02\x80\x03\0\0\0\0\0\0\0\x04");
    let timer = TimerKey { due_ms: 5, seq: 6 };
    assert_eq!(&*timer.key(), b"t\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\x06");
    assert_eq!(TimerKey::parse(&ready.key()), None);
    assert_eq!(ReadyKey::parse(&timer.key()), None);
}

#[test]
fn a_moment_before_1970_is_due_at_once() {
    assert_eq!(TimerKey { due_ms: -9, seq: 1 }.key(), TimerKey { due_ms: 0, seq: 1 }.key());
    assert!(TimerKey { due_ms: -9, seq: 1 }.key() < TimerKey::end_of_due(0));
}

proptest! {
    #[test]
    fn ready_keys_read_back_and_sort_by_lane_then_place(a: (u32, u32, u16, u64), b: (u32, u32, u16, u64)) {
        let of = |t: (u32, u32, u16, u64)| ReadyKey {
            queue: Queue::Pure,
            lane: Lane { workspace: t.0, resource: t.1, shard: t.2 },
            seq: t.3,
        };
        prop_assert_eq!(ReadyKey::parse(&of(a).key()), Some(of(a)));
        prop_assert_eq!(of(a).key().cmp(&of(b).key()), a.cmp(&b));
    }

    #[test]
    fn timers_sort_by_moment(a in 0..i64::MAX, b in 0..i64::MAX, seq: u64) {
        let (x, y) = (TimerKey { due_ms: a, seq }, TimerKey { due_ms: b, seq });
        prop_assert_eq!(TimerKey::parse(&x.key()), Some(x));
        prop_assert_eq!(x.key().cmp(&y.key()), a.cmp(&b));
        prop_assert_eq!(x.key() < TimerKey::end_of_due(b), a <= b);
    }

    #[test]
    fn texts_keep_their_order_and_none_is_the_start_of_another(a in "[\\x00-\\x02ab]{0,4}", b in "[\\x00-\\x02ab]{0,4}") {
        let (x, y) = (registry(1, &a), registry(1, &b));
        prop_assert_eq!(x.cmp(&y), a.cmp(&b));
        prop_assert_eq!(x.starts_with(&y), a == b);
    }

    #[test]
    fn any_bytes_can_be_shown_and_parsed(bytes: Vec<u8>) {
        let _ = Key::from_bytes(bytes.clone()).to_string();
        let _ = (ReadyKey::parse(&bytes), TimerKey::parse(&bytes));
    }
}
