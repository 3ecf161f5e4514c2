//! `tidegate store`, `backup`, `restore`, `compact` and `repair`: keeping the store.

use super::{Failure, Target, control::Control, output, progress::Line};
use crate::upkeep::{self, UpkeepFault};
use anyhow::anyhow;
use clap::{Args, Subcommand};
use indicatif::{HumanBytes, HumanCount};
use serde_json::{Value, json};
use std::{
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
};
use tidegate_clock::DomainClock;
use tidegate_model::Timestamp;
use tidegate_store::{
    OpenError,
    copy::{self, CopyError, Count, Counts, Progress, Repaired, Stopped, Variant},
};

/// Lost rows that people are shown; `--json` has all.
const SHOWN: usize = 20;

#[derive(Debug, Subcommand)]
pub(super) enum StoreCommand {
    /// Rows and bytes by kind, and the oldest of each. Reads every row, of a running gateway or a stopped one.
    Stats(Target),
}

#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    #[command(flatten)]
    target: Target,
    /// Where it goes: a new or empty directory.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// The backup's directory.
    #[arg(value_name = "BACKUP")]
    backup: PathBuf,
    /// The data directory to make: new or empty.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// `tidegate store`.
pub(super) fn run(command: &StoreCommand) -> Result<u8, Failure> {
    let StoreCommand::Stats(target) = command;
    let figures = if is_running(&target.data) {
        Control::new(&target.data)?.get("/v1/store")?
    } else {
        let line = Line::new("Counting", None);
        let store = Stopped::open(&target.data.join("store")).map_err(|error| refused(error.into()))?;
        let bytes = copy::store_bytes(&target.data).map_err(refused)?;
        let figures = upkeep::figures(&store, bytes, &mut line.tell()).map_err(refused)?;
        serde_json::to_value(figures).map_err(anyhow::Error::from)?
    };
    if target.json {
        output::json(&figures);
        return Ok(0);
    }
    let mut rows = Vec::new();
    for (kind, held) in figures["kinds"].as_object().into_iter().flatten() {
        let number = |key: &str| held[key].as_u64().unwrap_or_default();
        let oldest = held["oldest"].as_str().unwrap_or("-").to_owned();
        rows.push(vec![kind.clone(), count(number("rows")), bytes(number("bytes")), oldest]);
    }
    output::table(&["KIND", "ROWS", "BYTES", "OLDEST"], rows, "the store is empty");
    let number = |key: &str| figures[key].as_u64().unwrap_or_default();
    output::line(format!(
        "{} rows, {} of keys and values, {} on disk",
        count(number("rows")),
        bytes(number("bytes")),
        bytes(number("disk_bytes"))
    ));
    let damaged: Vec<&str> = figures["damaged"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    list("damaged rows: stop the gateway, and let `tidegate repair` save the others", &damaged);
    Ok(0)
}

/// `tidegate backup`.
pub(super) fn backup(args: &BackupArgs) -> Result<u8, Failure> {
    let began = now();
    let dir = std::path::absolute(&args.dir).map_err(anyhow::Error::from)?;
    copy::refuse_occupied(&dir).map_err(refused)?;
    let line = Line::new("Backing up", None);
    let made = if is_running(&args.target.data) {
        let control = Control::new(&args.target.data)?;
        let look = |value: &Value| {
            if let Ok(progress) = serde_json::from_value::<Progress>(value["progress"].clone()) {
                line.show(&progress);
            }
        };
        control.post_watched("/v1/backup", &json!({"dir": dir}), "/v1/backup", look)?
    } else {
        let made = upkeep::backup_stopped(&args.target.data, &dir, now(), &mut line.tell()).map_err(refused)?;
        serde_json::to_value(made).map_err(anyhow::Error::from)?
    };
    drop(line);
    let seconds = seconds_since(began);
    let damaged: Vec<&str> = made["damaged"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if args.target.json {
        output::json(&with(&made, json!({"dir": dir, "seconds": seconds})));
    } else {
        let counts: Counts = serde_json::from_value(made["rows"].clone()).map_err(anyhow::Error::from)?;
        output::line(format!("{} in {seconds:.1} s: {}", held(&counts), dir.display()));
        output::line("The configuration, its secrets and its plugin files are not in it: keep a copy of them too.");
        list("rows that are damaged and not in the backup", &damaged);
    }
    Ok(u8::from(!damaged.is_empty()))
}

/// `tidegate restore`.
pub(super) fn restore(args: &RestoreArgs) -> Result<u8, Failure> {
    let began = now();
    let line = Line::new("Restoring", upkeep::note_of(&args.backup).map(|note| note.rows.total().rows));
    let report = upkeep::restore(&args.backup, &args.data, &mut line.tell()).map_err(fault)?;
    drop(line);
    let seconds = seconds_since(began);
    if args.json {
        let report = serde_json::to_value(report).map_err(anyhow::Error::from)?;
        output::json(&with(&report, json!({"data": args.data, "seconds": seconds})));
    } else {
        output::line(format!("{} in {seconds:.1} s: {}", held(&report.rows), args.data.display()));
        output::line(
            "What went out after the backup was made is not known to it: waiting messages and timers of that time act again.",
        );
    }
    Ok(0)
}

/// `tidegate compact`.
pub(super) fn compact(target: &Target) -> Result<u8, Failure> {
    let began = now();
    let line = Line::new("Compacting", None);
    let done = upkeep::compact(&target.data, &mut line.tell()).map_err(fault)?;
    drop(line);
    let seconds = seconds_since(began);
    if target.json {
        let done = serde_json::to_value(done).map_err(anyhow::Error::from)?;
        output::json(&with(&done, json!({"seconds": seconds})));
    } else {
        let (before, after) = (done.before_bytes, done.after_bytes);
        let gained = match before.checked_sub(after) {
            Some(gained) => format!("{} gained", bytes(gained)),
            None => "nothing gained".to_owned(),
        };
        let rows = count(done.report.rows.total().rows);
        output::line(format!(
            "{} before, {} now: {gained}; {rows} rows in {seconds:.1} s",
            bytes(before),
            bytes(after)
        ));
    }
    Ok(0)
}

/// `tidegate repair`.
pub(super) fn repair(target: &Target) -> Result<u8, Failure> {
    let began = now();
    let line = Line::new("Reading what can be read", None);
    let done = copy::repair(&target.data, &mut line.tell()).map_err(refused)?;
    drop(line);
    let lost = !done.salvaged.is_whole();
    if target.json {
        let value = serde_json::to_value(&done).map_err(anyhow::Error::from)?;
        output::json(&with(&value, json!({"lost": lost, "seconds": seconds_since(began)})));
    } else {
        tell_repair(&done, lost);
    }
    Ok(u8::from(lost))
}

fn tell_repair(done: &Repaired, lost: bool) {
    let Repaired { salvaged, kept, .. } = done;
    let Some(kept) = kept else {
        return output::line(format!("Nothing is damaged, and nothing was changed: {}.", held(&salvaged.rows)));
    };
    if let Some(refused) = &salvaged.refused {
        output::line(format!("Why no gateway starts on it: {refused}."));
    }
    output::line(format!("Saved: {}. The damaged store is kept as it was: {}", held(&salvaged.rows), kept.display()));
    if !lost {
        return output::line("Nothing is lost.");
    }
    match (salvaged.missing_commits(), salvaged.acknowledged) {
        (Some((first, last)), _) => output::line(format!(
            "Lost: commits {first} to {last} were acknowledged, and are missing. Providers repeat webhooks that were answered 200 only when asked to."
        )),
        (None, None) => output::line("Its mark is gone: whether acknowledged commits are missing can't be told."),
        (None, Some(last)) => output::line(format!("Its last acknowledged commit, {last}, is there.")),
    }
    if salvaged.variant == Variant::WithoutSnapshot {
        output::line(
            "It was read by its log alone, which passes over a damaged part without a word: rows that nothing here names may be missing.",
        );
    }
    if !salvaged.format_known {
        output::line("It does not say any more which format it has; this version's was assumed.");
    }
    let damaged: Vec<&str> = salvaged.damaged.iter().map(String::as_str).collect();
    list("lost rows, whose checksum was wrong", &damaged);
    let hole = |hole: &copy::Hole| {
        let side = |key: &Option<String>| key.clone().unwrap_or_else(|| "none".to_owned());
        format!(
            "{}: an unknown number, after [{}] and before [{}] ({})",
            hole.kind,
            side(&hole.after),
            side(&hole.before),
            hole.reason
        )
    };
    let holes: Vec<String> = salvaged.holes.iter().map(hole).collect();
    list("lost parts", &holes.iter().map(String::as_str).collect::<Vec<_>>());
}

fn list(what: &str, rows: &[&str]) {
    if rows.is_empty() {
        return;
    }
    output::line(format!("{} {what}:", rows.len()));
    rows.iter().take(SHOWN).for_each(|row| output::line(format!("  {row}")));
    if rows.len() > SHOWN {
        output::line(format!("  and {} more; --json lists them all", rows.len() - SHOWN));
    }
}

/// Whether a gateway answers there. A socket that a killed one left does not.
pub(super) fn is_running(data: &Path) -> bool {
    UnixStream::connect(data.join(crate::app::CONTROL_SOCKET)).is_ok()
}

fn fault(fault: UpkeepFault) -> Failure {
    match fault {
        UpkeepFault::Copy(error) => refused(error),
        UpkeepFault::Damaged { .. } | UpkeepFault::Incomplete { .. } => Failure::Work(anyhow!(fault.to_string())),
    }
}

/// What the operator named wrongly is usage; what the store or the disk refuses is work that failed.
fn refused(error: CopyError) -> Failure {
    match error {
        CopyError::NotEmpty { .. } | CopyError::Open(OpenError::Missing { .. }) => Failure::Usage(error.to_string()),
        error => Failure::Work(error.into()),
    }
}

fn with(value: &Value, more: Value) -> Value {
    let (Value::Object(mut fields), Value::Object(more)) = (value.clone(), more) else { return value.clone() };
    fields.extend(more);
    Value::Object(fields)
}

fn held(counts: &Counts) -> String {
    let Count { rows, bytes: size } = counts.total();
    format!("{} rows, {}", count(rows), bytes(size))
}

fn count(number: u64) -> String {
    HumanCount(number).to_string()
}

fn bytes(number: u64) -> String {
    HumanBytes(number).to_string()
}

/// The machine's time: what a person waits is no matter of a stepped clock.
fn now() -> Timestamp {
    Timestamp::from_ms(DomainClock::system().now_ms())
}

fn seconds_since(began: Timestamp) -> f64 {
    now().ms().saturating_sub(began.ms()) as f64 / 1_000.0
}
