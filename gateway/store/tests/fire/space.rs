//! Space: what old rows took is used again, also when they die at different times.

use super::{open_store, plan::Random, scratch};
use std::fs;
use tidegate_store::{Batch, Key, Space};

/// Rounds: each writes rows that are removed in order some rounds later, and rows at random places that stay for longer.
const ROUNDS: u64 = 1_200;
/// Rounds that a row in order stays.
const SHORT: u64 = 200;
/// Rounds of a day, whose random rows go together.
const DAY: u64 = 100;
/// Days that random rows stay.
const DAYS: u64 = 5;
/// Rows of a round in each of several places, and how long they are: as a webhook, what is made of it, its message and its run.
const IN_ORDER: (u64, [usize; 8]) = (10, [2_500, 1_500, 700, 600, 300, 200, 60, 300]);
/// Rows of a round at random places.
const AT_RANDOM: u64 = 40;

fn in_order(place: usize, round: u64, n: u64) -> Key {
    Key::new(Space::Messages, 1).u64(place as u64).u64(round).u64(n)
}

fn at_random(day: u64, n: u64) -> Key {
    Key::new(Space::Contacts, 1).u64(day).u64(Random::new(day << 32 | n).next())
}

/// What one round writes and removes.
fn round_of(round: u64, noise: &[u8]) -> Batch {
    let mut batch = Batch::default();
    let (rows, lengths) = IN_ORDER;
    for (place, len) in lengths.into_iter().enumerate() {
        for n in 0..rows {
            let at = (round * 61 + n * 17) as usize % 30_000;
            batch.put.push((in_order(place, round, n), noise[at..at + len].to_vec()));
            if round >= SHORT {
                batch.delete.push(in_order(place, round - SHORT, n));
            }
        }
    }
    for n in 0..AT_RANDOM {
        let (day, n) = (round / DAY, round % DAY * AT_RANDOM + n);
        batch.put.push((at_random(day, n), noise[..22].to_vec()));
        if day >= DAYS {
            batch.delete.push(at_random(day - DAYS, n));
        }
    }
    batch
}

#[test]
fn a_file_whose_rows_come_and_go_keeps_its_size() {
    /// Largest file at the end, in MiB: it has 36, and 96 when pages are not moved.
    const MOST_MIB: u64 = 60;
    let (_dir, dir) = scratch();
    let engine = open_store(&dir).unwrap();
    let mut random = Random::new(1);
    let noise: Vec<u8> = std::iter::repeat_with(|| random.next() as u8).take(40_000).collect();
    let size = || fs::metadata(dir.join("db")).unwrap().len() >> 20;
    let mut half = 0;
    for round in 0..ROUNDS {
        engine.commit(round_of(round, &noise)).wait().unwrap();
        if round == ROUNDS / 2 {
            half = size();
        }
    }
    let end = size();
    println!("{half} MiB after half of the rounds, {end} MiB at the end");
    assert!(end < MOST_MIB && end < half * 5 / 4, "{half} MiB after half of the rounds, {end} MiB at the end");
}
