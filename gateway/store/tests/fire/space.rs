//! Space: what old rows took is used again, also when they die at different times.

use super::{open_store, plan::Random, scratch};
use std::fs;
use tidegate_store::{Batch, Key, Space};

/// Rounds: each writes rows that are removed in order some rounds later, and rows at random places that stay for longer.
const ROUNDS: u64 = 1_500;
/// Rounds that a row in order stays.
const SHORT: u64 = 150;
/// Rounds of a day, whose random rows go together.
const DAY: u64 = 100;
/// Days that random rows stay.
const DAYS: u64 = 5;

fn in_order(round: u64, n: u64) -> Key {
    Key::new(Space::Messages, 1).u64(round).u64(n)
}

fn at_random(day: u64, n: u64) -> Key {
    Key::new(Space::Contacts, 1).u64(day).u64(Random::new(day << 32 | n).next())
}

#[test]
fn a_file_whose_rows_come_and_go_keeps_its_size() {
    let (_dir, dir) = scratch();
    let engine = open_store(&dir).unwrap();
    let noise: Vec<u8> = {
        let mut random = Random::new(1);
        std::iter::repeat_with(|| random.next() as u8).take(40_000).collect()
    };
    let size = || fs::metadata(dir.join("db")).unwrap().len() >> 20;
    let mut half = 0;
    for round in 0..ROUNDS {
        let mut batch = Batch::default();
        for n in 0..20 {
            let (at, len) = ((round * 61 + n * 17) as usize % 30_000, 100 + (n as usize % 5) * 300);
            batch.put.push((in_order(round, n), noise[at..at + len].to_vec()));
            if round >= SHORT {
                batch.delete.push(in_order(round - SHORT, n));
            }
        }
        for n in 0..100 {
            let n = round % DAY * 100 + n;
            batch.put.push((at_random(round / DAY, n), noise[..22].to_vec()));
            if round / DAY >= DAYS {
                batch.delete.push(at_random(round / DAY - DAYS, n));
            }
        }
        engine.commit(batch).wait().unwrap();
        if round == ROUNDS / 2 {
            half = size();
        }
    }
    println!("{half} MiB after half of the rounds, {} MiB at the end", size());
    assert!(size() < half * 5 / 4, "{half} MiB after half of the rounds, {} MiB at the end", size());
}
