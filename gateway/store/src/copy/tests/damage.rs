//! Damaged stores: what can be read is read, and what is lost is told.

use super::*;

/// A closed store with so many rows of about a kilobyte in a few spaces, each in a commit of its own.
fn filled(bench: &Bench, rows: u32) {
    let mut engine = bench.open("store");
    for n in 0..rows {
        if n == rows / 2 {
            // sled writes its snapshot when it opens.
            drop(engine);
            engine = bench.open("store");
        }
        let space = [Space::Deliveries, Space::Messages, Space::Runs][n as usize % 3];
        commit(&*engine, vec![(Key::new(space, 1).u32(n), vec![n as u8; 1_000])], vec![]);
    }
}

fn log_length(bench: &Bench) -> usize {
    let bytes = fs::read(bench.path("store/db")).unwrap();
    bytes.iter().rposition(|byte| *byte != 0).unwrap()
}

/// Salvages both ways and gives the better one, opened: of two alike the one with the snapshot, as a repair does.
fn salvaged(bench: &Bench, round: &str) -> (Salvaged, Arc<dyn Engine>) {
    let files = |bench: &Bench| {
        let mut files: Vec<_> = fs::read_dir(bench.path("store")).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
            .into_iter()
            .filter(|path| path.is_file())
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect::<Vec<_>>()
    };
    let before = files(bench);
    let try_one = |variant: Variant, name: String| {
        let done = salvage(&bench.path("store"), &bench.path("scratch"), &bench.path(&name), variant, &mut quiet);
        done.ok().map(|salvaged| (salvaged, name))
    };
    let both = [Variant::WithoutSnapshot, Variant::WithSnapshot]
        .into_iter()
        .filter_map(|variant| try_one(variant, format!("{round}-{variant:?}")));
    let (best, name) = both.max_by_key(|(salvaged, _)| salvaged.worth()).expect("something can be read");
    assert!(files(bench) == before, "the damaged store was changed");
    (best, bench.open(&name))
}

/// Whatever is there is as it was, and nothing is missing without a word.
fn check(bench: &Bench, round: &str, rows: u32) -> Salvaged {
    let (salvaged, engine) = salvaged(bench, round);
    let mut found = 0;
    for n in 0..rows {
        let space = [Space::Deliveries, Space::Messages, Space::Runs][n as usize % 3];
        if let Some(row) = engine.get(&Key::new(space, 1).u32(n)).unwrap() {
            assert_eq!(row.value, vec![n as u8; 1_000], "row {n}, {round}");
            found += 1;
        }
    }
    assert!(
        found == rows || !salvaged.is_whole(),
        "{} rows are missing without a word, {round}: {salvaged:?}",
        rows - found
    );
    commit(&*engine, vec![(key(9_999_999), vec![1])], vec![]);
    salvaged
}

#[test]
fn of_a_sound_store_everything_is_salvaged() {
    let bench = Bench::new();
    filled(&bench, 300);
    let salvaged = check(&bench, "sound", 300);
    assert!(salvaged.is_whole(), "{salvaged:?}");
}

#[test]
fn flipped_bytes_cost_what_is_named_and_no_more() {
    let bench = Bench::new();
    filled(&bench, 1_500);
    let path = bench.path("store/db");
    let (whole, length) = (fs::read(&path).unwrap(), log_length(&bench));
    for percent in [1, 20, 50, 80, 97] {
        let mut bytes = whole.clone();
        let at = length * percent / 100;
        bytes[at] ^= 0x55;
        bytes[at + 1] ^= 0x55;
        fs::write(&path, bytes).unwrap();
        check(&bench, &format!("flipped at {percent} %"), 1_500);
    }
}

#[test]
fn of_a_store_that_was_cut_short_the_missing_commits_are_told() {
    let bench = Bench::new();
    filled(&bench, 900);
    let length = log_length(&bench) as u64;
    for percent in [90, 50] {
        let file = fs::OpenOptions::new().write(true).open(bench.path("store/db")).unwrap();
        file.set_len(length * percent / 100).unwrap();
        let refused = open(&SledOptions::new(bench.path("store"))).err().unwrap().to_string();
        assert!(refused.contains("`tidegate repair`"), "{refused}");
        let salvaged = check(&bench, &percent.to_string(), 900);
        assert!(salvaged.missing_commits().is_some() || !salvaged.holes.is_empty(), "{salvaged:?}");
        assert!(salvaged.rows.total().rows > 100, "{salvaged:?}");
    }
}

#[test]
fn a_damaged_row_and_a_lost_mark_are_told() {
    let bench = Bench::new();
    filled(&bench, 30);
    {
        let db = open_guarded(&bench.path("store"), 1 << 20).unwrap();
        db.insert(&*Key::new(Space::Messages, 1).u32(1), "garbage in here").unwrap();
        db.flush().unwrap();
    }
    let stopped = Stopped::open(&bench.path("store")).unwrap();
    let report = copy_stopped(&stopped, &bench.path("backup"), &mut quiet).unwrap();
    assert_eq!(report.damaged, ["message in workspace 1: 00000001"]);
    assert_eq!(rows(&*bench.open("backup")).len(), 29, "the others are backed up");
    drop(stopped);
    let salvaged = check(&bench, "damaged row", 30);
    assert_eq!(salvaged.damaged, ["message in workspace 1: 00000001"]);
    assert_eq!((salvaged.rows.0["message"].rows, salvaged.missing_commits()), (9, None));
    fs::remove_file(bench.path("store/durable.mark")).unwrap();
    let salvaged = check(&bench, "no mark", 30);
    assert_eq!(salvaged.acknowledged, None);
}

/// Rows in many pages, most of them behind a snapshot of sled.
fn of_many_pages(bench: &Bench) {
    let engine = bench.open("store");
    for hundred in 0..150u32 {
        let rows = (0..100).map(|n| (key(hundred * 100 + n), vec![n as u8; 400]));
        commit(&*engine, rows.collect(), vec![]);
    }
    drop(engine);
    drop(bench.open("store"));
}

fn assert_rows_are_as_they_were(engine: &dyn Engine) -> u64 {
    let rows = rows(engine);
    for (key, row) in &rows {
        let n = key.last_chunk().copied().map(u32::from_be_bytes).unwrap();
        assert_eq!(row.value, vec![(n % 100) as u8; 400]);
    }
    rows.len() as u64
}

#[test]
fn of_the_two_ways_to_read_the_one_that_loses_less_is_taken() {
    let bench = Bench::new();
    of_many_pages(&bench);
    let (path, length) = (bench.path("store/db"), log_length(&bench));
    let whole = fs::read(&path).unwrap();
    let mut ways = Vec::new();
    // By the snapshot a page is lost; by the log, what came after the damage, or everything.
    for percent in [2, 45, 68, 90, 99] {
        let mut bytes = whole.clone();
        bytes[length * percent / 100] ^= 0x55;
        fs::write(&path, &bytes).unwrap();
        let (salvaged, engine) = salvaged(&bench, &percent.to_string());
        let found = assert_rows_are_as_they_were(&*engine);
        assert!(found > 10_000, "{percent} %: {found} rows, {salvaged:?}");
        assert!(found == 15_000 || !salvaged.is_whole(), "{percent} %: rows are missing without a word: {salvaged:?}");
        ways.push(salvaged.variant);
    }
    assert!(ways.contains(&Variant::WithSnapshot) && ways.contains(&Variant::WithoutSnapshot), "{ways:?}");
}

#[test]
fn a_repair_puts_what_it_saved_in_place_keeps_the_damaged_store_and_names_the_hole() {
    let sound = Bench::new();
    of_many_pages(&sound);
    let untouched = repair(sound.dir.path(), &mut quiet).unwrap();
    assert!(untouched.kept.is_none() && untouched.salvaged.is_whole(), "{untouched:?}");
    let files: Vec<_> = fs::read_dir(sound.path("store")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let length = log_length(&sound);
    // Where sled puts a page differs from run to run: a byte that matters to one way of reading may not matter to the other.
    let lossy = (60..99).find(|percent| {
        let bench = Bench::new();
        fs::create_dir(bench.path("store")).unwrap();
        for path in files.iter().filter(|path| path.is_file()) {
            fs::copy(path, bench.path("store").join(path.file_name().unwrap())).unwrap();
        }
        let path = bench.path("store/db");
        let mut damaged = fs::read(&path).unwrap();
        damaged[length * percent / 100] ^= 0x55;
        fs::write(&path, &damaged).unwrap();
        !repairs(&bench, &damaged)
    });
    assert!(lossy.is_some(), "some byte of the log matters");
}

/// Repairs a store whose log was damaged, checks what is told of it, and says whether all rows were saved.
fn repairs(bench: &Bench, damaged: &[u8]) -> bool {
    let data = bench.dir.path();
    let Repaired { salvaged, kept, .. } = repair(data, &mut quiet).unwrap();
    assert!(kept.is_some() || salvaged.is_whole(), "{salvaged:?}");
    if let Some(kept) = kept {
        assert!(fs::read(kept.join("db")).unwrap() == damaged, "the damaged store is not as it was");
    }
    assert!(salvaged.holes.iter().all(|hole| hole.kind == "message" && hole.after.is_some()), "{salvaged:?}");
    assert!(!bench.path(".store.partial").exists());
    let found = assert_rows_are_as_they_were(&*bench.open("store"));
    assert!(found == 15_000 || (found > 10_000 && !salvaged.is_whole()), "{found}, {salvaged:?}");
    let again = repair(data, &mut quiet).unwrap();
    assert!(again.kept.is_none(), "there is nothing left to repair: {again:?}");
    found == 15_000
}
