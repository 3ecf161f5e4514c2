//! Settings by the manifest's schema.

use super::*;

fn manifest(schema: &str) -> Manifest {
    let text = format!("id = \"shop\"\nname = \"Shop\"\nversion = \"1.0.0\"\nconfig_schema = {schema}\n");
    Manifest::parse("plugin.toml", &text).unwrap()
}

fn section(settings: &str) -> config::Connection {
    let text = format!("name = \"acme\"\nendpoint = \"shop\"\nworkspace = \"main\"\nsettings = {settings}\n");
    toml::from_str(&text).unwrap()
}

const SCHEMA: &str = r#"{ type = "object", additionalProperties = false, required = ["store"], properties = { store = { type = "string", minLength = 3 }, pages = { type = "integer", maximum = 9, default = 3 } } }"#;

#[test]
fn settings_that_fit_are_taken_with_the_defaults_of_the_schema() {
    let check =
        |found: &str, expected: &str| assert_eq!(settings(&manifest(SCHEMA), &section(found)).unwrap(), expected);
    check("{ store = \"shop\" }", r#"{"store":"shop","pages":3}"#);
    check("{ store = \"shop\", pages = 9 }", r#"{"pages":9,"store":"shop"}"#);
}

#[test]
fn settings_that_do_not_fit_are_named_with_what_was_expected_and_found() {
    let check = |found: &str, words: &[&str]| {
        let fault = settings(&manifest(SCHEMA), &section(found)).unwrap_err().to_string();
        assert!(fault.starts_with("connections.acme.settings: the plugin shop takes other settings: "), "{fault}");
        for word in words {
            assert!(fault.contains(word), "{word}: {fault}");
        }
    };
    check("{}", &["\"store\" is a required property"]);
    check("{ store = 7 }", &["store: 7 is not of type \"string\""]);
    check("{ store = \"shop\", pages = 10 }", &["pages: 10 is greater than the maximum of 9"]);
    check("{ store = \"shop\", pgaes = 1 }", &["pgaes"]);
    check("{ store = 7, pages = \"x\" }", &["store: 7", "pages: \"x\""]);
}

#[test]
fn a_plugin_without_a_schema_takes_any_settings() {
    let manifest = Manifest::parse("plugin.toml", "id = \"shop\"\nname = \"Shop\"\nversion = \"1.0.0\"\n").unwrap();
    assert_eq!(settings(&manifest, &section("{ a = [1, { b = true }] }")).unwrap(), r#"{"a":[1,{"b":true}]}"#);
}
