//! Figures of a running gateway, for Prometheus. Everything is counted in here, and made before it is needed: who counts often holds a handle. Labels are names of
//! the configuration or words of a fixed list, never ids or what came from outside.

mod ages;
mod handles;
mod process;
pub(crate) mod text;

pub(crate) use ages::Ages;
pub(crate) use handles::{
    Attempted, EndpointMeter, FetchEnd, FlowMeter, Interpreted, PluginMeter, RefusedFor, RunEnd, SenderMeter, Taken,
};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter, family::Family, gauge, histogram::Histogram, info::Info},
    registry::{Metric, Registry, Unit},
};
use std::sync::atomic::{AtomicU64, Ordering};
use tidegate_clock::Stopwatch;
use tidegate_model::message::{GateDecision, Verdict};
use tidegate_store::Stats;

/// A figure that only grows.
pub(crate) type Counter = counter::Counter;
/// A figure that goes up and down.
pub(crate) type Gauge = gauge::Gauge;
type Seconds = gauge::Gauge<f64, AtomicU64>;
type Histograms<S> = Family<S, Histogram, fn() -> Histogram>;

/// Upper ends of what a caller or the disk may take, in seconds.
const WAITS_S: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Upper ends of a call into a plugin, in seconds: the deadline is 200 ms by default.
const CALLS_S: [f64; 11] = [0.000_05, 0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0];
/// Upper ends of a provider's answer, in seconds.
const SENDS_S: [f64; 9] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Upper ends of the batches in one disk write.
const GROUPS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident { $($label:ident: $type:ty),* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
        struct $name { $($label: $type),* }
    )*};
}

labels! {
    Endpoint { endpoint: String }
    Webhook { endpoint: String, outcome: &'static str }
    Refused { endpoint: String, reason: &'static str }
    Plugin { plugin: String }
    Item { plugin: String, outcome: &'static str }
    Fetch { plugin: String, outcome: &'static str }
    Flow { workspace: String, flow: String }
    Ended { workspace: String, flow: String, state: &'static str }
    Gate { check: String, verdict: &'static str }
    Sender { sender: String }
    Attempt { sender: String, result: &'static str }
    Queue { queue: &'static str }
    Connected { connection: String }
    Reload { outcome: &'static str }
}

/// A family, as it is documented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Described {
    /// Its whole name.
    pub name: String,
    /// `counter`, `gauge`, `histogram`.
    pub kind: &'static str,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it is.
    pub help: &'static str,
}

/// What a family is and how it is named.
struct Naming {
    name: &'static str,
    unit: Option<Unit>,
    kind: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
}

struct Making {
    registry: Registry,
    list: Vec<Described>,
}

impl Making {
    fn add<M: Metric + Clone>(&mut self, naming: Naming, metric: M) -> M {
        let Naming { name, unit, kind, labels, help } = naming;
        let prefix = if name.starts_with("process_") { "" } else { "tidegate_" };
        let unit_word = unit.as_ref().map(|unit| format!("_{}", unit.as_str())).unwrap_or_default();
        let total = if kind == "counter" { "_total" } else { "" };
        let whole = format!("{prefix}{name}{unit_word}");
        self.list.push(Described { name: format!("{whole}{total}"), kind, labels, help });
        match unit {
            Some(unit) => self.registry.register_with_unit(format!("{prefix}{name}"), help, unit, metric.clone()),
            None => self.registry.register(whole, help, metric.clone()),
        }
        metric
    }
}

macro_rules! metrics {
    ($($field:ident: $type:ty = $make:expr, $kind:ident $name:literal $(($unit:ident))? [$($label:literal),*] $help:literal;)*) => {
        /// All figures.
        pub(crate) struct Metrics {
            registry: Registry,
            #[cfg_attr(not(test), expect(dead_code, reason = "a test holds the documentation to it"))]
            list: Vec<Described>,
            since: Stopwatch,
            $($field: $type,)*
            /// Messages on their way to providers.
            in_flight: Gauge,
        }

        impl Metrics {
            /// Nothing counted yet.
            pub(crate) fn new() -> Self {
                let mut making = Making { registry: Registry::default(), list: Vec::new() };
                $(let $field = making.add(
                    Naming {
                        name: $name,
                        unit: None$(.or(Some(Unit::$unit)))?,
                        kind: stringify!($kind),
                        labels: &[$($label),*],
                        help: $help,
                    },
                    $make,
                );)*
                let in_flight = making.add(
                    Naming { name: "sends_in_flight", unit: None, kind: "gauge", labels: &[], help: "Messages on their way to providers" },
                    Gauge::default(),
                );
                let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
                making.list.push(Described { name: "tidegate_build_info".to_owned(), kind: "gauge", labels: &["version"], help: "The version that runs; always 1" });
                making.registry.register("tidegate_build", "The version that runs; always 1", version);
                Self { registry: making.registry, list: making.list, since: Stopwatch::start(), $($field,)* in_flight }
            }
        }
    };
}

fn waits() -> Histogram {
    Histogram::new(WAITS_S)
}

fn calls() -> Histogram {
    Histogram::new(CALLS_S)
}

fn sends() -> Histogram {
    Histogram::new(SENDS_S)
}

metrics! {
    webhooks: Family<Webhook, Counter> = Family::default(), counter "webhooks" ["endpoint", "outcome"] "Webhooks by what became of them; those to no endpoint have an empty endpoint";
    refused: Family<Refused, Counter> = Family::default(), counter "webhooks_refused" ["endpoint", "reason"] "Webhooks that are not authentic, by why";
    receive: Histograms<Endpoint> = Family::new_with_constructor(waits as fn() -> Histogram), histogram "webhook_receive" (Seconds) ["endpoint"] "Time from the head of an accepted webhook to its being on disk";
    commit: Histogram = waits(), histogram "store_commit" (Seconds) [] "Time that a batch waits for its being on disk";
    write: Histogram = waits(), histogram "store_write" (Seconds) [] "Time of one disk write with its flush";
    group: Histogram = Histogram::new(GROUPS), histogram "store_group_batches" [] "Batches that share one disk write";
    commits: Counter = Counter::default(), counter "store_commits" [] "Batches that were committed";
    rows_put: Counter = Counter::default(), counter "store_rows_put" [] "Rows that were written";
    rows_deleted: Counter = Counter::default(), counter "store_rows_deleted" [] "Rows that were removed";
    damaged: Counter = Counter::default(), counter "store_damaged_rows" [] "Times that a damaged row was met and left out";
    waiting: Gauge = Gauge::default(), gauge "store_batches_waiting" [] "Batches that wait for the next disk write";
    healthy: Gauge = Gauge::default(), gauge "store_healthy" [] "1 while the store works";
    ready: Family<Queue, Gauge> = Family::default(), gauge "ready_rows" ["queue"] "Rows of work that are ready: pure is interpreting and advancing, io is sending";
    leased: Family<Queue, Gauge> = Family::default(), gauge "leased_lanes" ["queue"] "Lanes that a worker has now";
    oldest_ready: Family<Queue, Seconds> = Family::default(), gauge "oldest_ready_age" (Seconds) ["queue"] "How long the oldest ready row has waited, in domain time; at least since the start for older ones";
    timers: Gauge = Gauge::default(), gauge "timers" [] "Timers that wait";
    oldest_due: Seconds = Seconds::default(), gauge "oldest_due_age" (Seconds) [] "How long the oldest timer has been due and not moved, in domain time";
    items: Family<Item, Counter> = Family::default(), counter "items" ["plugin", "outcome"] "Items by what became of them";
    call: Histograms<Plugin> = Family::new_with_constructor(calls as fn() -> Histogram), histogram "plugin_call" (Seconds) ["plugin"] "Time of one call into a plugin, with all items of it";
    fetches: Family<Fetch, Counter> = Family::default(), counter "fetches" ["plugin", "outcome"] "Requests to providers for plugins, by what became of them";
    fetch: Histograms<Plugin> = Family::new_with_constructor(sends as fn() -> Histogram), histogram "fetch" (Seconds) ["plugin"] "Time of the requests of one item, with their waiting for a turn";
    fetches_in_flight: Gauge = Gauge::default(), gauge "fetches_in_flight" [] "Items that are being read for";
    fetches_waiting: Gauge = Gauge::default(), gauge "items_waiting" [] "Items that wait for answers of their providers, counted up to 10 000";
    started: Family<Flow, Counter> = Family::default(), counter "flows_started" ["workspace", "flow"] "Runs that events and triggers started";
    ended: Family<Ended, Counter> = Family::default(), counter "runs_ended" ["workspace", "flow", "state"] "Runs that ended, by how";
    gate: Family<Gate, Counter> = Family::default(), counter "gate_decisions" ["check", "verdict"] "Decisions of the send gate, by the check that decided";
    attempts: Family<Attempt, Counter> = Family::default(), counter "send_attempts" ["sender", "result"] "Attempts to send, by the provider's answer";
    send: Histograms<Sender> = Family::new_with_constructor(sends as fn() -> Histogram), histogram "send" (Seconds) ["sender"] "Time of one attempt";
    plugin_paused: Family<Plugin, Gauge> = Family::default(), gauge "plugin_paused" ["plugin"] "1 while the plugin keeps failing and is not called";
    paused: Family<Sender, Gauge> = Family::default(), gauge "sender_paused" ["sender"] "1 while nothing is sent by this sender, looked up for each scrape";
    receiving: Gauge = Gauge::default(), gauge "receiving" (Bytes) [] "Bytes of webhooks that are on their way into the store";
    receiving_waits: Gauge = Gauge::default(), gauge "receiving_waits" [] "Webhooks that wait until there is room for them";
    accepting: Gauge = Gauge::default(), gauge "accepting" [] "1 while webhooks are taken";
    disk_free: Gauge = Gauge::default(), gauge "disk_free" (Bytes) [] "Free bytes of the data directory's disk";
    disk_size: Gauge = Gauge::default(), gauge "disk_size" (Bytes) [] "Bytes of the data directory's disk";
    connection_health: Family<Connected, Gauge> = Family::default(), gauge "connection_health" ["connection"] "Of connections that are looked after: 0 all is well, 1 something may be missed, 2 something is missed";
    connection_mended: Family<Connected, Counter> = Family::default(), counter "connection_mended" ["connection"] "Times that a provider had switched webhooks off and the gateway had them sent again";
    connection_read: Family<Connected, Counter> = Family::default(), counter "connection_items_read" ["connection"] "Items that were read at the provider";
    reloads: Family<Reload, Counter> = Family::default(), counter "config_reloads" ["outcome"] "Times that the configuration was read again: done or refused";
    memory: Gauge = Gauge::default(), gauge "process_resident_memory" (Bytes) [] "Resident memory of the process";
    cpu: counter::Counter<f64, AtomicU64> = counter::Counter::default(), counter "process_cpu" (Seconds) [] "Processor time of the process";
    files: Gauge = Gauge::default(), gauge "process_open_fds" [] "Open files of the process";
}

impl Metrics {
    /// Every family, in order.
    #[cfg(test)]
    pub(crate) fn list(&self) -> &[Described] {
        &self.list
    }

    /// Handles of an endpoint. `""` stands for no endpoint.
    pub(crate) fn endpoint(&self, name: &str) -> EndpointMeter {
        let endpoint = || name.to_owned();
        let webhook = |taken: &Taken| Webhook { endpoint: endpoint(), outcome: taken.word() };
        let refused = |reason: &RefusedFor| Refused { endpoint: endpoint(), reason: reason.word() };
        EndpointMeter {
            webhooks: Taken::ALL.iter().map(|taken| self.webhooks.get_or_create_owned(&webhook(taken))).collect(),
            refused: RefusedFor::ALL.iter().map(|reason| self.refused.get_or_create_owned(&refused(reason))).collect(),
            receive: self.receive.get_or_create_owned(&Endpoint { endpoint: endpoint() }),
        }
    }

    /// Counts a webhook to a name that is no endpoint.
    pub(crate) fn count_stray(&self) {
        self.webhooks.get_or_create(&Webhook { endpoint: String::new(), outcome: "unknown_endpoint" }).inc();
    }

    /// Handles of a plugin.
    pub(crate) fn plugin(&self, id: &str) -> PluginMeter {
        let item = |outcome: &Interpreted| Item { plugin: id.to_owned(), outcome: outcome.word() };
        let fetch = |outcome: &FetchEnd| Fetch { plugin: id.to_owned(), outcome: outcome.word() };
        PluginMeter {
            items: Interpreted::ALL.iter().map(|outcome| self.items.get_or_create_owned(&item(outcome))).collect(),
            fetches: FetchEnd::ALL.iter().map(|outcome| self.fetches.get_or_create_owned(&fetch(outcome))).collect(),
            fetch: self.fetch.get_or_create_owned(&Plugin { plugin: id.to_owned() }),
            call: self.call.get_or_create_owned(&Plugin { plugin: id.to_owned() }),
            paused: self.plugin_paused.get_or_create_owned(&Plugin { plugin: id.to_owned() }),
        }
    }

    /// Handles of a sender.
    pub(crate) fn sender(&self, name: &str) -> SenderMeter {
        let attempt = |result: &Attempted| Attempt { sender: name.to_owned(), result: result.word() };
        let sender = Sender { sender: name.to_owned() };
        let meter = SenderMeter {
            attempts: Attempted::ALL.iter().map(|result| self.attempts.get_or_create_owned(&attempt(result))).collect(),
            send: self.send.get_or_create_owned(&sender),
            paused: self.paused.get_or_create_owned(&sender),
        };
        // A sender that is made anew is not paused, whatever the one before it was.
        meter.paused.set(0);
        meter
    }

    /// Handles of a flow.
    pub(crate) fn flow(&self, workspace: &str, flow: &str) -> FlowMeter {
        let (workspace, flow) = (workspace.to_owned(), flow.to_owned());
        let ended = |end: &RunEnd| Ended { workspace: workspace.clone(), flow: flow.clone(), state: end.word() };
        FlowMeter {
            ended: RunEnd::ALL.iter().map(|end| self.ended.get_or_create_owned(&ended(end))).collect(),
            started: self.started.get_or_create_owned(&Flow { workspace, flow }),
        }
    }

    /// Decisions like this one.
    pub(crate) fn gate(&self, decision: &GateDecision) -> Counter {
        let verdict = match decision.verdict {
            Verdict::Sent => "sent",
            Verdict::DeferredUntil(_) => "deferred",
            Verdict::Refused => "refused",
        };
        self.gate.get_or_create_owned(&Gate { check: decision.check.clone(), verdict })
    }

    /// What is on its way into the store, and what waits for room.
    pub(crate) fn set_receiving(&self, (bytes, waiting): (usize, usize)) {
        self.receiving.set(i64::try_from(bytes).unwrap_or(i64::MAX));
        self.receiving_waits.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    }

    /// Items that are being read for.
    pub(crate) const fn fetches_in_flight(&self) -> &Gauge {
        &self.fetches_in_flight
    }

    /// How many items wait for answers.
    pub(crate) fn set_waiting(&self, items: usize) {
        self.fetches_waiting.set(i64::try_from(items).unwrap_or(i64::MAX));
    }

    /// Messages on their way.
    pub(crate) const fn in_flight(&self) -> &Gauge {
        &self.in_flight
    }

    /// Tells how a connection fares.
    pub(crate) fn set_connection(&self, name: &str, health: i64) {
        self.connection_health.get_or_create_owned(&Connected { connection: name.to_owned() }).set(health);
    }

    /// Webhooks of a connection that are sent again.
    pub(crate) fn connection_mended(&self, name: &str) -> Counter {
        self.connection_mended.get_or_create_owned(&Connected { connection: name.to_owned() })
    }

    /// Items of a connection that were read.
    pub(crate) fn connection_read(&self, name: &str) -> Counter {
        self.connection_read.get_or_create_owned(&Connected { connection: name.to_owned() })
    }

    /// Counts a reload that was done, or refused.
    pub(crate) fn count_reload(&self, outcome: &'static str) {
        self.reloads.get_or_create(&Reload { outcome }).inc();
    }

    /// Takes over the store's figures.
    pub(crate) fn set_store(&self, stats: &Stats, healthy: bool, now_ms: i64) {
        let grown = [
            (&self.commits, stats.commits),
            (&self.rows_put, stats.rows_put),
            (&self.rows_deleted, stats.rows_deleted),
            (&self.damaged, stats.damaged),
        ];
        for (counter, value) in grown {
            counter.inner().store(value, Ordering::Relaxed);
        }
        self.waiting.set(signed(stats.waiting));
        self.healthy.set(i64::from(healthy));
        self.timers.set(signed(stats.timers));
        for queue in tidegate_store::Queue::ALL {
            let labels = queue_label(queue);
            self.ready.get_or_create(&labels).set(signed(stats.ready[queue.index()]));
            self.leased.get_or_create(&labels).set(signed(stats.leased[queue.index()]));
        }
        self.oldest_due.set(stats.oldest_due_ms.map_or(0.0, |due| seconds(now_ms - due)));
    }

    /// How long the oldest ready row of a queue has waited.
    pub(crate) fn set_oldest_ready(&self, queue: tidegate_store::Queue, age_ms: i64) {
        self.oldest_ready.get_or_create(&queue_label(queue)).set(seconds(age_ms));
    }

    /// Whether webhooks are taken, and how full the disk is.
    pub(crate) fn set_place(&self, accepting: bool, disk: Option<tidegate_store::disk::DiskSpace>) {
        self.accepting.set(i64::from(accepting));
        if let Some(space) = disk {
            self.disk_free.set(signed(space.free_bytes));
            self.disk_size.set(signed(space.total_bytes));
        }
    }

    /// Everything, in Prometheus' text form.
    pub(crate) fn render(&self) -> String {
        let process = process::look();
        self.memory.set(signed(process.resident_bytes));
        self.files.set(signed(process.open_files));
        self.cpu.inner().store(process.cpu_s.to_bits(), Ordering::Relaxed);
        text::render(&self.registry)
    }
}

/// What the store measures.
impl tidegate_store::engine::Meter for Metrics {
    fn now_ns(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn committed(&self, waited_ns: u64) {
        self.commit.observe(seconds_of_ns(waited_ns));
    }

    fn wrote(&self, batches: usize, took_ns: u64) {
        self.group.observe(batches as f64);
        self.write.observe(seconds_of_ns(took_ns));
    }
}

fn seconds_of_ns(ns: u64) -> f64 {
    ns as f64 / 1e9
}

fn seconds(ms: i64) -> f64 {
    ms.max(0) as f64 / 1_000.0
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

const fn queue_label(queue: tidegate_store::Queue) -> Queue {
    Queue {
        queue: match queue {
            tidegate_store::Queue::Pure => "pure",
            tidegate_store::Queue::Io => "io",
        },
    }
}

#[cfg(test)]
mod tests;
