//! Power cuts: the driver's every write and sync is recorded, and the disk is rebuilt as a cut at any moment may leave it.

use super::{
    Acks,
    disk::Disk,
    open_store,
    plan::Random,
    random,
    recording::{Event, record},
    rounds, scratch,
};
use std::{collections::BTreeMap, fs, path::Path};

/// Moments at which the power is cut (numbers of events), and how often at each.
type Moments = BTreeMap<u64, u64>;

/// Opens what a cut left, looks at it, and looks again after another start.
fn check(root: &Path, acks: &Acks) -> Result<(), String> {
    let dir = root.join("store");
    let marked =
        fs::read(dir.join("durable.mark")).ok().map(|mark| u64::from_be_bytes(mark[12..20].try_into().unwrap()));
    if *acks != Acks::default() && marked == Some(0) {
        return Err("the mark names no commit, as if the first start had come to no end".to_owned());
    }
    let look = || {
        let engine = open_store(&dir).map_err(|error| error.to_string())?;
        acks.check(&*engine).map(|()| engine)
    };
    let engine = look()?;
    let commit = engine.get(&tidegate_store::keys::meta("commit")).map_err(|error| error.to_string())?;
    let commit = commit.map_or(0, |row| u64::from_be_bytes(row.value[..8].try_into().unwrap()));
    // Opening made one commit of its own.
    if marked.is_some_and(|marked| marked >= commit) {
        return Err(format!("the mark says {marked:?}, the store had {}", commit - 1));
    }
    drop(engine);
    look().map_err(|problem| format!("at the second start: {problem}")).map(drop)
}

/// Cuts the power at these moments of a recording that begins with this disk. What is acknowledged is added to `acks`.
fn cut_all(root: &Path, events: &[Event], mut disk: Disk, acks: &mut Acks, moments: &Moments, random: &mut Random) {
    let (mut quiet, mut problems, mut kept) = (false, Vec::new(), None);
    for (place, event) in (0..).zip(events) {
        for _ in 0..moments.get(&place).copied().unwrap_or_default() {
            let (image, path) = scratch();
            let seed = random.next();
            disk.write_cut(&path, Random::new(seed));
            if let Err(problem) = check(&path, acks) {
                problems.push(format!("cut before event {place} of {}, seed {seed}: {problem}", events.len()));
                kept.get_or_insert(image);
            }
        }
        match event {
            Event::Acknowledged(said) => acks.hear(said, |now| quiet = now),
            event => {
                assert!(!quiet, "a store that is left alone writes nothing: {event:?}");
                disk.apply(event);
            }
        }
    }
    if let Some(first) = kept {
        panic!("{}\nthe first of these disks is in {}", problems.join("\n"), first.keep().display());
    }
    // The recorder missed nothing: with all that it saw, the disk is as the directory.
    let (_whole, path) = scratch();
    disk.write_whole(&path);
    assert_eq!(files(&path), files(root));
}

/// Every file under a directory, with a sum of what is in it.
fn files(root: &Path) -> Vec<(String, usize, u32)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            found.extend(
                files(&entry.path()).into_iter().map(|(inner, len, sum)| (format!("{name}/{inner}"), len, sum)),
            );
        } else {
            let bytes = fs::read(entry.path()).unwrap();
            found.push((name, bytes.len(), crc32c::crc32c(&bytes)));
        }
    }
    found.sort();
    found
}

fn some_of(events: usize, cuts: u64, random: &mut Random) -> Moments {
    let mut moments = Moments::new();
    (0..cuts).for_each(|_| *moments.entry(random.below(events as u64)).or_default() += 1);
    moments
}

#[test]
fn a_power_cut_at_any_moment_of_a_first_start_leaves_a_store_that_starts() {
    let mut random = random();
    let (_dir, root) = scratch();
    let before = Disk::of(&root);
    let events = record(&root, 1, 1);
    let every = (0..events.len() as u64).map(|place| (place, rounds(1))).collect();
    cut_all(&root, &events, before, &mut Acks::default(), &every, &mut random);
}

#[test]
fn a_power_cut_loses_nothing_acknowledged_and_tears_no_batch() {
    let mut random = random();
    let (dir, root) = scratch();
    let empty = Disk::of(&root);
    let events = record(&root, 100, 3);
    let log = fs::metadata(root.join("store/db")).unwrap().len();
    let written: u64 = events.iter().map(Event::written).sum();
    assert!(written > 2 * log, "segments are used again: {written} bytes were written, the files have {log}");
    let moments = some_of(events.len(), rounds(24), &mut random);
    cut_all(&root, &events, empty.clone(), &mut Acks::default(), &moments, &mut random);
    drop(dir);

    // A store that a cut left, and that was started again, is cut again.
    let (_dir, root) = scratch();
    let mut acks = Acks::default();
    let mut disk = empty;
    for event in &events[..random.below(events.len() as u64) as usize] {
        match event {
            Event::Acknowledged(said) => acks.hear(said, |_| ()),
            event => disk.apply(event),
        }
    }
    disk.write_cut(&root, random.clone());
    let before = Disk::of(&root);
    let events = record(&root, 50, 2);
    let moments = some_of(events.len(), rounds(12), &mut random);
    cut_all(&root, &events, before, &mut acks, &moments, &mut random);
}
