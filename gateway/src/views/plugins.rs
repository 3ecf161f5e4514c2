//! The plugins that are loaded, and how they fare.

use crate::{app::App, catalog::Catalog, pipeline::label};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tidegate_plugin_host::Figures;

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
    let mut by_build: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
    let catalog = app.catalog();
    for endpoint in catalog.endpoints() {
        let build = (label(&endpoint.plugin), endpoint.plugin_digest.clone());
        by_build.entry(build).or_default().push(&endpoint.name);
    }
    let one = |((_, digest), mut endpoints): ((String, String), Vec<&str>)| {
        endpoints.sort_unstable();
        let endpoint = catalog.endpoint(endpoints.first()?)?;
        let manifest = endpoint.plugin.manifest();
        let breaker = app.breakers().of(&digest);
        let pause = breaker.pause(app.now());
        let Figures { calls, failures, busy_us } = endpoint.plugin.figures();
        Some(json!({
            "id": manifest.id,
            "version": manifest.version,
            "digest": digest,
            "digest_short": digest.get(..SHORT),
            "endpoints": endpoints,
            "state": breaker.word(),
            "state_text": breaker.words(app.now()),
            "paused_since": pause.as_ref().map(|pause| pause.since),
            "tried_again_at": pause.as_ref().map(|pause| pause.until),
            "calls": calls,
            "failures": failures,
            "mean_us": busy_us.checked_div(calls),
            "limits": manifest.limits,
            "not_granted": not_granted(&catalog, &endpoints),
        }))
    };
    by_build.into_iter().filter_map(one).collect()
}
