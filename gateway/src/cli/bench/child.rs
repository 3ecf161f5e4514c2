//! The gateway under test: another process of the same program, so that its CPU and memory are its own.

use super::Failure;
use crate::{app::CONTROL_SOCKET, config::Config};
use anyhow::{Context, anyhow};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

/// A process that ends with this value.
pub(super) struct Child {
    process: std::process::Child,
    pub(super) address: SocketAddr,
    control: Option<PathBuf>,
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a process used so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    pub(super) cpu: Duration,
    pub(super) peak_bytes: u64,
    /// Now.
    pub(super) resident_bytes: u64,
}

impl Child {
    /// A gateway with the configuration that lies in this directory.
    pub(super) async fn gateway(dir: &Path, config: &Config) -> Result<Self, Failure> {
        // What was changed after the file was written goes by the environment.
        let mut process = program()?
            .args(["serve", "--config"])
            .arg(dir.join("tidegate.toml"))
            .env("TIDEGATE_WORKERS__PAUSED", config.workers.paused.to_string())
            .stdin(Stdio::null())
            .spawn()
            .context("the gateway does not start")?;
        let control = config.data.dir.join(CONTROL_SOCKET);
        match wait_until_ready(&control).await {
            Some(address) => Ok(Self { process, address, control: Some(control) }),
            None => {
                let _ = process.kill();
                Err(Failure::Work(anyhow!("the gateway was not ready in time")))
            }
        }
    }

    /// The same handler without storage.
    pub(super) fn baseline() -> Result<Self, Failure> {
        let mut process =
            program()?.args(["bench", "--baseline"]).stdout(Stdio::piped()).spawn().map_err(anyhow::Error::from)?;
        let mut line = String::new();
        if let Some(out) = process.stdout.take() {
            BufReader::new(out).read_line(&mut line).map_err(anyhow::Error::from)?;
        }
        let address = line.trim().parse().map_err(|_| anyhow!("the baseline does not start"))?;
        Ok(Self { process, address, control: None })
    }

    /// The gateway's own figures.
    pub(super) async fn stats(&self) -> Result<Value, Failure> {
        let control = self.control.as_ref().ok_or_else(|| anyhow!("the baseline has no figures"))?;
        Ok(stats(control).await?)
    }

    /// Waits until nothing is ready any more.
    pub(super) async fn idle(&self) -> Result<(), Failure> {
        loop {
            let stats = self.stats().await?;
            if stats["ready"]["pure"] == 0 && stats["ready"]["io"] == 0 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// CPU and peak memory, from `/proc`.
    pub(super) fn usage(&self) -> Result<Usage, Failure> {
        let read = |name: &str| {
            std::fs::read_to_string(format!("/proc/{}/{name}", self.process.id())).map_err(anyhow::Error::from)
        };
        let (stat, status) = (read("stat")?, read("status")?);
        // Fields 14 and 15 of stat(5), counted behind the name in brackets: user and system time in ticks of 10 ms.
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1_024
        };
        let cpu = Duration::from_millis(ticks * 10);
        Ok(Usage { cpu, peak_bytes: bytes("VmHWM:"), resident_bytes: bytes("VmRSS:") })
    }
}

fn program() -> Result<Command, Failure> {
    Ok(Command::new(std::env::current_exe().map_err(anyhow::Error::from)?))
}

async fn wait_until_ready(control: &Path) -> Option<SocketAddr> {
    for _ in 0..1_000 {
        if control.exists()
            && let Ok(stats) = stats(control).await
        {
            return stats["listening"].as_str()?.parse().ok();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    None
}

async fn stats(control: &Path) -> anyhow::Result<Value> {
    let client = reqwest::Client::builder().unix_socket(control.to_owned()).build()?;
    Ok(client.get("http://gateway/v1/stats").send().await?.json().await?)
}

/// Verifies as the gateway does, stores nothing.
pub(super) async fn serve_baseline(secret: &'static str) -> Result<(), Failure> {
    let scheme = tidegate_signature::scheme("shopify").ok_or_else(|| anyhow!("no scheme"))?;
    let secrets: tidegate_signature::Secrets =
        tidegate_signature::Secret::new(secret, &scheme.key).map_err(anyhow::Error::from)?.into();
    let handler = move |headers: axum::http::HeaderMap, body: bytes::Bytes| async move {
        let headers: Vec<(String, Vec<u8>)> =
            headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
        match tidegate_signature::verify(&scheme, &secrets, &headers, &body, 0) {
            Ok(_) => axum::http::StatusCode::OK,
            Err(_) => axum::http::StatusCode::UNAUTHORIZED,
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(anyhow::Error::from)?;
    super::output::line(listener.local_addr().map_err(anyhow::Error::from)?);
    let router = axum::Router::new().route("/", axum::routing::post(handler));
    axum::serve(listener, router).await.map_err(|error| Failure::Work(error.into()))
}
