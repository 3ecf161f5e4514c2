//! What the bundled plugins need, and what is wrong, is told by name.

use super::*;
use tidegate_plugin_host::read_manifest;

const CONFIG: &str = r#"
[workspaces.main]
[[endpoints]]
name = "shop"
plugin = "shopify@0.1.0"
secrets = ["file:secret"]
[[connections]]
name = "first"
endpoint = "shop"
workspace = "main"
"#;

fn config(text: &str) -> Config {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tidegate.toml");
    std::fs::write(&path, text).unwrap();
    Config::load(Some(&path), &[]).unwrap()
}

fn manifest(id: &str) -> Manifest {
    let plugin = tidegate_bundled::PLUGINS.iter().find(|held| held.id == id).unwrap();
    read_manifest(plugin.component).unwrap()
}

fn said(plugin: &str, name: &str) -> Said {
    Said { name: name.to_owned(), plugin: plugin.to_owned(), ..Said::default() }
}

fn with(mut said: Said, of: &[(Place, &str)]) -> Said {
    of.iter().for_each(|(place, value)| said.note(place, (*value).to_owned()));
    said
}

fn credential(name: &str) -> Place {
    Place::Credential(name.to_owned())
}

#[test]
fn what_each_plugin_needs_is_asked_for_by_name() {
    use Place::{Account, Secret, VerifyToken};
    let check = |plugin: &str, expected: &[Place]| {
        let found = sections(&manifest(plugin), &config(CONFIG), &said(plugin, "mine"));
        let Err(Lack::Missing(found)) = found else { panic!("{plugin}: {found:?}") };
        let places: Vec<Place> = found.into_iter().map(|one| one.place).collect();
        assert_eq!(places, expected, "{plugin}");
    };
    check("shopify", &[Secret, Account, credential("client_id"), credential("client_secret")]);
    let store = Place::Setting("store".to_owned());
    check("woocommerce", &[store, credential("consumer_key"), credential("consumer_secret")]);
    check("calendly", &[credential("access_token")]);
    check("meta", &[Secret, VerifyToken]);
    check("twilio", &[Secret, credential("api_key"), credential("api_secret")]);
}

#[test]
fn a_variable_is_proposed_that_a_shell_takes() {
    let check = |name: &str, expected: &str| {
        let Err(Lack::Missing(found)) = sections(&manifest("calendly"), &config(CONFIG), &said("calendly", name))
        else {
            panic!("{name}")
        };
        assert_eq!(found[0].usual.as_deref(), Some(expected));
    };
    check("my-calendar", "${MY_CALENDAR_ACCESS_TOKEN}");
    check("3rd", "${C3RD_ACCESS_TOKEN}");
}

#[test]
fn what_is_wrong_is_told_and_never_a_secret() {
    let check = |said: Said, plugin: &str, expected: &str| {
        let found = sections(&manifest(plugin), &config(CONFIG), &said);
        let Err(Lack::Wrong(problem)) = found else { panic!("{found:?}") };
        assert!(problem.contains(expected) && !problem.contains("hunter2"), "{problem}");
    };
    check(said("calendly", "first"), "calendly", "there is a connection \"first\" already");
    let plain = with(said("calendly", "c"), &[(credential("access_token"), "hunter2")]);
    check(plain, "calendly", "--credential access_token: expected where the secret is");
    for odd in ["${}", "${hunter2 }", "file:", "generated"] {
        check(with(said("twilio", "t"), &[(Place::Secret, odd)]), "twilio", "--secret: expected where");
    }
    check(with(said("calendly", "c"), &[(credential("hunter2x"), "${A}")]), "meta", "takes page_access_token");
    check(Said { endpoint: Some("shop".to_owned()), ..said("meta", "m") }, "meta", "runs the plugin shopify@0.1.0");
    check(said("json-hmac", "j"), "json-hmac", "by hand");
    check(with(said("calendly", "c"), &[(Place::VerifyToken, "${A}")]), "calendly", "--verify-token");
}

#[test]
fn a_second_account_of_an_endpoint_has_no_endpoint_of_its_own() {
    let second = Said { endpoint: Some("shop".to_owned()), ..said("shopify", "second") };
    let token = (credential("access_token"), "${TOKEN}");
    let found = sections(&manifest("shopify"), &config(CONFIG), &with(second.clone(), std::slice::from_ref(&token)));
    let Err(Lack::Missing(found)) = found else { panic!("{found:?}") };
    assert_eq!(found.iter().map(|one| &one.place).collect::<Vec<_>>(), [&Place::Account]);
    let whole = with(second, &[token, (Place::Account, "b.myshopify.com")]);
    let made = sections(&manifest("shopify"), &config(CONFIG), &whole).unwrap();
    assert_eq!((made.endpoint, made.endpoint_name.as_str(), made.workspace.as_str()), (None, "shop", "main"));
}

#[test]
fn settings_are_of_the_type_that_the_schema_wants() {
    let check = |key: &str, text: &str, expected: toml::Value| {
        assert_eq!(value(&manifest("woocommerce"), key, text), expected, "{key}={text}");
    };
    check("tls", "false", toml::Value::Boolean(false));
    check("store", "12", toml::Value::String("12".to_owned()));
    check("high_value_over", "250.5", toml::Value::Float(250.5));
    check("high_value_over", "250 EUR", toml::Value::String("250 EUR".to_owned()));
    check("high_value_over", "1\nx = 2", toml::Value::String("1\nx = 2".to_owned()));
}
