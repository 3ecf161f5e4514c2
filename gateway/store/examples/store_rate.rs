//! A quick measure of durable commits on sled with 64 threads: batches of three rows of 2 KB, then batches as receiving a
//! webhook makes them. `store_rate [SECONDS] [DIR]`.
#![expect(clippy::print_stdout, reason = "its output is its purpose")]
#![expect(clippy::disallowed_methods, reason = "a measure reads the clock")]

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};
use tidegate_store::{
    Batch, Changes, Engine, Key, Lane, Queue, Space, WorkRow, keys,
    records::Dedupe,
    sled::{SledOptions, open},
};

const COMMITTERS: usize = 64;

type Error = Box<dyn std::error::Error>;
type Make = fn(&dyn Engine) -> Batch;

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let seconds = Duration::from_secs(arguments.next().map_or(Ok(4), |text| text.parse())?);
    let dir: PathBuf = arguments.next().map_or_else(|| std::env::temp_dir().join("tidegate-store-rate"), Into::into);
    measure("three rows of 2 KB", three_rows, &dir, seconds)?;
    measure("a webhook: delivery of 2.7 KB, de-duplication, work", webhook, &dir, seconds)
}

fn three_rows(engine: &dyn Engine) -> Batch {
    let seq = engine.next_seq();
    let row = |space| (Key::new(space, 1).u64(seq), vec![seq as u8; 2_000]);
    let spaces = [Space::Deliveries, Space::Interpretations, Space::Messages];
    Batch { put: spaces.map(row).into(), ..Batch::default() }
}

fn webhook(engine: &dyn Engine) -> Batch {
    let mut changes = Changes::new(engine.seq());
    let seq = changes.next_seq();
    // In order of time in front, spread behind, as ids are.
    let id = (u128::from(seq) << 64 | u128::from(seq.wrapping_mul(0x9e37_79b9_7f4a_7c15))).to_be_bytes();
    let hash = u128::from(seq).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes();
    changes.put_row(keys::delivery(1, &id), vec![seq as u8; 2_700]);
    Dedupe { workspace: 1, endpoint: 1, hash }.record(&mut changes, 20_000, 9, &id);
    changes.enqueue(Queue::Pure, Lane::new(1, 0, seq as u16 & 0x3ff), &WorkRow::new(1, id));
    changes.into_batch()
}

fn measure(name: &str, make: Make, dir: &Path, time: Duration) -> Result<(), Error> {
    let _ = std::fs::remove_dir_all(dir);
    let engine = open(&SledOptions::new(dir))?;
    let (cpu, began, stop) = (cpu_seconds(), Instant::now(), AtomicBool::new(false));
    let mut waits: Vec<Duration> = Vec::new();
    std::thread::scope(|scope| {
        let committers = [(); COMMITTERS].map(|()| scope.spawn(|| commit_until(&*engine, make, &stop)));
        std::thread::sleep(time);
        stop.store(true, Ordering::Relaxed);
        for committer in committers {
            waits.extend(committer.join().unwrap_or_default());
        }
    });
    let (took, cpu, stats) = (began.elapsed(), cpu_seconds() - cpu, engine.stats());
    waits.sort_unstable();
    let at = |percent: usize| waits.get(waits.len() * percent / 100).copied().unwrap_or_default();
    println!("{name}: {:.0} batches/s with {COMMITTERS} committers", waits.len() as f64 / took.as_secs_f64());
    println!("  p50 {:?}  p99 {:?}  {:.1} batches a group", at(50), at(99), stats.commits as f64 / stats.groups as f64);
    println!("  {:.0} µs of processor time a batch, {}", cpu * 1e6 / waits.len() as f64, peak_memory());
    drop(engine);
    let began = Instant::now();
    let engine = open(&SledOptions::new(dir))?;
    println!("  opened again in {:?}, ready {:?}", began.elapsed(), engine.stats().ready);
    drop(engine);
    Ok(std::fs::remove_dir_all(dir)?)
}

/// Commits one batch after the other; gives how long each took.
fn commit_until(engine: &dyn Engine, make: Make, stop: &AtomicBool) -> Vec<Duration> {
    let mut waits = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let batch = make(engine);
        let began = Instant::now();
        if let Err(error) = engine.commit(batch).wait() {
            println!("{error}");
            break;
        }
        waits.push(began.elapsed());
    }
    waits
}

/// Processor time of this process so far, where the system tells.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = stat.split(' ').skip(13).take(2).filter_map(|text| text.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default().replace('\t', " ")
}
