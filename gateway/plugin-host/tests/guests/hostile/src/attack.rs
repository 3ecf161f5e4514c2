//! Attacks on the host.

use crate::{
    bindings::tidegate::plugin::{
        host::{Level, log},
        types::Outcome,
    },
    skip,
    wasi::wasi::{clocks::monotonic_clock, random::random::get_random_bytes},
};
use std::{hint::black_box, io::Write, mem, time::Duration};

pub(crate) fn run(what: &str) -> Outcome {
    match what {
        "loop" => loop {
            black_box(0);
        },
        "calls" => loop {
            black_box(monotonic_clock::now());
        },
        "random-flood" => loop {
            black_box(get_random_bytes(1 << 16));
        },
        "random-huge" => {
            black_box(get_random_bytes(1 << 40));
        }
        "prints" => loop {
            let _ = std::io::stdout().write_all(b"flood");
            let _ = std::io::stderr().write_all(b"flood");
        },
        "handles" => loop {
            mem::forget(monotonic_clock::subscribe_duration(3_600_000_000_000));
        },
        "poll" => monotonic_clock::subscribe_duration(3_600_000_000_000).block(),
        "trap" => std::process::abort(),
        "not-utf8" => {
            // SAFETY: none; that is the attack.
            return Outcome::Skip(unsafe { String::from_utf8_unchecked(vec![b'a', 0xff, 0xfe]) });
        }
        "outside" => {
            // SAFETY: none; that is the attack. It is never read here.
            return Outcome::Skip(unsafe { String::from_raw_parts(0xffff_0000 as *mut u8, 1 << 15, 1 << 15) });
        }
        "sleep" => std::thread::sleep(Duration::from_secs(3_600)),
        "memory" => {
            let mut hoard = Vec::new();
            loop {
                hoard.push(black_box(vec![1u8; 1 << 20]));
            }
        }
        "polite-memory" => {
            let mut hoard: Vec<u8> = Vec::new();
            return skip(if hoard.try_reserve_exact(1 << 30).is_err() { "refused, and went on" } else { "got it" });
        }
        "panic" => panic!("told to"),
        "stack" => {
            black_box(dig(black_box(1)));
        }
        "log-flood" => (0..1_000_000).for_each(|_| log(Level::Debug, "flood")),
        "log-long" => log(Level::Debug, &"é".repeat(1 << 20)),
        "huge" => return skip(&"x".repeat(20 << 20)),
        "exit" => std::process::exit(7),
        other => return skip(&format!("unknown attack {other}")),
    }
    skip("survived")
}

/// Recursion without an end that a compiler could see.
fn dig(depth: u64) -> u64 {
    let held = [depth; 64];
    if depth == 0 { 0 } else { black_box(&held)[0] + dig(black_box(depth + 1)) }
}
