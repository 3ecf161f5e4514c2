//! What plugins cost: loading, an instance, an item in a fresh instance, on one thread and on two; and many plugins beside each other. In this process, with the
//! host that the gateway has.

use super::{BenchArgs, Failure};
use crate::play::Script;
use anyhow::{Context, anyhow};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    thread,
    time::Duration,
};
use tidegate_clock::Stopwatch;
use tidegate_model::{
    ItemId, Timestamp,
    outcome::{ConnectionInfo, Item},
};
use tidegate_plugin_host::{HostConfig, Manifest, Plugin, PluginHost, embed, extract, guest_headers, split};
use tokio::runtime::{Builder, Runtime};

/// When the items of a bench were received; it is never the same as a real one's.
const RECEIVED_MS: i64 = 1_780_000_000_000;
/// Time for each figure.
const EACH: Duration = Duration::from_millis(600);
/// Calls before those that count.
const WARM_UP: usize = 20;
/// Plugins beside each other.
const MANY: usize = 50;
/// What the provider's account is called.
const ACCOUNT: &str = "bench.example.com";

/// A component and the webhooks that it reads.
struct Subject {
    component: Vec<u8>,
    webhooks: Vec<(String, Script)>,
}

/// The items of one webhook.
struct Case {
    name: String,
    items: Vec<Item>,
}

/// Figures of each plugin, then of many.
pub(super) fn run(args: &BenchArgs) -> Result<Vec<Value>, Failure> {
    let subjects = match args.plugins.as_slice() {
        [] => bundled(),
        files => files.iter().map(|file| from_file(file)).collect::<Result<_, _>>()?,
    };
    let mut figures = Vec::new();
    for subject in &subjects {
        figures.push(one(subject)?);
    }
    if let Some(first) = subjects.first() {
        figures.push(many(first)?);
    }
    Ok(figures)
}

fn bundled() -> Vec<Subject> {
    let webhooks = |id: &str| {
        let samples = tidegate_bundled::SAMPLES.iter().filter(|sample| sample.plugin == id);
        let read = |text: &str| Script::from_fixture(&serde_json::from_str(text).unwrap_or_default());
        samples.map(|sample| (sample.case.to_owned(), read(sample.webhook_json))).collect()
    };
    let plugins = tidegate_bundled::PLUGINS.iter();
    plugins.map(|plugin| Subject { component: plugin.component.to_owned(), webhooks: webhooks(plugin.id) }).collect()
}

/// A packed component, and the cases in `fixtures/` beside it or one folder up. Without any, an empty object is what it is given.
fn from_file(file: &Path) -> Result<Subject, Failure> {
    let component = std::fs::read(file).with_context(|| file.display().to_string())?;
    let mut webhooks = Vec::new();
    let near = file.ancestors().skip(1).take(2).map(|folder| folder.join("fixtures"));
    if let Some(folder) = near.into_iter().find(|folder| folder.is_dir()) {
        for case in folders(&folder)? {
            let path = case.join("webhook.json");
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let fixture: Value = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
            let name = case.file_name().unwrap_or_default().to_string_lossy().into_owned();
            webhooks.push((name, Script::from_fixture(&fixture)));
        }
    }
    if webhooks.is_empty() {
        webhooks.push(("an empty object".to_owned(), Script { body: json!({}), ..Script::default() }));
    }
    Ok(Subject { component, webhooks })
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut found: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()).collect();
    found.sort();
    Ok(found)
}

fn one(subject: &Subject) -> Result<Value, Failure> {
    let dir = tempfile::tempdir().map_err(anyhow::Error::from)?;
    let (cold_ms, plugin) = timed(|| load(&host(Some(dir.path()))?, &subject.component))?;
    drop(plugin);
    let host = host(Some(dir.path()))?;
    let (cached_ms, plugin) = timed(|| load(&host, &subject.component))?;
    let cases: Vec<Case> = cases(plugin.manifest(), &subject.webhooks)?;
    let runtime = runtime()?;
    let mut instances = Vec::new();
    let seed = ItemId::derive(RECEIVED_MS, &[b"bench"]);
    repeat(&mut instances, || runtime.block_on(plugin.instantiate(&seed)).map_err(|error| anyhow!("{error}")))?;
    let (mut items, mut slowest) = (Vec::new(), (0.0, String::new()));
    for case in &cases {
        let mut taken = Vec::new();
        repeat(&mut taken, || call(&runtime, &plugin, case))?;
        // A call may be of several items.
        taken.iter_mut().for_each(|us| *us /= case.items.len() as f64);
        let median = percentile(&mut taken, 0.5);
        if median >= slowest.0 {
            slowest = (median, case.name.clone());
        }
        items.extend(taken);
    }
    let (single, double) = (per_second(&plugin, &cases, 1)?, per_second(&plugin, &cases, 2)?);
    let manifest = plugin.manifest();
    Ok(json!({
        "measured": format!("plugin {}@{}", manifest.id, manifest.version),
        "component_kib": subject.component.len() / 1024,
        "cases": cases.len(),
        "load_cold_ms": rounded(cold_ms, 1),
        "load_cached_ms": rounded(cached_ms, 2),
        "instantiate_us": rounded(percentile(&mut instances, 0.5), 1),
        "item_us": rounded(percentile(&mut items, 0.5), 1),
        "item_p99_us": rounded(percentile(&mut items, 0.99), 1),
        "slowest_case": format!("{}: {} µs", slowest.1, rounded(slowest.0, 1)),
        "items_per_s_one_thread": single.round(),
        "items_per_s_two_threads": double.round(),
        "two_threads_to_one": rounded(double / single.max(1.0), 2),
    }))
}

/// The same component many times, each with a manifest of its own: other digests, so that each is a plugin of its own to the host.
fn many(subject: &Subject) -> Result<Value, Failure> {
    let manifest = extract(&subject.component).map_err(anyhow::Error::from)?;
    let distinct = |number: usize| embed(&subject.component, &format!("{manifest}\n# {number}\n"));
    let distinct: Vec<Vec<u8>> = (0..MANY).map(distinct).collect::<Result<_, _>>().map_err(anyhow::Error::from)?;
    let dir = tempfile::tempdir().map_err(anyhow::Error::from)?;
    let all = |host: &PluginHost| distinct.iter().map(|one| load(host, one)).collect::<Result<Vec<Plugin>, Failure>>();
    let (cold_ms, plugins) = timed(|| all(&host(Some(dir.path()))?))?;
    drop(plugins);
    let host = host(Some(dir.path()))?;
    let before = resident_kib()?;
    let (cached_ms, plugins) = timed(|| all(&host))?;
    let resident = resident_kib()?.saturating_sub(before);
    let id = plugins.first().map_or("", Plugin::id);
    Ok(json!({
        "measured": format!("{MANY} distinct plugins ({id})"),
        "load_cold_ms": rounded(cold_ms, 0),
        "load_cached_ms": rounded(cached_ms, 1),
        "resident_kib_each_idle": resident / MANY as u64,
    }))
}

fn host(cache: Option<&Path>) -> Result<PluginHost, Failure> {
    let config = HostConfig { cache_dir: cache.map(|dir| dir.join("compiled")), ..HostConfig::default() };
    Ok(PluginHost::new(&config).map_err(anyhow::Error::from)?)
}

fn load(host: &PluginHost, component: &[u8]) -> Result<Plugin, Failure> {
    Ok(host.load(component).map_err(anyhow::Error::from)?)
}

fn runtime() -> Result<Runtime, Failure> {
    Ok(Builder::new_current_thread().enable_time().build().map_err(anyhow::Error::from)?)
}

/// The webhooks cut into items, as the gateway does it. A webhook that is no item is no case.
fn cases(manifest: &Manifest, webhooks: &[(String, Script)]) -> Result<Vec<Case>, Failure> {
    let mut found = Vec::new();
    for (name, script) in webhooks {
        let body = script.raw.clone().unwrap_or_else(|| script.body.to_string().into_bytes());
        let parts = split(manifest, &script.headers, &body).with_context(|| name.clone())?;
        let headers = guest_headers(manifest, &script.headers);
        let item = |part: tidegate_plugin_host::SplitItem<'_>| Item {
            id: ItemId::derive(RECEIVED_MS, &[name.as_bytes(), &part.index.to_be_bytes()]),
            topic: part.topic,
            headers: headers.clone(),
            body: part.body.into_owned(),
            envelope: part.envelope,
            received_at: Timestamp::from_ms(RECEIVED_MS),
            state: None,
            answers: Vec::new(),
        };
        let most = usize::try_from(manifest.limits.chunk_items).unwrap_or(usize::MAX).max(1);
        let items: Vec<Item> = parts.into_iter().map(item).take(most).collect();
        if !items.is_empty() {
            found.push(Case { name: name.clone(), items });
        }
    }
    if found.is_empty() { Err(Failure::Work(anyhow!("no webhook of the plugin has an item"))) } else { Ok(found) }
}

fn call(runtime: &Runtime, plugin: &Plugin, case: &Case) -> anyhow::Result<()> {
    let connection =
        ConnectionInfo { name: "bench".to_owned(), account: Some(ACCOUNT.to_owned()), settings: "{}".to_owned() };
    let answer = runtime.block_on(plugin.interpret(&connection, &case.items));
    answer.map(drop).with_context(|| format!("the case {}", case.name))
}

/// Does it again and again; gives the microseconds of each turn.
fn repeat(taken: &mut Vec<f64>, mut turn: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<()> {
    for _ in 0..WARM_UP {
        turn()?;
    }
    let all = Stopwatch::start();
    while all.elapsed() < EACH / 4 || taken.len() < WARM_UP {
        let each = Stopwatch::start();
        turn()?;
        taken.push(each.elapsed().as_secs_f64() * 1e6);
    }
    Ok(())
}

/// Items a second on so many threads, all cases in turn.
fn per_second(plugin: &Plugin, cases: &[Case], threads: usize) -> Result<f64, Failure> {
    let work = || -> anyhow::Result<f64> {
        let runtime = Builder::new_current_thread().enable_time().build()?;
        let watch = Stopwatch::start();
        let mut items = 0;
        while watch.elapsed() < EACH {
            for case in cases {
                call(&runtime, plugin, case)?;
                items += case.items.len();
            }
        }
        Ok(items as f64 / watch.elapsed().as_secs_f64())
    };
    let all: Vec<anyhow::Result<f64>> = thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let ended = running.into_iter().map(|one| one.join());
        ended.map(|one| one.unwrap_or_else(|_| Err(anyhow!("a thread panicked")))).collect()
    });
    Ok(all.into_iter().sum::<anyhow::Result<f64>>()?)
}

/// What something gives, and the milliseconds that it took.
fn timed<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<(f64, T), Failure> {
    let watch = Stopwatch::start();
    let done = work()?;
    Ok((watch.elapsed().as_secs_f64() * 1e3, done))
}

fn percentile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = (values.len().saturating_sub(1)) as f64 * part;
    values.get(place.round() as usize).copied().unwrap_or_default()
}

fn rounded(value: f64, digits: i32) -> f64 {
    let unit = 10f64.powi(digits);
    (value * unit).round() / unit
}

/// Memory of this process, from `/proc`.
fn resident_kib() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status").map_err(anyhow::Error::from)?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    Ok(kib.ok_or_else(|| anyhow!("the system does not tell this process's memory"))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_of_the_sorted_values() {
        let check = |values: &[f64], part: f64, expected: f64| {
            assert_eq!(percentile(&mut values.to_vec(), part), expected, "{values:?} {part}");
        };
        check(&[3.0, 1.0, 2.0], 0.5, 2.0);
        check(&[3.0, 1.0, 2.0], 1.0, 3.0);
        check(&[7.0], 0.99, 7.0);
        check(&[], 0.5, 0.0);
    }

    #[test]
    fn every_bundled_sample_is_a_case() {
        for subject in bundled() {
            let manifest = tidegate_plugin_host::read_manifest(&subject.component).unwrap();
            let found = cases(&manifest, &subject.webhooks).map_err(|_| ()).unwrap();
            assert!(!found.is_empty() && found.len() <= subject.webhooks.len(), "{}", manifest.id);
        }
    }
}
