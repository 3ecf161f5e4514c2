//! Looks around in the sandbox, and reports.

use crate::bindings::tidegate::plugin::types::{Connection, Item};
use std::{
    collections::hash_map::RandomState,
    fs,
    hash::BuildHasher,
    net::{TcpStream, ToSocketAddrs, UdpSocket},
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

static CALLS: AtomicU32 = AtomicU32::new(0);

#[expect(clippy::disallowed_methods, reason = "it looks what the clocks say")]
pub(crate) fn run(what: &str, connection: &Connection, item: &Item) -> String {
    match what {
        "environment" => format!("{} variables, {} arguments", std::env::vars().count(), std::env::args().count()),
        "files" => format!("read {} write {}", fs::read_dir("/").is_ok(), fs::write("/tmp/x", "x").is_ok()),
        "network" => {
            let tcp = TcpStream::connect("127.0.0.1:80").map_err(|error| error.kind());
            let udp = UdpSocket::bind("127.0.0.1:0").map_err(|error| error.kind());
            format!("tcp {} udp {} dns {}", tcp.is_ok(), udp.is_ok(), ("localhost", 80).to_socket_addrs().is_ok())
        }
        "clock" => {
            let started = Instant::now();
            let wall = SystemTime::now().duration_since(UNIX_EPOCH).map(|time| time.as_millis()).unwrap_or(0);
            let turns: u64 = (0..1_000_000).map(std::hint::black_box).sum();
            format!("{wall} ms since 1970, {:?} passed while counting to {turns}", started.elapsed())
        }
        "random" => format!("{:x}", RandomState::new().hash_one(1)),
        "memory" => format!("call {}", CALLS.fetch_add(1, Relaxed) + 1),
        "stdin" => format!("{:?}", std::io::stdin().lines().next().map(|line| line.is_ok())),
        "arguments" => format!(
            "{} {:?} {} | {} {} {:?} {} {:?} {} {:?} {}",
            connection.name,
            connection.account,
            connection.settings,
            item.id,
            item.topic,
            item.headers.iter().map(|header| (&header.name, &header.value)).collect::<Vec<_>>(),
            item.body,
            item.envelope,
            item.received_at,
            item.state,
            item.answers.len(),
        ),
        other => format!("unknown look {other}"),
    }
}
