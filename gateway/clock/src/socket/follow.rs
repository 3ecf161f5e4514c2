//! A clock that follows the one of another process: a thread reads its steps from the socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::client::{ANSWER_WITHIN, ClientError, broken, read_reply, unreachable};
use crate::domain::{Source, Stepped};
use crate::wire::{MAX_LINE, Reading, Request, Yes};
use crate::{ClockMode, DomainClock};

/// How long to wait before the next try to reach a process that went away (real time).
const RECONNECT_AFTER: Duration = Duration::from_millis(20);

/// The live connection of a following clock; closed when the clock is dropped, which ends the thread that reads it.
#[derive(Debug)]
pub(crate) struct Link {
    stream: Mutex<UnixStream>,
}

impl Link {
    fn replace(&self, stream: UnixStream) {
        *self.stream.lock().unwrap_or_else(PoisonError::into_inner) = stream;
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let stream = self.stream.get_mut().unwrap_or_else(PoisonError::into_inner);
        // One that is closed already is as good.
        let _ = stream.shutdown(Shutdown::Both);
    }
}

/// The steps of another process's clock, as lines.
struct Steps {
    path: PathBuf,
    lines: BufReader<UnixStream>,
}

pub(super) fn follow(path: &Path) -> Result<DomainClock, ClientError> {
    let (first, steps) = Steps::open(path)?;
    match first.mode {
        ClockMode::System => Ok(DomainClock::system()),
        ClockMode::Scaled { speed, .. } => {
            let start_ms = Some(first.now_ms);
            DomainClock::new(ClockMode::Scaled { speed, start_ms }).map_err(|_| not_a_clock(path))
        }
        ClockMode::Stepped { .. } => follow_steps(first, steps),
    }
}

fn follow_steps(first: Reading, steps: Steps) -> Result<DomainClock, ClientError> {
    let stream = Mutex::new(steps.handle()?);
    let clock = DomainClock::following(first.now_ms, Link { stream });
    let followed = Arc::downgrade(clock.source());
    let path = steps.path.clone();
    std::thread::Builder::new()
        .name("clock-follow".to_owned())
        .spawn(move || run(&followed, steps))
        .map_err(|source| broken(&path, source))?;
    Ok(clock)
}

/// Moves the clock at each step until nobody holds it any more.
fn run(clock: &Weak<Source>, mut steps: Steps) {
    loop {
        while let Ok(reading) = steps.next() {
            if with_stepped(clock, |clock| clock.follow_to(reading.now_ms)).is_none() {
                return;
            }
        }
        let Some(again) = reconnect(clock, &steps.path) else {
            return;
        };
        steps = again;
    }
}

/// Tries until the other process is back; `None` when nobody holds the clock any more.
fn reconnect(clock: &Weak<Source>, path: &Path) -> Option<Steps> {
    loop {
        with_stepped(clock, |_| ())?;
        let opened = Steps::open(path).and_then(|(first, steps)| Ok((first, steps.handle()?, steps)));
        if let Ok((first, handle, steps)) = opened {
            with_stepped(clock, |clock| {
                if let Some(link) = clock.link() {
                    link.replace(handle);
                }
                clock.follow_to(first.now_ms);
            })?;
            return Some(steps);
        }
        std::thread::sleep(RECONNECT_AFTER);
    }
}

fn with_stepped<T>(clock: &Weak<Source>, act: impl FnOnce(&Stepped) -> T) -> Option<T> {
    match &*clock.upgrade()? {
        Source::Stepped(stepped) => Some(act(stepped)),
        Source::System | Source::Scaled(_) => None,
    }
}

impl Steps {
    /// Connects, asks to watch, and reads the first line.
    fn open(path: &Path) -> Result<(Reading, Self), ClientError> {
        let mut stream = UnixStream::connect(path).map_err(|source| unreachable(path, source))?;
        stream
            .set_read_timeout(Some(ANSWER_WITHIN))
            .and_then(|()| stream.write_all(&Request::Watch(Yes).line()))
            .map_err(|source| broken(path, source))?;
        let mut steps = Self { path: path.to_owned(), lines: BufReader::new(stream) };
        let first = steps.next()?;
        // From here on silence only means that nobody steps.
        let waits = steps.lines.get_ref().set_read_timeout(None);
        waits.map_err(|source| broken(path, source))?;
        Ok((first, steps))
    }

    fn next(&mut self) -> Result<Reading, ClientError> {
        let mut line = Vec::new();
        let mut read = (&mut self.lines).take(MAX_LINE);
        read.read_until(b'\n', &mut line).map_err(|source| broken(&self.path, source))?;
        read_reply(&self.path, &line)
    }

    fn handle(&self) -> Result<UnixStream, ClientError> {
        let handle = self.lines.get_ref().try_clone();
        handle.map_err(|source| broken(&self.path, source))
    }
}

fn not_a_clock(path: &Path) -> ClientError {
    let path = path.to_owned();
    ClientError::NotAClock { path }
}
