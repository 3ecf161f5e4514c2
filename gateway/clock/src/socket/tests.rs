//! A clock and its socket, in one process: what is answered, what is pushed, what happens when a side goes away.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;

use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use super::{ClientError, ClockClient, bind, serve};
use crate::{ClockError, ClockMode, DomainClock};

/// A clock that is served on a thread until this is dropped.
struct Served {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Served {
    fn new(path: &Path, clock: DomainClock) -> Self {
        let runtime = runtime();
        let listener = {
            let _inside = runtime.enter();
            bind(path).unwrap()
        };
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    error = serve(clock, listener) => panic!("{error}"),
                    _ = stopped => {}
                }
            });
        });
        let (stop, thread) = (Some(stop), Some(thread));
        Self { stop, thread }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn socket() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clock.sock");
    (folder, path)
}

fn stepped(start_ms: i64) -> DomainClock {
    DomainClock::new(ClockMode::Stepped { start_ms }).unwrap()
}

fn say(stream: &mut UnixStream, line: &str) {
    stream.write_all(format!("{line}\n").as_bytes()).unwrap();
}

fn hear(lines: &mut BufReader<UnixStream>) -> String {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    line
}

#[test]
fn each_line_is_answered_by_a_line() {
    let (_folder, path) = socket();
    let _served = Served::new(&path, stepped(1000));
    let mut stream = UnixStream::connect(&path).unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    let mut check = |request: &str, reply: &str| {
        say(&mut stream, request);
        assert_eq!(hear(&mut lines).trim_end(), reply, "{request}");
    };
    let shows = |ms: i64| format!(r#"{{"now_ms":{ms},"mode":"stepped:1970-01-01T00:00:01Z"}}"#);
    check(r#"{"now":true}"#, &shows(1000));
    check(r#"{"advance_ms":500}"#, &shows(1500));
    check(r#"{"set_ms":4000}"#, &shows(4000));
    check(r#"{"set_ms":1}"#, r#"{"error":"the clock shows 4000 ms and cannot be set back to 1 ms"}"#);
    check(
        "stop",
        r#"{"error":"not a request (expected value at line 1 column 1): write one of now, advance_ms, set_ms, watch, as in {\"now\":true}"}"#,
    );
    check(r#"{"now":true}"#, &shows(4000));
}

#[test]
fn a_watcher_is_told_the_time_at_once_and_at_each_step() {
    let (_folder, path) = socket();
    let clock = stepped(0);
    let _served = Served::new(&path, clock.clone());
    let mut stream = UnixStream::connect(&path).unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    say(&mut stream, r#"{"watch":true}"#);
    assert!(hear(&mut lines).starts_with(r#"{"now_ms":0,"#));
    clock.advance(5).unwrap();
    assert!(hear(&mut lines).starts_with(r#"{"now_ms":5,"#));
    clock.set(9).unwrap();
    assert!(hear(&mut lines).starts_with(r#"{"now_ms":9,"#));
}

#[test]
fn a_line_that_never_ends_closes_the_connection() {
    let (_folder, path) = socket();
    let _served = Served::new(&path, stepped(0));
    let mut stream = UnixStream::connect(&path).unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    stream.write_all(&[b' '; 1024]).unwrap();
    assert_eq!(hear(&mut lines), "");
}

#[test]
fn a_client_reads_and_steps_the_clock() {
    let (_folder, path) = socket();
    let clock = stepped(1000);
    let _served = Served::new(&path, clock.clone());
    let client = ClockClient::new(&path);
    runtime().block_on(async {
        let reading = client.now().await.unwrap();
        assert_eq!((reading.now_ms, reading.mode), (1000, clock.mode()));
        assert_eq!(client.advance(60_000).await.unwrap(), 61_000);
        assert_eq!(client.set(70_000).await.unwrap(), 70_000);
        let refused = client.set(0).await.unwrap_err();
        assert!(matches!(refused, ClientError::Refused { .. }), "{refused}");
    });
    assert_eq!(clock.now_ms(), 70_000);
}

#[test]
fn a_flowing_clock_is_shown_but_not_stepped() {
    let (_folder, path) = socket();
    let _served = Served::new(&path, DomainClock::system());
    let client = ClockClient::new(&path);
    runtime().block_on(async {
        assert_eq!(client.now().await.unwrap().mode, ClockMode::System);
        let refused = client.advance(1).await.unwrap_err().to_string();
        let reason = "the clock runs as `system` and cannot be stepped: start it as `stepped:INSTANT`";
        assert!(refused.ends_with(reason), "{refused}");
    });
}

#[test]
fn a_client_says_that_nothing_listens() {
    let (_folder, path) = socket();
    let client = ClockClient::new(&path);
    let error = runtime().block_on(client.now()).unwrap_err();
    assert!(matches!(error, ClientError::Connect { .. }), "{error}");
    let error = client.follow().unwrap_err();
    assert!(matches!(error, ClientError::Connect { .. }), "{error}");
}

#[test]
fn a_client_says_that_something_else_listens() {
    let (_folder, path) = socket();
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let other = thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            hear(&mut BufReader::new(stream.try_clone().unwrap()));
            stream.write_all(b"220 ready\n").unwrap();
        }
    });
    let client = ClockClient::new(&path);
    let error = runtime().block_on(client.now()).unwrap_err();
    assert!(matches!(error, ClientError::NotAClock { .. }), "{error}");
    let error = client.follow().unwrap_err();
    assert!(matches!(error, ClientError::NotAClock { .. }), "{error}");
    other.join().unwrap();
}

#[test]
fn a_following_clock_shows_the_steps_of_the_other_and_refuses_its_own() {
    let (_folder, path) = socket();
    let clock = stepped(1000);
    let _served = Served::new(&path, clock.clone());
    let follower = ClockClient::new(&path).follow().unwrap();
    assert_eq!(follower.now_ms(), 1000);
    assert_eq!(follower.advance(1), Err(ClockError::Follows));
    let now_ms = clock.advance(500).unwrap();
    runtime().block_on(follower.sleep_until(now_ms));
    assert_eq!(follower.now_ms(), 1500);
}

#[test]
fn a_following_clock_outlives_a_restart_of_the_other_process() {
    let (_folder, path) = socket();
    let served = Served::new(&path, stepped(1000));
    let follower = ClockClient::new(&path).follow().unwrap();
    drop(served);

    // It came back behind: the follower waits for it.
    let clock = stepped(0);
    let _served = Served::new(&path, clock.clone());
    assert_eq!(follower.now_ms(), 1000);
    clock.set(2000).unwrap();
    runtime().block_on(follower.sleep_until(2000));
    assert_eq!(follower.now_ms(), 2000);
}

#[test]
fn a_flowing_clock_is_followed_by_its_mode() {
    let (_folder, path) = socket();
    let _served = Served::new(&path, DomainClock::system());
    let follower = ClockClient::new(&path).follow().unwrap();
    assert_eq!(follower.mode(), ClockMode::System);

    let (_folder, path) = socket();
    let (speed, start_ms) = (2.0, Some(1000));
    let clock = DomainClock::new(ClockMode::Scaled { speed, start_ms }).unwrap();
    let _served = Served::new(&path, clock);
    let follower = ClockClient::new(&path).follow().unwrap();
    let mode = follower.mode();
    assert!(matches!(mode, ClockMode::Scaled { speed: 2.0, .. }), "{mode}");
    assert!(follower.now_ms() >= 1000);
}

#[test]
fn the_thread_of_a_following_clock_ends_with_its_last_clone() {
    let (_folder, path) = socket();
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let leader = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap());
        assert_eq!(hear(&mut lines), "{\"watch\":true}\n");
        say(&mut stream, r#"{"now_ms":0,"mode":"stepped:0"}"#);
        // The other side closes.
        assert_eq!(hear(&mut lines), "");
    });
    let follower = ClockClient::new(&path).follow().unwrap();
    let clone = follower.clone();
    drop(follower);
    drop(clone);
    leader.join().unwrap();
}

#[test]
fn a_socket_left_behind_is_replaced_and_a_living_one_or_a_file_is_not() {
    let runtime = runtime();
    let _inside = runtime.enter();
    let (folder, path) = socket();
    let living = bind(&path).unwrap();
    assert!(bind(&path).is_err());
    drop(living);
    assert!(bind(&path).is_ok());

    let file = folder.path().join("notes");
    std::fs::write(&file, "keep").unwrap();
    assert!(bind(&file).is_err());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "keep");
}

#[test]
fn the_socket_is_for_its_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let runtime = runtime();
    let _inside = runtime.enter();
    let (_folder, path) = socket();
    let _listener = bind(&path).unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
