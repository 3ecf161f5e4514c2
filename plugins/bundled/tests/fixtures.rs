//! Every fixture of every bundled plugin, in the real host. A plugin without a test here does not compile.

#![expect(clippy::unwrap_used, reason = "what is unwrapped here is what the tests are about")]

use std::path::Path;
use tidegate_bundled::{PLUGINS, SAMPLES, plugin, samples};
use tidegate_plugin_host::{HostConfig, PluginHost};
use tidegate_plugin_testing::{Fixture, run_fixtures};

macro_rules! has_a_test {
    ($plugin:ident) => {
        const _: fn() = $plugin;
    };
}

tidegate_bundled::foreach_plugin!(has_a_test);

#[test]
fn calendly() {
    check("calendly");
}

#[test]
fn hubspot() {
    check("hubspot");
}

#[test]
fn json_hmac() {
    check("json-hmac");
}

#[test]
fn meta() {
    check("meta");
}

#[test]
fn shopify() {
    check("shopify");
}

#[test]
fn twilio() {
    check("twilio");
}

#[test]
fn woocommerce() {
    check("woocommerce");
}

fn check(id: &str) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name(id).join("fixtures");
    match run_fixtures(plugin(id).unwrap().component, &dir) {
        Ok(cases) => assert_eq!(cases, samples(id, None).count(), "every case is a sample"),
        Err(failed) => panic!("{failed}"),
    }
}

#[test]
fn a_plugin_is_listed_under_the_id_of_its_manifest() {
    let host = PluginHost::new(&HostConfig::default()).unwrap();
    for bundled in PLUGINS {
        assert_eq!(host.load(bundled.component).unwrap().id(), bundled.id);
    }
    assert!(plugin("none").is_none());
}

#[test]
fn every_sample_is_a_webhook_of_its_topic() {
    for sample in SAMPLES {
        assert_eq!(
            Fixture::parse(sample.webhook_json).unwrap().topic,
            sample.topic,
            "{} {}",
            sample.plugin,
            sample.case
        );
    }
    assert!(samples("shopify", Some("orders/create")).count() >= 1);
}
