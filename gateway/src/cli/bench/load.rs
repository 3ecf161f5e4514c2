//! The load: connections that send prepared requests and time the answers. Raw HTTP/1.1, so that it costs the gateway's machine little.

use super::Failure;
use crate::play::Played;
use anyhow::{Context, anyhow};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::Instant,
};

/// Where each request's own number goes; as long as the number.
pub(super) const ID_PLACE: &str = "bench-webhook-000000000000";

/// A prepared request.
#[derive(Clone)]
pub(super) struct Request {
    bytes: Vec<u8>,
    /// Where numbers go.
    places: Vec<usize>,
}

impl Request {
    pub(super) fn new(path: &str, played: &Played) -> Self {
        let mut head = format!("POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-length: {}\r\n", played.body.len());
        for (name, value) in &played.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let places = head.match_indices(ID_PLACE).map(|(at, _)| at + ID_PLACE.len() - 12).collect();
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&played.body);
        Self { bytes, places }
    }

    fn number(&mut self, number: usize) {
        let digits = format!("{number:012}");
        for at in &self.places {
            self.bytes[*at..*at + 12].copy_from_slice(digits.as_bytes());
        }
    }
}

/// What to send, and how.
pub(super) struct Load {
    pub(super) address: SocketAddr,
    pub(super) connections: usize,
    /// Number of the first request; numbers must not come twice.
    pub(super) first: usize,
    pub(super) count: usize,
    pub(super) rate: Option<u32>,
    pub(super) requests: Vec<Request>,
}

/// How it went.
pub(super) struct Measured {
    pub(super) count: usize,
    pub(super) refused: usize,
    elapsed: Duration,
    /// Sorted.
    latencies: Vec<Duration>,
}

impl Measured {
    pub(super) fn rate(&self) -> f64 {
        self.count as f64 / self.elapsed.as_secs_f64()
    }

    pub(super) fn percentile_ms(&self, part: f64) -> f64 {
        let place = ((self.latencies.len() as f64 * part) as usize).min(self.latencies.len().saturating_sub(1));
        let latency = self.latencies.get(place).copied().unwrap_or_default();
        (latency.as_secs_f64() * 100_000.0).round() / 100.0
    }
}

impl Load {
    pub(super) async fn run(self) -> Result<Measured, Failure> {
        let next = Arc::new(AtomicUsize::new(0));
        let load = Arc::new(self);
        let started = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..load.connections.max(1) {
            let (load, next) = (Arc::clone(&load), Arc::clone(&next));
            tasks.spawn(async move { load.connection(&next, started).await });
        }
        let (mut latencies, mut refused) = (Vec::with_capacity(load.count), 0);
        while let Some(done) = tasks.join_next().await {
            let (times, not_200) = done.map_err(anyhow::Error::from)??;
            latencies.extend(times);
            refused += not_200;
        }
        let elapsed = started.elapsed();
        latencies.sort_unstable();
        Ok(Measured { count: latencies.len(), refused, elapsed, latencies })
    }

    async fn connection(&self, next: &AtomicUsize, started: Instant) -> Result<(Vec<Duration>, usize), Failure> {
        let mut stream = TcpStream::connect(self.address).await.context("the gateway can't be reached")?;
        stream.set_nodelay(true).map_err(anyhow::Error::from)?;
        let (mut times, mut refused, mut buffer) = (Vec::new(), 0, vec![0; 16 * 1024]);
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= self.count {
                return Ok((times, refused));
            }
            if let Some(rate) = self.rate {
                tokio::time::sleep_until(started + Duration::from_secs_f64(number as f64 / f64::from(rate))).await;
            }
            let mut request = self.requests[number % self.requests.len()].clone();
            request.number(self.first + number);
            let sent = Instant::now();
            stream.write_all(&request.bytes).await.map_err(anyhow::Error::from)?;
            let status = answer(&mut stream, &mut buffer).await?;
            times.push(sent.elapsed());
            refused += usize::from(status != 200);
        }
    }
}

/// Reads one answer, whole; gives its status.
async fn answer(stream: &mut TcpStream, buffer: &mut [u8]) -> Result<u16, Failure> {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await.map_err(anyhow::Error::from)?;
        if read == 0 {
            return Err(Failure::Work(anyhow!("the gateway closed a connection")));
        }
        filled += read;
        let text = String::from_utf8_lossy(&buffer[..filled]);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, value)| value.trim().parse::<usize>().ok())
            .unwrap_or(0);
        if body.len() >= length {
            return Ok(head.split_whitespace().nth(1).and_then(|status| status.parse().ok()).unwrap_or(0));
        }
    }
}
