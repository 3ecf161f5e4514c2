//! The side that reads and steps a clock of another process.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use super::follow;
use crate::DomainClock;
use crate::wire::{MAX_LINE, Reading, Reply, Request, Yes};

/// How long the other process may take to answer (real time); it has nothing to wait for.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// A handle to the clock of another process. Each call opens its own connection, so that the other process may start anew in between.
#[derive(Debug, Clone)]
pub struct ClockClient {
    path: PathBuf,
}

/// Why another process's clock was not read or stepped.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nothing listens there (yet): trying again helps if the process is starting.
    #[error("no clock answers at {}: start the gateway with its clock socket there ({source})", path.display())]
    Connect {
        /// The socket's path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The connection broke; a step may or may not have been made.
    #[error("the connection to the clock at {} broke: {source}", path.display())]
    Broken {
        /// The socket's path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No answer in time; a step may or may not have been made.
    #[error("the clock at {} did not answer within {} s", path.display(), ANSWER_WITHIN.as_secs())]
    Silent {
        /// The socket's path.
        path: PathBuf,
    },
    /// What listens there is no clock of this version.
    #[error("what listens at {} does not answer as a clock: is it another program's socket?", path.display())]
    NotAClock {
        /// The socket's path.
        path: PathBuf,
    },
    /// The clock's process refused the step: trying again does not help.
    #[error("the clock at {} refused: {reason}", path.display())]
    Refused {
        /// The socket's path.
        path: PathBuf,
        /// Its reason.
        reason: String,
    },
}

impl ClockClient {
    /// A handle to the clock whose socket is at this path. Nothing is opened yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// What the clock shows, and how it runs.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn now(&self) -> Result<Reading, ClientError> {
        self.ask(Request::Now(Yes)).await
    }

    /// Moves the clock on by so many milliseconds; gives the new time.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn advance(&self, by_ms: i64) -> Result<i64, ClientError> {
        Ok(self.ask(Request::AdvanceMs(by_ms)).await?.now_ms)
    }

    /// Moves the clock on to an instant (Unix milliseconds); gives the new time.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn set(&self, to_ms: i64) -> Result<i64, ClientError> {
        Ok(self.ask(Request::SetMs(to_ms)).await?.now_ms)
    }

    /// A clock in this process that shows the other one's time. A step there is pushed, and arrives here a moment later: `sleep_until` the time that a step
    /// returned before relying on it. A stepped clock is followed by a thread until the last clone is dropped, across restarts of the other process; while that
    /// is away, or behind, the time stands still. Blocks until the first answer.
    ///
    /// # Errors
    /// [`ClientError`], when the first connection fails.
    pub fn follow(&self) -> Result<DomainClock, ClientError> {
        follow::follow(&self.path)
    }

    async fn ask(&self, request: Request) -> Result<Reading, ClientError> {
        match tokio::time::timeout(ANSWER_WITHIN, exchange(&self.path, request)).await {
            Ok(answer) => answer,
            Err(_elapsed) => Err(ClientError::Silent { path: self.path.clone() }),
        }
    }
}

async fn exchange(path: &Path, request: Request) -> Result<Reading, ClientError> {
    let mut stream = UnixStream::connect(path).await.map_err(|source| unreachable(path, source))?;
    let mut line = Vec::new();
    let talk = async {
        stream.write_all(&request.line()).await?;
        let mut read = BufReader::new(&mut stream).take(MAX_LINE);
        read.read_until(b'\n', &mut line).await
    };
    talk.await.map_err(|source| broken(path, source))?;
    read_reply(path, &line)
}

pub(super) fn read_reply(path: &Path, line: &[u8]) -> Result<Reading, ClientError> {
    let path = path.to_owned();
    match serde_json::from_slice(line) {
        Ok(Reply::Reading(reading)) => Ok(reading),
        Ok(Reply::Error { error: reason }) => Err(ClientError::Refused { path, reason }),
        Err(_) => Err(ClientError::NotAClock { path }),
    }
}

pub(super) fn unreachable(path: &Path, source: io::Error) -> ClientError {
    let path = path.to_owned();
    ClientError::Connect { path, source }
}

pub(super) fn broken(path: &Path, source: io::Error) -> ClientError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => ClientError::Silent { path },
        _ => ClientError::Broken { path, source },
    }
}
