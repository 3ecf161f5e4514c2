//! Runs a built plugin's fixtures in the real host, and tells what it costs there. `cargo xtask languages` runs it for one plugin after the other:
//! `measure PLUGIN MANIFEST FIXTURES [CASE]` prints one line of JSON. The plugin is a component, or the folder of a crate; the case is the webhook that is measured, and
//! without one only the fixtures are run.
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use serde_json::{Value, json};
use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tidegate_model::{ItemId, outcome::ConnectionInfo, outcome::Item};
use tidegate_plugin_host::{HostConfig, Manifest, Plugin, PluginHost, embed, guest_headers, split};
use tidegate_plugin_pack::{Crate, build};
use tidegate_plugin_testing::{Fixture, run_fixtures};

/// Calls before the measured ones.
const WARM_UP: usize = 20;
/// Calls of which the lower quartile is taken: what else the machine does makes calls slower, never faster.
const CALLS: usize = 200;
/// Items of a full call, as the gateway makes them.
const CHUNK: usize = 24;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let (plugin, manifest, fixtures, case) = match &arguments[..] {
        [plugin, manifest, fixtures] => (plugin, manifest, fixtures, None),
        [plugin, manifest, fixtures, case] => (plugin, manifest, fixtures, Some(fixtures.join(case))),
        _ => return Err("usage: measure PLUGIN MANIFEST FIXTURES [CASE]".into()),
    };
    let manifest = fs::read_to_string(manifest)?;
    let component = embed(&built(plugin, &manifest)?, &manifest)?;
    let cases = run_fixtures(&component, fixtures)?;
    let figures = case.map(|case| measured(&component, &case)).transpose()?;
    println!("{}", json!({ "cases": cases, "figures": figures }));
    Ok(())
}

/// The component, made by cargo when it is a crate, whose package is called after the plugin.
fn built(plugin: &Path, manifest: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    if !plugin.is_dir() {
        return Ok(fs::read(plugin)?);
    }
    let package = Manifest::parse("plugin.toml", manifest)?.id;
    Ok(build(Crate { package: &package, dir: plugin, target_dir: &plugin.join("target") })?)
}

fn measured(component: &[u8], case: &Path) -> Result<Value, Box<dyn Error>> {
    let cache = tempfile::tempdir()?;
    let (plugin, compiled) = load(component, cache.path())?;
    drop(plugin);
    let (plugin, loaded) = load(component, cache.path())?;
    let (first, one) = calls(&plugin, case, 1)?;
    let (_, full) = calls(&plugin, case, CHUNK)?;
    let each = (full.saturating_sub(one)) / (u32::try_from(CHUNK)? - 1);
    Ok(json!({
        "bytes": component.len(),
        "compile_ms": compiled.as_secs_f64() * 1e3,
        "load_ms": loaded.as_secs_f64() * 1e3,
        "first_call_us": first.as_micros(),
        "start_us": one.saturating_sub(each).as_micros(),
        "item_us": one.as_micros(),
        "further_item_us": each.as_micros(),
    }))
}

/// A host of its own that keeps compiled plugins in `cache`, and how long it takes to load.
#[expect(clippy::disallowed_methods, reason = "the time it takes is measured")]
fn load(component: &[u8], cache: &Path) -> Result<(Plugin, Duration), Box<dyn Error>> {
    let host = PluginHost::new(&HostConfig { cache_dir: Some(cache.join("cache")), ..HostConfig::default() })?;
    let started = Instant::now();
    let plugin = host.load(component)?;
    Ok((plugin, started.elapsed()))
}

/// The first call's time, and the lower quartile of later ones, each in a fresh instance with so many items.
#[expect(clippy::disallowed_methods, reason = "the time it takes is measured")]
fn calls(plugin: &Plugin, case: &Path, items: usize) -> Result<(Duration, Duration), Box<dyn Error>> {
    let items = webhook(plugin, case, items)?;
    let connection = ConnectionInfo { name: "fixture".to_owned(), account: None, settings: "{}".to_owned() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let mut times = Vec::with_capacity(WARM_UP + CALLS);
    for _ in 0..WARM_UP + CALLS {
        let started = Instant::now();
        runtime.block_on(plugin.interpret(&connection, &items))?;
        times.push(started.elapsed());
    }
    let first = times[0];
    let measured = &mut times[WARM_UP..];
    measured.sort_unstable();
    Ok((first, measured[CALLS / 4]))
}

/// The case's first item, so many times, each with an id of its own.
fn webhook(plugin: &Plugin, case: &Path, count: usize) -> Result<Vec<Item>, Box<dyn Error>> {
    let fixture = Fixture::parse(&fs::read_to_string(case.join("webhook.json"))?)?;
    let (body, headers) = (fixture.body(), fixture.headers());
    let part = split(plugin.manifest(), &headers, body.as_bytes())?.into_iter().next().ok_or("the case has no item")?;
    let item = |place: usize| Item {
        id: ItemId::derive(fixture.received_at.ms(), &[b"measure", &place.to_be_bytes()]),
        topic: part.topic.clone(),
        headers: guest_headers(plugin.manifest(), &headers),
        body: part.body.clone().into_owned(),
        envelope: part.envelope.clone(),
        received_at: fixture.received_at,
        state: None,
        answers: Vec::new(),
    };
    Ok((0..count).map(item).collect())
}
