//! Bodies: cut, joined, damaged.

use super::*;
use crate::memory::Memory;
use proptest::prelude::*;

const OWNER: [u8; 16] = [7; 16];

/// Bytes that do not compress.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let step = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    std::iter::repeat_with(step).take(length).collect()
}

#[test]
fn a_body_is_cut_so_that_every_row_keeps_its_limit() {
    let check = |body: &[u8], chunks: usize| {
        let parts = split_body(body).unwrap();
        assert_eq!(parts.chunks.len(), chunks, "{} bytes", body.len());
        assert!(parts.head.len() <= MAX_HEAD_BYTES && parts.chunks.iter().all(|c| c.len() <= MAX_VALUE_BYTES));
        assert_eq!(join_body(&parts.head, &parts.chunks).unwrap(), body);
    };
    check(b"", 0);
    check(b"{}", 0);
    check(&vec![b'a'; 4 << 20], 0);
    check(&noise(MAX_HEAD_BYTES - PREFIX), 0);
    check(&noise(MAX_HEAD_BYTES - PREFIX + 1), 1);
    check(&noise(4 << 20), 85);
}

#[test]
fn a_long_body_is_stored_in_several_commits_and_read_back() {
    let memory = Memory::new();
    let engine = memory.engine();
    for length in [10, 100_000, 4 << 20] {
        let body = noise(length);
        let mut parts = split_body(&body).unwrap();
        let ahead = parts.take_ahead(1, &OWNER);
        assert_eq!(ahead.is_empty(), length < 1 << 20);
        for batch in ahead {
            engine.commit(batch).wait().unwrap();
        }
        let mut changes = Changes::new(engine.seq());
        parts.put_chunks(1, &OWNER, &mut changes);
        engine.commit(changes.into_batch()).wait().unwrap();
        assert_eq!(read_body(&*engine, 1, &OWNER, &parts.head).unwrap().unwrap(), body);
    }
}

#[test]
fn what_is_missing_or_damaged_is_said() {
    let parts = split_body(&noise(100_000)).unwrap();
    let check = |head: &[u8], chunks: &[Vec<u8>], expected: &str| {
        assert_eq!(join_body(head, chunks).unwrap_err().to_string(), expected);
    };
    check(&parts.head, &parts.chunks[..1], "the body has 1 of its 2 chunk rows");
    check(&parts.head[..3], &[], "the body is damaged: its first bytes are no body's");
    check(&parts.head[..9], &parts.chunks, "the body is damaged: its length is not the stored one");
    let small = split_body(&[b'a'; 1_000]).unwrap().head;
    check(
        &small[..small.len() - 2],
        &[],
        "the body is damaged: its compressed bytes are broken, or more than was stored",
    );
    let error = split_body(&vec![0; MAX_BODY_BYTES + 1]).err();
    assert_eq!(error, Some(BodyError::TooLong { size: MAX_BODY_BYTES + 1, limit: MAX_BODY_BYTES }));
}

#[test]
fn a_head_that_unpacks_to_more_than_it_says_is_refused() {
    let mut head = split_body(&vec![0; 1 << 20]).unwrap().head;
    head[1..5].copy_from_slice(&10u32.to_be_bytes());
    assert_eq!(
        join_body::<Vec<u8>>(&head, &[]),
        Err(BodyError::Damaged("its compressed bytes are broken, or more than was stored"))
    );
}

proptest! {
    #[test]
    fn bodies_read_back(body in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let parts = split_body(&body).unwrap();
        prop_assert_eq!(join_body(&parts.head, &parts.chunks).unwrap(), body);
    }

    #[test]
    fn any_bytes_are_a_body_or_an_error(head in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = join_body::<Vec<u8>>(&head, &[]);
    }
}
