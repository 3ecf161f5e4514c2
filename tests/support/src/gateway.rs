//! A gateway under test: its process, the double beside it, and the time of both.

mod figures;
mod look;
mod operate;
mod plugins;

pub use figures::Figures;

use crate::{
    Brittle, Customer, NUMBER_ID, Played, Printed, SECOND_NUMBER_ID, SHOPIFY_SECRET, Setup, TWILIO_ACCOUNT, cli,
    control::Control, hostile, log::Log, order, process::Process, setup::stepped, shopify, wait::poll, webhook::Answer,
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitStatus,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tidegate_clock::{ClockClient, DomainClock};
use tidegate_double::{Double, Script};
use tokio::task::JoinSet;

/// A running gateway with its provider.
///
/// Dropping it kills it; the drop fails the test when items are parked or messages did not arrive that the test did not expect,
/// and when the log holds a secret or personal data.
#[derive(Debug)]
pub struct Gateway {
    program: PathBuf,
    dir: TempDir,
    config: PathBuf,
    process: Option<Process>,
    variables: BTreeMap<String, String>,
    limit_kib: Option<u64>,
    control: Control,
    client: reqwest::Client,
    address: String,
    double: Held<Double>,
    clock: DomainClock,
    log: Mutex<Log>,
    webhooks: AtomicU32,
    expected: Expected,
    second: bool,
    sms: bool,
}

/// What may be left at the end.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Expected {
    parked: usize,
    undelivered: usize,
}

/// Something without a `Debug` of its own.
struct Held<T>(T);

impl<T> std::fmt::Debug for Held<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl Gateway {
    pub(crate) async fn start(setup: Setup) -> Self {
        let dir = tempfile::Builder::new().prefix("tidegate-").tempdir().expect("a temporary folder can be made");
        let clock = setup.clock.clone().unwrap_or_else(stepped);
        let double = Double::start(setup.double(clock.clone())).await.expect("the double starts");
        let config = setup.write(dir.path(), double.url());
        let mut log = Log::new(dir.path().join("log"));
        for secret in setup.all_secrets() {
            log.keep_out("a secret", secret);
        }
        let mut gateway = Self {
            second: setup.second,
            sms: setup.sms,
            program: setup.program,
            config,
            process: None,
            variables: BTreeMap::new(),
            limit_kib: None,
            control: Control::new(&dir.path().join("data")),
            client: reqwest::Client::builder().no_proxy().build().expect("a client can be made"),
            address: String::new(),
            double: Held(double),
            clock,
            log: Mutex::new(log),
            webhooks: AtomicU32::new(0),
            expected: Expected::default(),
            dir,
        };
        gateway.start_again().await;
        gateway
    }

    /// Starts a gateway that was stopped or killed, at the time that the test has come to. Waits until it is ready.
    ///
    /// # Panics
    /// When it does not get ready.
    pub async fn start_again(&mut self) {
        let mut process = self.start_process();
        let control = &self.control;
        let ready = poll(async || match process.ended() {
            Some(status) => Some(Err(format!("the gateway ended: {status}"))),
            None => control.get("/v1/stats").await?["listening"].as_str().map(|address| Ok(address.to_owned())),
        });
        let ready = ready.await.unwrap_or_else(|| Err("the gateway does not get ready".to_owned()));
        self.address = ready.unwrap_or_else(|problem| panic!("{problem}\n{}", self.log().tail()));
        self.process = Some(process);
        plugins::keep(&self.program, &self.data());
        let hook = self.url("meta");
        self.script().set_webhook_url(NUMBER_ID, Some(&hook)).expect("the double has the number");
        if self.sms {
            let door = format!("http://{}", self.address);
            self.script().set_twilio_door(TWILIO_ACCOUNT, Some(&door)).expect("the double has the account");
        }
        if self.second {
            self.script().set_webhook_url(SECOND_NUMBER_ID, Some(&hook)).expect("the double has the second number");
        }
    }

    /// Starts it and kills it (SIGKILL) after this time, however far it has come.
    pub async fn start_and_kill(&mut self, after: Duration) {
        let process = self.start_process();
        tokio::time::sleep(after).await;
        drop(process);
    }

    fn start_process(&mut self) -> Process {
        plugins::lend(&self.program, &self.data());
        self.variables.insert("TIDEGATE_CLOCK__MODE".to_owned(), format!("stepped:{}", self.now_ms()));
        Process::start(&self.program, &self.config, &self.variables, self.log().path(), self.limit_kib)
    }

    /// Stops it as an operator does (SIGTERM), waits, and gives how it ended.
    ///
    /// # Panics
    /// When it does not end, or was not running.
    pub async fn stop(&mut self) -> ExitStatus {
        self.ask_to_stop();
        self.ended().await
    }

    /// The most memory that the process had so far, in bytes.
    ///
    /// # Panics
    /// When it was not running.
    pub fn peak_memory_bytes(&self) -> usize {
        self.process.as_ref().expect("the gateway runs").peak_memory_bytes()
    }

    /// Asks it to stop (SIGTERM), and does not wait.
    ///
    /// # Panics
    /// When it was not running.
    pub fn ask_to_stop(&self) {
        self.process.as_ref().expect("the gateway runs").ask_to_stop();
    }

    /// Waits until a gateway that was asked to stop has ended.
    ///
    /// # Panics
    /// When it does not end, or was not running.
    pub async fn ended(&mut self) -> ExitStatus {
        self.process.take().expect("the gateway runs").wait().await
    }

    /// Stops it, and starts it again.
    ///
    /// # Panics
    /// When it does not end well, or does not get ready.
    pub async fn restart(&mut self) {
        let status = self.stop().await;
        assert!(status.success(), "the gateway ended with {status}\n{}", self.log().tail());
        self.start_again().await;
    }

    /// Ends it at this very moment (SIGKILL).
    pub fn kill9(&mut self) {
        self.process = None;
    }

    /// Sends SIGKILL, and leaves the waiting to [`Gateway::kill9`]: for a moment at which something else goes on with it.
    ///
    /// # Panics
    /// When it was not running.
    pub fn kill_now(&self) {
        self.process.as_ref().expect("the gateway runs").kill_now();
    }

    /// Sets a variable of its environment (`TIDEGATE_WORKERS__PAUSED`), from its next start on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// Limits each of its files to so many KiB, from its next start on: a write over that fails, as on a full disk.
    pub fn limit_files(&mut self, kib: Option<u64>) {
        self.limit_kib = kib;
    }

    /// Puts a version of the brittle plugin in place, from its next start on.
    ///
    /// # Panics
    /// When it can't be written.
    pub fn install(&self, version: Brittle) {
        let written = std::fs::write(self.dir.path().join("brittle.wasm"), version.packed(&self.program));
        written.expect("the plugin can be written");
    }

    /// Puts a file that would cost much to compile in the place of the hostile plugin.
    ///
    /// # Panics
    /// When it can't be written.
    pub fn install_bomb(&self) {
        std::fs::write(self.dir.path().join("hostile.wasm"), hostile::bomb()).expect("the plugin can be written");
    }

    /// As [`Gateway::install`], with these limits in the plugin's manifest, right or wrong.
    ///
    /// # Panics
    /// When it can't be written.
    pub fn install_with(&self, version: Brittle, limits: &str) {
        let packed = version.packed_with(&self.program, limits);
        std::fs::write(self.dir.path().join("brittle.wasm"), packed).expect("the plugin can be written");
    }

    /// So many items may stay parked.
    pub fn expect_parked(&mut self, count: usize) {
        self.expected.parked = count;
    }

    /// So many messages may end as refused, failed or unknown.
    pub fn expect_undelivered(&mut self, count: usize) {
        self.expected.undelivered = count;
    }

    /// The URL of an endpoint.
    pub fn url(&self, endpoint: &str) -> String {
        format!("http://{}/in/{endpoint}", self.address)
    }

    /// A client for everything that no method here does.
    pub const fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// Its data directory.
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Its configuration.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// What can be done to the provider.
    pub fn script(&self) -> &Script {
        self.double.0.script()
    }

    /// The time, in Unix milliseconds.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Moves the gateway's and the provider's time on, and waits until everything that came due is done.
    ///
    /// # Panics
    /// When the gateway's clock can't be moved, or its work does not end.
    pub async fn advance(&self, by: Duration) {
        let to_ms = self.now_ms() + i64::try_from(by.as_millis()).expect("the time is in range");
        if self.process.is_some() {
            // First, so that no webhook of the provider comes from the gateway's future.
            self.step(to_ms).await;
        }
        self.clock.set(to_ms).unwrap_or_else(|error| panic!("{error}"));
        self.settle().await;
    }

    /// Moves the gateway's time on. A timer that is due is in its figures from the first to the last, also while it is moved.
    async fn step(&self, to_ms: i64) {
        let moved = ClockClient::new(self.data().join("clock.sock")).set(to_ms).await;
        moved.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Sends a webhook.
    ///
    /// # Panics
    /// When there was no answer.
    pub async fn post(&self, endpoint: &str, played: &Played) -> Answer {
        self.try_post(endpoint, played).await.unwrap_or_else(|error| panic!("no answer: {error}"))
    }

    /// Sends a webhook to a gateway that may be gone.
    ///
    /// # Errors
    /// There was no answer.
    pub async fn try_post(&self, endpoint: &str, played: &Played) -> Result<Answer, reqwest::Error> {
        send(&self.client, self.url(endpoint), played).await
    }

    /// Sends webhooks all at once; each answer comes with its place.
    pub fn burst(&self, endpoint: &str, webhooks: &[Played]) -> JoinSet<(usize, Result<Answer, reqwest::Error>)> {
        let mut sending = JoinSet::new();
        for (place, played) in webhooks.iter().cloned().enumerate() {
            let (client, url) = (self.client.clone(), self.url(endpoint));
            sending.spawn(async move { (place, send(&client, url, &played).await) });
        }
        sending
    }

    /// The webhook of an order, signed, with an id of its own.
    pub fn order_webhook(&self, number: u32, customer: &Customer) -> Played {
        self.remember(customer);
        self.webhook("orders/create", &order(number, customer))
    }

    /// A signed webhook of the shop, with an id of its own.
    pub fn webhook(&self, topic: &str, body: &Value) -> Played {
        let id = format!("webhook-{}", self.webhooks.fetch_add(1, Ordering::Relaxed));
        shopify(topic, &id, body.to_string(), SHOPIFY_SECRET)
    }

    /// A customer orders. Gives the delivery's id.
    ///
    /// # Panics
    /// When the webhook is not taken.
    pub async fn orders(&self, number: u32, customer: &Customer) -> String {
        self.post("shopify", &self.order_webhook(number, customer)).await.stored()
    }

    /// A customer writes to the shop. Waits until that is done with.
    ///
    /// # Panics
    /// When the double does not take it.
    pub async fn writes(&self, customer: &Customer, text: &str) {
        self.remember(customer);
        if text.contains(' ') {
            self.log().keep_out("a text", text);
        }
        let written = self.script().inbound_text(NUMBER_ID, customer.digits(), &customer.first_name, text);
        written.unwrap_or_else(|error| panic!("{error}"));
        self.settle().await;
    }

    /// A customer texts a number of the shop's. Waits until that is done with.
    ///
    /// # Panics
    /// When the double does not take it.
    pub async fn texts(&self, customer: &Customer, to: &str, text: &str) {
        self.remember(customer);
        if text.contains(' ') {
            self.log().keep_out("a text", text);
        }
        let sent = self.script().inbound_sms(to, &customer.phone, text);
        sent.unwrap_or_else(|error| panic!("{error}"));
        self.settle().await;
    }

    /// Runs a command of the program, in an empty surrounding.
    pub async fn run(&self, arguments: &[&str]) -> Printed {
        cli::run(&self.program, arguments, self.dir.path()).await
    }

    /// Runs a command that talks to this gateway.
    pub async fn ask(&self, arguments: &[&str]) -> Printed {
        let data = self.data();
        let data = data.to_str().expect("a temporary folder is text");
        self.run(&[arguments, &["--data", data]].concat()).await
    }

    /// What it wrote to its log so far.
    pub fn log_text(&self) -> String {
        self.log().text()
    }

    fn remember(&self, customer: &Customer) {
        let mut log = self.log();
        log.keep_out("a number", customer.digits());
        log.keep_out("a name", &customer.first_name);
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a moment has come by another. Both are RFC 3339 in UTC with milliseconds, so that their order is the texts'.
fn is_due(moment: &Value, now: &Value) -> bool {
    match (moment.as_str(), now.as_str()) {
        (Some(moment), Some(now)) => moment <= now,
        _ => false,
    }
}

async fn send(client: &reqwest::Client, url: String, played: &Played) -> Result<Answer, reqwest::Error> {
    let mut request = client.post(url).body(played.body.clone());
    for (name, value) in &played.headers {
        request = request.header(name, value);
    }
    let response = request.send().await?;
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (content_type, delivery) = (header("content-type"), header("tidegate-delivery"));
    Ok(Answer { status: response.status().as_u16(), content_type, delivery, body: response.text().await? })
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.show_log();
            return;
        }
        let left = self.process.as_ref().map(|_| self.left_behind());
        self.process = None;
        for message in self.script().sent() {
            let mut log = self.log();
            log.keep_out("a text", &message.text);
            log.keep_out("a number", &message.to);
        }
        for message in self.script().sms() {
            let mut log = self.log();
            log.keep_out("a text", &message.body);
            log.keep_out("a number", message.to.trim_start_matches('+'));
        }
        let leaks = self.log().leaks();
        assert!(leaks.is_empty(), "{}", leaks.join("\n"));
        if let Some((parked, undelivered)) = left {
            let found = Expected { parked: parked.len(), undelivered: undelivered.len() };
            if found != self.expected {
                self.show_log();
            }
            assert_eq!(found, self.expected, "left behind: {parked:#?} {undelivered:#?}");
        }
    }
}

impl Gateway {
    #[expect(clippy::print_stderr, reason = "the test harness shows it with the test that failed")]
    fn show_log(&self) {
        eprintln!("--- the end of the gateway's log\n{}\n---", self.log().tail());
    }
}
