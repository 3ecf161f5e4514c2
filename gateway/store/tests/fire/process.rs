//! Processes: killed at any moment, two on one directory, limited in their files, measured.

use super::{Acks, DRIVER, open_store, plan, random, recording::kill_after, rounds, scratch};
use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

fn heard(said: &[u8], mut acks: Acks) -> Acks {
    acks.hear(said, |_| ());
    acks
}

fn fill(dir: &Path, rows: u64) -> u64 {
    let ran = Command::new(DRIVER).arg("fill").arg(dir).arg(rows.to_string()).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    String::from_utf8(ran.stdout).unwrap().trim().parse().unwrap()
}

/// A driver that has a store open.
struct Holder(Child);

impl Holder {
    fn start(dir: &Path) -> Self {
        let mut command = Command::new(DRIVER);
        let child = command.arg("hold").arg(dir).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut holder = Self(child.unwrap());
        let mut line = String::new();
        BufReader::new(holder.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "open\n");
        holder
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_kill_between_any_two_steps_of_a_start_leaves_a_store_that_starts() {
    let (_dir, root) = scratch();
    let dir = root.join("store");
    // First the very first start, then one with rows and a log to go through.
    for rows in [0, 20_000] {
        if rows > 0 {
            fill(&dir, rows);
        }
        let mut kills = 0;
        for events in 1.. {
            if kill_after(events, &root, 0, 1).is_none() {
                break;
            }
            kills += 1;
            if rows == 0 {
                drop(open_store(&dir).unwrap());
                fs::remove_dir_all(&dir).unwrap();
            } else if events % 2 == 0 {
                // Every other kill meets what the one before left.
                let engine = open_store(&dir).unwrap();
                assert!(engine.get(&plan::filling(rows - 1)).unwrap().is_some());
            }
        }
        assert!(kills > 10, "only {kills} steps");
        let engine = open_store(&dir).unwrap();
        let found = (0..rows).filter(|n| engine.get(&plan::filling(*n)).unwrap().is_some()).count();
        assert_eq!(found as u64, rows);
    }
}

#[test]
fn a_kill_at_any_moment_of_writing_loses_nothing_acknowledged() {
    let mut random = random();
    let (_dir, root) = scratch();
    let mut acks = Acks::default();
    for _ in 0..rounds(8) {
        let events = 1 + random.below(800);
        let Some(said) = kill_after(events, &root, 1_000, 1) else { panic!("{events} events are more than a run has") };
        acks = heard(&said, acks);
        let engine = open_store(&root.join("store")).unwrap();
        acks.check(&*engine).unwrap_or_else(|problem| panic!("killed after {events} events: {problem}"));
    }
    assert_ne!(acks, Acks::default());
}

#[test]
fn of_two_processes_on_one_directory_the_second_is_told_who_has_it() {
    let (_dir, dir) = scratch();
    let holder = Holder::start(&dir);
    let id = holder.0.id();
    let error = open_store(&dir).map(drop).unwrap_err().to_string();
    assert!(error.contains(&format!("in use by process {id} (the driver)")), "{error}");
    // Killed, it has let go at once.
    drop(holder);
    open_store(&dir).unwrap();
}

#[test]
fn a_file_that_may_not_grow_stops_the_store_for_good_and_loses_nothing_acknowledged() {
    let (_dir, root) = scratch();
    let (dir, acks) = (root.join("store"), root.join("acks"));
    for mib in [6, 13] {
        // In blocks of 512 bytes; with its signal ignored, the limit is an error of the write, as a full disk is.
        let script = "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"";
        let mut shell = Command::new("sh");
        shell.args(["-c", script]).arg((mib * 2_048).to_string()).arg(DRIVER).arg("write");
        let ran = shell.args([&dir, &acks]).args(["100000", "1"]).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(1), "{said}");
        assert!(said.contains("the store has stopped") && said.contains("health: Failed"), "{said}");
        assert!(said.contains("a write failed") && said.contains("File too large"), "{said}");
        let engine = open_store(&dir).unwrap();
        heard(&fs::read(&acks).unwrap(), Acks::default()).check(&*engine).unwrap();
    }
}

#[test]
fn many_rows_in_large_batches_do_not_pile_up_in_memory() {
    /// Most memory that the driver may ever have, in KiB: it has 62 MB, and 124 MB when the epoch is not advanced.
    const MOST_KIB: u64 = 92_000;
    let (_dir, dir) = scratch();
    let peak = fill(&dir, 300_000);
    println!("{peak} KiB");
    assert!(peak < MOST_KIB, "{peak} KiB");
    assert_eq!(fs::read_dir(dir.join("blobs")).unwrap().count(), 0);
}
