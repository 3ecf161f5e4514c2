//! Salvage: what can still be read of a damaged store. The reading is done on copies of its files, because sled writes while it opens; by a
//! thread of its own, because a damaged tree may lead sled in a circle; and twice, with sled's snapshot of its pages and without it.

use super::{
    CopyError, Count, Counts, SLICE_BYTES, SLICE_ROWS, Tell,
    report::Tally,
    target::{Finished, Target},
};
use crate::{
    embedded::Known,
    engine::{KeyRange, OpenError, Order, Row},
    keys::{Key, ReadyKey, Space, TimerKey},
    migrate,
    sled::read_leniently,
};
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::Path,
    sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    time::Duration,
};

/// How long one slice may take before the reading is given up: a slice of a sound store takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(60);
/// Slices that are read ahead.
const AHEAD: usize = 4;
/// Why a store without its mark is not opened.
const NO_MARK: &str = "durable.mark is missing or unreadable";
/// Bits of a sequence number below the opening.
const COUNTER_BITS: u32 = 40;

/// How sled is made to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// By its snapshot of where the pages are, and the log behind it.
    WithSnapshot,
    /// By the whole log. It ends where it is damaged, or goes on behind the damaged segment without a word: what is missing is not known.
    WithoutSnapshot,
}

/// A part of the keys that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hole {
    /// Which kind of rows, where that is known.
    pub kind: String,
    /// The last key that was read before it, in text form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The first key that was read behind it, in text form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What sled said.
    pub reason: String,
}

/// What was read of a damaged store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Salvaged {
    /// How.
    pub variant: Variant,
    /// The rows.
    pub rows: Counts,
    /// Damaged rows, by the text form of their keys.
    pub damaged: Vec<String>,
    /// Parts that can't be read.
    pub holes: Vec<Hole>,
    /// The last commit whose rows are known to be whole; none when the store does not say.
    pub commit: Option<u64>,
    /// The last commit that was acknowledged; none when the mark can't be read.
    pub acknowledged: Option<u64>,
    /// Whether the store says which format it has. Without that, the present one is assumed.
    pub format_known: bool,
    /// Why no gateway opens the store as it is, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

impl Salvaged {
    /// Whether it is sure that nothing is lost.
    pub fn is_whole(&self) -> bool {
        self.variant == Variant::WithSnapshot
            && self.damaged.is_empty()
            && self.holes.is_empty()
            && self.format_known
            && self.missing_commits().is_none()
            && self.commit.is_some()
            && self.acknowledged.is_some()
    }

    /// The acknowledged commits that are missing, first and last.
    pub fn missing_commits(&self) -> Option<(u64, u64)> {
        match (self.commit, self.acknowledged) {
            (Some(commit), Some(acknowledged)) if commit < acknowledged => Some((commit + 1, acknowledged)),
            (None, Some(acknowledged)) => Some((1, acknowledged)),
            _ => None,
        }
    }

    /// Which of two is worth more: more rows, then the later commit.
    pub fn worth(&self) -> (u64, u64) {
        let Count { rows, .. } = self.rows.total();
        (rows, self.commit.unwrap_or(0))
    }
}

/// Salvages the store in `dir`, which is not touched, into `into`; its files are copied to `scratch` first. Neither directory exists yet.
///
/// # Errors
/// Nothing at all can be read; or the disk that is copied to.
pub fn salvage(
    dir: &Path,
    scratch: &Path,
    into: &Path,
    variant: Variant,
    tell: Tell<'_>,
) -> Result<Salvaged, CopyError> {
    copy_files(dir, scratch, variant)?;
    let done = read_all(scratch, into, variant, tell);
    // The reader may be stuck with its files open; the space is given back when the process ends.
    let _ = fs::remove_dir_all(scratch);
    done
}

/// What the reading thread tells.
enum Told {
    Opened {
        known: Option<Known>,
        marked: Option<u64>,
    },
    Failed(OpenError),
    Rows {
        rows: Vec<(Key, Row)>,
        damaged: Vec<Key>,
    },
    Hole(Hole),
    /// Why no gateway would open it, if so.
    End(Option<String>),
}

fn read_all(scratch: &Path, into: &Path, variant: Variant, tell: Tell<'_>) -> Result<Salvaged, CopyError> {
    let (telling, told) = sync_channel(AHEAD);
    let dir = scratch.to_owned();
    let reader = std::thread::Builder::new().name("salvage".to_owned()).spawn(move || read(&dir, &telling));
    reader.map_err(|source| CopyError::Io { action: "start a thread for", path: scratch.to_owned(), source })?;
    let mut target = Target::create(into)?;
    let mut found = Found::default();
    loop {
        match told.recv_timeout(PATIENCE) {
            Ok(Told::Opened { known, marked }) => {
                migrate::check_format(known.as_ref().and_then(|known| known.format))?;
                (found.known, found.marked) = (known, marked);
            }
            Ok(Told::Failed(error)) => return Err(error.into()),
            Ok(Told::Rows { rows, damaged }) => {
                found.note(&rows, &damaged);
                found.tally.read_parts(&rows, &damaged);
                rows.into_iter().try_for_each(|(key, row)| target.put(key, row))?;
                found.tally.tell(tell)?;
            }
            Ok(Told::Hole(hole)) => found.holes.push(hole),
            Ok(Told::End(refused)) => {
                found.refused = refused;
                break;
            }
            Err(error) => {
                found.holes.push(Hole {
                    kind: "rows".to_owned(),
                    after: found.last.take(),
                    before: None,
                    reason: gave_up(error),
                });
                break;
            }
        }
    }
    found.finish(target, variant)
}

fn gave_up(error: RecvTimeoutError) -> String {
    match error {
        RecvTimeoutError::Timeout => format!("sled did not answer for {} seconds", PATIENCE.as_secs()),
        RecvTimeoutError::Disconnected => "sled panicked".to_owned(),
    }
}

/// What has been read so far.
#[derive(Default)]
struct Found {
    tally: Tally,
    known: Option<Known>,
    marked: Option<u64>,
    holes: Vec<Hole>,
    last: Option<String>,
    refused: Option<String>,
    /// The newest opening that a row was numbered in.
    opening: u64,
    has_format: bool,
}

impl Found {
    fn note(&mut self, rows: &[(Key, Row)], damaged: &[Key]) {
        for (key, _) in rows {
            let seq = match key.space() {
                Some(Space::Timers) => TimerKey::parse(key).map(|timer| timer.seq),
                Some(Space::Ready | Space::Io) => ReadyKey::parse(key).map(|ready| ready.seq),
                Some(Space::DeadLetters) => key.get(5..13).and_then(|seq| seq.try_into().ok()).map(u64::from_be_bytes),
                _ => None,
            };
            self.opening = self.opening.max(seq.unwrap_or(0) >> COUNTER_BITS);
            self.has_format |= *key == crate::keys::meta("format");
        }
        self.last = rows.last().map(|(key, _)| key).into_iter().chain(damaged.last()).max().map(Key::to_string);
    }

    fn finish(self, mut target: Target, variant: Variant) -> Result<Salvaged, CopyError> {
        let commit = self.known.as_ref().map(Known::commit).filter(|commit| *commit > 0);
        let openings = self.known.as_ref().map_or(0, Known::openings).max(self.opening);
        if !self.has_format {
            let (key, value) = crate::embedded::format_row(migrate::FORMAT);
            target.put(key, Row { version: commit.unwrap_or(1), value })?;
        }
        // Never behind what was acknowledged, so that no number of a commit comes twice.
        let Finished { counts, .. } = target.finish(commit.unwrap_or(0).max(self.marked.unwrap_or(0)), openings)?;
        let report = self.tally.report(counts, 0);
        Ok(Salvaged {
            variant,
            rows: report.rows,
            damaged: report.damaged,
            holes: self.holes,
            commit,
            acknowledged: self.marked,
            format_known: self.has_format,
            refused: if self.marked.is_none() { Some(NO_MARK.to_owned()) } else { self.refused },
        })
    }
}

/// The reading thread: opens, and reads kind by kind, so that a hole in one hides nothing of another; behind a hole it reads from the end.
fn read(dir: &Path, telling: &SyncSender<Told>) {
    let tell = |told: Told| telling.send(told).is_ok();
    let opened = match read_leniently(dir) {
        Ok(opened) => opened,
        Err(error) => {
            tell(Told::Failed(error));
            return;
        }
    };
    if !tell(Told::Opened { known: opened.known.clone(), marked: opened.marked }) {
        return;
    }
    for first in 0..=u8::MAX {
        let all = KeyRange::prefix(&[first]);
        let Err(fault) = read_way(&opened, &all, Order::Forward, &tell) else { continue };
        let rest = match &fault.at {
            Some(key) => all.after(key),
            None => all,
        };
        let back = read_way(&opened, &rest, Order::Backward, &tell).err();
        let before = back.as_ref().and_then(|fault| fault.at.as_ref());
        let kind = Space::from_byte(first).map_or("rows of an unknown kind", Space::label).to_owned();
        let hole = Hole {
            kind,
            after: fault.at.as_ref().map(Key::to_string),
            before: before.map(Key::to_string),
            reason: fault.reason,
        };
        if !tell(Told::Hole(hole)) {
            return;
        }
    }
    drop(opened);
    let refused = super::Stopped::open(dir).err().map(|error| match error {
        OpenError::Damaged { what, .. } => what,
        error => error.to_string(),
    });
    tell(Told::End(refused));
}

/// Where reading stopped.
struct Broken {
    at: Option<Key>,
    reason: String,
}

fn read_way(
    opened: &crate::sled::Opened,
    all: &KeyRange,
    order: Order,
    tell: &impl Fn(Told) -> bool,
) -> Result<(), Broken> {
    let mut at: Option<Key> = None;
    let mut limit = SLICE_ROWS;
    loop {
        let range = match (&at, order) {
            (None, _) => all.clone(),
            (Some(key), Order::Forward) => all.clone().after(key),
            (Some(key), Order::Backward) => all.clone().before(key),
        };
        match opened.rows(&range, order, limit, SLICE_BYTES) {
            Ok(found) => {
                let end = found.last.is_none();
                at = found.last.or(at);
                if !tell(Told::Rows { rows: found.rows, damaged: found.damaged }) || end {
                    return Ok(());
                }
            }
            // A slice that meets the hole gives nothing: shorter ones come nearer to it.
            Err(_) if limit > 1 => limit = limit.div_ceil(8).min(limit - 1),
            Err(fault) => return Err(Broken { at, reason: fault.to_string() }),
        }
    }
}

/// Copies the files of a closed store.
fn copy_files(from: &Path, to: &Path, variant: Variant) -> Result<(), CopyError> {
    fs::create_dir_all(to).map_err(io_error("create the directory", to))?;
    for entry in fs::read_dir(from).map_err(io_error("list", from))? {
        let entry = entry.map_err(io_error("list", from))?;
        let (path, name) = (entry.path(), entry.file_name());
        let is_snapshot = name.to_string_lossy().starts_with("snap.");
        if path.is_dir() {
            copy_files(&path, &to.join(&name), variant)?;
        } else if name != "lock" && !(is_snapshot && variant == Variant::WithoutSnapshot) {
            fs::copy(&path, to.join(&name)).map_err(io_error("copy", &path))?;
        }
    }
    Ok(())
}

fn io_error<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> CopyError + 'a {
    move |source| CopyError::Io { action, path: path.to_owned(), source }
}
