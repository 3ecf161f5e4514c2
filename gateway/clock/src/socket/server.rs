//! The side that owns the clock.

use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

use crate::DomainClock;
use crate::wire::{MAX_LINE, Reading, Reply, Request};

/// The most connections that are served at once; more wait in the socket's queue.
pub const MAX_CONNECTIONS: usize = 64;

/// Binds the clock's socket for this user alone, and takes the place of a socket file that a killed process left behind. Must be called inside a tokio runtime.
///
/// # Errors
/// When the path cannot be bound, is in use by a living process, or is not a socket.
pub fn bind(path: &Path) -> io::Result<UnixListener> {
    let listener = match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_left_behind(path) => {
            std::fs::remove_file(path)?;
            UnixListener::bind(path)?
        }
        bound => bound?,
    };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

fn is_left_behind(path: &Path) -> bool {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    is_socket && std::os::unix::net::UnixStream::connect(path).is_err_and(refused)
}

/// Shows and steps the clock over the socket, for whoever may open it. Runs until it is dropped, which closes all connections; returns only when the socket fails.
pub async fn serve(clock: DomainClock, listener: UnixListener) -> io::Error {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(clock.clone(), stream));
                }
                Err(error) => return error,
            },
            Some(_ended) = connections.join_next() => {}
        }
    }
}

/// Answers one client until it goes away; an error is the same as that.
async fn converse(clock: DomainClock, stream: UnixStream) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let mut line = Vec::new();
    loop {
        line.clear();
        (&mut read).take(MAX_LINE).read_until(b'\n', &mut line).await?;
        if line.last() != Some(&b'\n') {
            // The client closed, or wrote a line that never ends.
            return Ok(());
        }
        let reply = match serde_json::from_slice(&line) {
            Ok(Request::Watch(_)) => return watch(&clock, &mut read, &mut write).await,
            Ok(request) => answer(&clock, request),
            Err(error) => Reply::error(&format_args!(
                "not a request ({error}): write one of now, advance_ms, set_ms, watch, as in {{\"now\":true}}"
            )),
        };
        write.write_all(&reply.line()).await?;
    }
}

fn answer(clock: &DomainClock, request: Request) -> Reply {
    let stepped = match request {
        Request::Now(_) | Request::Watch(_) => Ok(clock.now_ms()),
        Request::AdvanceMs(by_ms) => clock.advance(by_ms),
        Request::SetMs(to_ms) => clock.set(to_ms),
    };
    let mode = clock.mode();
    match stepped {
        Ok(now_ms) => Reply::Reading(Reading { now_ms, mode }),
        Err(error) => Reply::error(&error),
    }
}

/// Tells the time now and at each step, until the client closes (or says anything more, which it may not).
async fn watch(clock: &DomainClock, read: &mut BufReader<OwnedReadHalf>, write: &mut OwnedWriteHalf) -> io::Result<()> {
    let mode = clock.mode();
    loop {
        let now_ms = clock.now_ms();
        let reply = Reply::Reading(Reading { now_ms, mode });
        write.write_all(&reply.line()).await?;
        tokio::select! {
            () = clock.changed(now_ms) => {}
            _ = read.fill_buf() => return Ok(()),
        }
    }
}
