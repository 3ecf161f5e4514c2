//! A process with a store, for tests that kill it, limit it, or write down what it does to its files.
//!
//! `write DIR ACKS BATCHES OPENINGS` commits batches of the plan from several threads, and adds to ACKS which of them are durable.
//! `fill DIR ROWS` writes many small rows and prints the most memory that it had (KiB).
//! `hold DIR` opens the store, says so, and keeps it until its input ends.
#![expect(clippy::print_stdout, reason = "its output is what the tests read")]

mod plan;

use std::{
    collections::VecDeque,
    fs::{File, OpenOptions},
    io::{Read, Write},
    path::Path,
    thread,
    time::Duration,
};
use tidegate_store::{
    Batch, Commit, Engine,
    engine::MAX_BATCH_OPS,
    sled::{SledOptions, open},
};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Commits that a writer has under way, so that groups hold several batches.
const UNDER_WAY: usize = 3;
/// How long the store is left alone at the end of each opening: longer than sled's own flushing would wait.
const QUIET: Duration = Duration::from_millis(600);

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["write", dir, acks, batches, openings] => {
            write(Path::new(dir), Path::new(acks), batches.parse()?, openings.parse()?)
        }
        ["fill", dir, rows] => fill(Path::new(dir), rows.parse()?),
        ["hold", dir] => hold(Path::new(dir)),
        _ => Err("see the top of driver.rs".into()),
    }
}

fn write(dir: &Path, acks: &Path, batches: u64, openings: u64) -> Result<(), Error> {
    let acks = OpenOptions::new().create(true).append(true).open(acks)?;
    for opening in 1..=openings {
        let engine = open(&SledOptions::new(dir).holder("the driver"))?;
        thread::scope(|scope| {
            let writers = (0..plan::WRITERS).map(|writer| {
                let (engine, acks) = (&*engine, &acks);
                scope.spawn(move || write_batches(engine, writer, batches, acks))
            });
            let writers: Vec<_> = writers.collect();
            writers.into_iter().try_for_each(|writer| writer.join().map_err(|_| "a writer panicked")?)
        })
        .map_err(|error: Error| format!("{error} (health: {:?})", engine.health()))?;
        if opening == openings {
            say(&acks, b'q', 0)?;
            thread::sleep(QUIET);
            say(&acks, b'e', 0)?;
        }
    }
    Ok(())
}

/// Goes on behind the last batch that the store has.
fn write_batches(engine: &dyn Engine, writer: u8, batches: u64, acks: &File) -> Result<(), Error> {
    let last = plan::count(engine.get(&plan::counter(writer))?.as_ref().map(|row| &*row.value));
    let mut under_way: VecDeque<(u64, Commit)> = VecDeque::new();
    for number in last + 1..=last + batches {
        under_way.push_back((number, engine.commit(batch(writer, number))));
        if under_way.len() == UNDER_WAY {
            finish(&mut under_way, writer, acks)?;
        }
    }
    while !under_way.is_empty() {
        finish(&mut under_way, writer, acks)?;
    }
    Ok(())
}

/// A batch as it is committed.
fn batch(writer: u8, number: u64) -> Batch {
    let mut batch = Batch { put: vec![(plan::counter(writer), number.to_be_bytes().to_vec())], ..Batch::default() };
    for step in plan::steps(writer, number) {
        match step.len {
            Some(_) => batch.put.push((plan::key(writer, step.slot), plan::value(writer, number, step))),
            None => batch.delete.push(plan::key(writer, step.slot)),
        }
    }
    batch
}

fn finish(under_way: &mut VecDeque<(u64, Commit)>, writer: u8, acks: &File) -> Result<(), Error> {
    let Some((number, commit)) = under_way.pop_front() else { return Ok(()) };
    commit.wait()?;
    say(acks, writer, number)
}

/// One write of nine bytes: whole or not at all, also when the process is killed.
fn say(mut acks: &File, what: u8, number: u64) -> Result<(), Error> {
    let mut line = [what; 9];
    line[1..].copy_from_slice(&number.to_be_bytes());
    Ok(acks.write_all(&line)?)
}

fn fill(dir: &Path, rows: u64) -> Result<(), Error> {
    let engine = open(&SledOptions::new(dir).cache_bytes(8 << 20))?;
    let row = |n: u64| (plan::filling(n), vec![n as u8; 100]);
    let mut next = 0;
    while next < rows {
        let end = rows.min(next + MAX_BATCH_OPS as u64);
        engine.commit(Batch { put: (next..end).map(row).collect(), ..Batch::default() }).wait()?;
        next = end;
    }
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("the system does not tell")?;
    println!("{}", peak.trim().trim_end_matches(" kB"));
    Ok(())
}

fn hold(dir: &Path) -> Result<(), Error> {
    let _engine = open(&SledOptions::new(dir).holder("the driver"))?;
    println!("open");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
