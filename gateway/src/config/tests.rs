//! Layers, paths and faults.

use super::*;

const GOOD: &str = r#"
[workspaces.main]
flows = "flows"
default_sender = "shop"

[[endpoints]]
name = "shopify"
plugin = "shopify"
secrets = ["${SHOPIFY_SECRET}", "plain-old-one"]

[[connections]]
name = "acme"
endpoint = "shopify"
workspace = "main"

[[senders]]
name = "shop"
workspace = "main"
channel = "whatsapp"
phone_number_id = "106540352242922"
access_token = "token-itself"
"#;

fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tidegate.toml");
    std::fs::write(&path, text).unwrap();
    let environment: Vec<_> =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Config::load(Some(&path), &environment)
        .map_err(|fault| fault.to_string().replace(&dir.path().display().to_string(), "DIR"))
}

fn fault(text: &str) -> String {
    load(text, &[]).unwrap_err()
}

#[test]
fn the_documented_defaults_are_a_configuration() {
    let config = Config::load(None, &[]).unwrap();
    assert_eq!(config.server.listen, "127.0.0.1:8080");
    assert_eq!(config.public_url(), "http://127.0.0.1:8080");
}

#[test]
fn later_layers_win() {
    let config =
        load("[server]\nlisten = \"127.0.0.1:1\"\ndrain_s = 5", &[("TIDEGATE_SERVER__LISTEN", "127.0.0.1:2")]).unwrap();
    assert_eq!((config.server.listen.as_str(), config.server.drain_s), ("127.0.0.1:2", 5));
}

#[test]
fn relative_paths_belong_to_the_folder_of_the_file() {
    let config = load(GOOD, &[]).unwrap();
    assert!(config.data.dir.is_absolute() && config.data.dir.ends_with("tidegate-data"));
    assert!(config.workspaces["main"].flows.as_ref().unwrap().is_absolute());
    assert_eq!(config.endpoints[0].plugin, "shopify");
    let config =
        load(&GOOD.replace("${SHOPIFY_SECRET}", "file:shopify.secret"), &[("TIDEGATE_DATA__DIR", "elsewhere")])
            .unwrap();
    assert!(config.endpoints[0].secrets[0].to_string().starts_with("file:/"));
    assert_eq!(config.data.dir, Path::new("elsewhere"), "a path in the environment belongs to the working directory");
}

#[test]
fn what_is_in_force_is_shown_without_secrets() {
    let shown = toml::to_string(&load(GOOD, &[]).unwrap()).unwrap();
    assert!(
        shown.contains("${SHOPIFY_SECRET}") && !shown.contains("plain-old-one") && !shown.contains("token-itself"),
        "{shown}"
    );
}

#[test]
fn faults_name_the_place_and_what_to_do() {
    insta::assert_snapshot!(fault("[server]\nlisen = \"x\""));
    insta::assert_snapshot!(fault("[server]\ndrain_s = \"soon\""));
    insta::assert_snapshot!(fault(&GOOD.replace("workspace = \"main\"", "workspace = \"other\"")));
    insta::assert_snapshot!(fault(&GOOD.replace("endpoint = \"shopify\"", "endpoint = \"shop\"")));
    insta::assert_snapshot!(fault(&GOOD.replace("\"106540352242922\"", "\"+1 555 0100\"")));
    insta::assert_snapshot!(fault(&GOOD.replace("name = \"acme\"", "name = \"Acme Shop\"")));
    insta::assert_snapshot!(fault(&GOOD.replace("default_sender = \"shop\"", "default_sender = \"shup\"")));
    insta::assert_snapshot!(load("", &[("TIDEGATE_SERVER__LISEN", "x")]).unwrap_err());
    insta::assert_snapshot!(load("", &[("TIDEGATE_SERVER__DRAIN_S", "soon")]).unwrap_err());
}

const SMS: &str = r#"
[server]
public_url = "https://hooks.example"
[workspaces.main]
[[endpoints]]
name = "twilio"
plugin = "twilio"
secrets = ["${TWILIO_TOKEN}"]
[[connections]]
name = "texts"
endpoint = "twilio"
workspace = "main"
[[senders]]
name = "texts"
workspace = "main"
channel = "sms"
account_sid = "AC0123456789abcdef0123456789abcdef"
auth_token = "token-itself"
from = "+14155552671"
endpoint = "twilio"
"#;

#[test]
fn a_sender_has_the_keys_of_its_channel_and_no_others() {
    let sender = load(SMS, &[]).unwrap().senders.remove(0);
    assert_eq!((sender.base_url.as_str(), sender.timeout_s), ("https://api.twilio.com", 10));
    assert!(!toml::to_string(&sender).unwrap().contains("token-itself"));
    assert_eq!(load(GOOD, &[]).unwrap().senders[0].graph_version.as_deref(), Some("v25.0"));
    let check = |from: &str, to: &str, expected: &str| {
        let fault = fault(&SMS.replace(from, to));
        assert!(fault.contains("senders.texts") && fault.contains(expected), "{fault}");
    };
    check("from = ", "phone_number_id = \"1\"\nfrom = ", "phone_number_id belongs to channel = \"whatsapp\"");
    check("from = \"+14155552671\"\n", "", "from is missing");
    check("auth_token = \"token-itself\"\n", "", "auth_token is missing");
    check("auth_token = ", "api_key = \"SK1\"\nauth_token = ", "take one of them out");
    check("auth_token = ", "api_secret = ", "an API key has two parts");
    check("account_sid = \"AC0123456789abcdef0123456789abcdef\"\n", "", "account_sid is missing");
    check("\nfrom = \"+14155552671\"\nendpoint = \"twilio\"", "\nfrom = \"+14155552671\"", "endpoint is missing");
    check(
        "\"+14155552671\"\nendpoint = \"twilio\"",
        "\"+14155552671\"\nendpoint = \"twillio\"",
        "there is no endpoint \"twillio\"",
    );
    check("public_url = \"https://hooks.example\"", "", "server.public_url must say where");
    let whatsapp = fault(&GOOD.replace("access_token = \"token-itself\"", "auth_token = \"x\""));
    assert!(whatsapp.contains("auth_token belongs to channel = \"sms\""), "{whatsapp}");
    let default = fault(&SMS.replace("[workspaces.main]", "[workspaces.main]\ndefault_sender = \"texts\""));
    assert!(default.contains("default_sender \"texts\" does not send by whatsapp"), "{default}");
    let default = SMS.replace("[workspaces.main]", "[workspaces.main]\ndefault_sms_sender = \"texts\"");
    assert!(load(&default, &[]).is_ok());
}

#[test]
fn settings_that_would_lose_what_is_asked_for_are_refused() {
    let check = |text: &str, words: &str| {
        let fault = fault(&format!("[retention]\n{text}"));
        assert!(fault.to_string().contains(words), "{fault}");
    };
    check("days = 8", "retention.days: must be 9 or more, or 0 for ever, not 8: repeats are recognised for 9 days");
    check(
        "dead_letter_days = 1",
        "retention.dead_letter_days: must be 9 or more, or 0 for ever, not 1: parked work is lost",
    );
    check("max_rows = 10", "retention.max_rows: must be 1000 or more, or 0 for any number, not 10");
    check("day = 3", "unknown key `day` in retention: did you mean `days`?");
    assert!(load("[retention]\ndays = 0\nmax_rows = 0\ndead_letter_days = 0", &[]).is_ok());
}
