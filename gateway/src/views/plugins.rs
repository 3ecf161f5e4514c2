//! The plugins that are loaded, and how they fare.

use crate::{app::App, catalog::Catalog, pipeline::label};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tidegate_plugin_host::{Figures, Plugin};

/// Characters of a digest that tell builds apart.
const SHORT: usize = 12;

/// What the plugin of some endpoints asks for and is not granted: the lines to add.
fn not_granted(catalog: &Catalog, endpoints: &[&str]) -> Vec<String> {
    let held: Vec<_> = endpoints.iter().filter_map(|name| catalog.endpoint(name)).collect();
    let mut lines: Vec<String> = held.iter().flat_map(|endpoint| endpoint.not_granted()).map(str::to_owned).collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}

/// Every plugin by its digest, in the order of ids. Figures count from the start of the gateway.
pub(crate) fn plugins(app: &App) -> Vec<Value> {
    let mut by_build = Builds::new();
    let catalog = app.catalog();
    for endpoint in catalog.endpoints() {
        build_of(&mut by_build, &endpoint.plugin).endpoints.push(&endpoint.name);
        for connection in endpoint.connections() {
            if connection.interpreter.digest != endpoint.plugin_digest {
                build_of(&mut by_build, &connection.interpreter.plugin).connections.push(&connection.name);
            }
        }
    }
    by_build.into_iter().map(|((_, digest), build)| shown(app, &catalog, &digest, build)).collect()
}

/// A build that is in use, and by whom beside its endpoints.
struct Build<'a> {
    plugin: Plugin,
    endpoints: Vec<&'a str>,
    connections: Vec<&'a str>,
}

type Builds<'a> = BTreeMap<(String, String), Build<'a>>;

fn build_of<'a, 'b>(builds: &'b mut Builds<'a>, plugin: &Plugin) -> &'b mut Build<'a> {
    let build = || Build { plugin: plugin.clone(), endpoints: Vec::new(), connections: Vec::new() };
    builds.entry((label(plugin), plugin.digest())).or_insert_with(build)
}

fn shown(app: &App, catalog: &Catalog, digest: &str, build: Build<'_>) -> Value {
    let Build { plugin, mut endpoints, mut connections } = build;
    endpoints.sort_unstable();
    connections.sort_unstable();
    let manifest = plugin.manifest();
    let breaker = app.breakers().of(digest);
    let pause = breaker.pause(app.now());
    let Figures { calls, failures, busy_us } = plugin.figures();
    json!({
        "id": manifest.id,
        "version": manifest.version,
        "digest": digest,
        "digest_short": digest.get(..SHORT),
        "endpoints": endpoints,
        "connections": connections,
        "state": breaker.word(),
        "state_text": breaker.words(app.now()),
        "paused_since": pause.as_ref().map(|pause| pause.since),
        "tried_again_at": pause.as_ref().map(|pause| pause.until),
        "calls": calls,
        "failures": failures,
        "mean_us": busy_us.checked_div(calls),
        "limits": manifest.limits,
        "not_granted": not_granted(catalog, &endpoints),
    })
}
