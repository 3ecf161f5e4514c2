//! The command from its arguments to the file.

use super::*;
use clap::Parser;
use std::fs;
use tempfile::TempDir;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: CreateArgs,
}

const BEFORE: &str = "# A file with words of its own.\n[workspaces.main]   # the shop\n";

fn folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("tidegate.toml"), BEFORE).unwrap();
    dir
}

fn read(dir: &TempDir) -> String {
    fs::read_to_string(dir.path().join("tidegate.toml")).unwrap()
}

fn create(dir: &TempDir, words: &[&str]) -> Result<u8, String> {
    let file = dir.path().join("tidegate.toml");
    let line = [&["create"], words, &["--json", "--config", file.to_str().unwrap()]].concat();
    run(&Line::try_parse_from(line).unwrap().args).map_err(|failure| failure.to_string())
}

const WOO: [&str; 8] = [
    "woocommerce",
    "store",
    "--set",
    "store=shop.example.com",
    "--credential",
    "consumer_key=${WOO_KEY}",
    "--credential",
    "consumer_secret=file:cs",
];

#[test]
fn a_connection_is_written_behind_what_was_there_once() {
    let dir = folder();
    assert_eq!(create(&dir, &[&WOO[..], &["--dry-run"]].concat()), Ok(0));
    assert_eq!(read(&dir), BEFORE, "a dry run writes nothing");
    assert_eq!(create(&dir, &WOO), Ok(0));
    let after = read(&dir);
    assert!(after.starts_with(BEFORE) && after.contains("consumer_secret = \"file:cs\""), "{after}");
    let config = Config::load(Some(&dir.path().join("tidegate.toml")), &[]).unwrap();
    assert_eq!((config.endpoints.len(), config.connections[0].name.as_str()), (1, "store"));
    assert!(create(&dir, &WOO).unwrap_err().contains("already"));
    assert_eq!(read(&dir), after);
}

#[test]
fn an_app_is_authorized_after_it_is_written() {
    let dir = folder();
    let file = dir.path().join("tidegate.toml");
    let config = Config::load(Some(&file), &[]).unwrap();
    let check = |plugin: &str, credentials: &[&str], expected: &[&str]| {
        let manifest = manifest(plugin, &file, &config).unwrap();
        let credentials = credentials.iter().map(|name| ((*name).to_owned(), format!("file:{name}"))).collect();
        let (account, secret) =
            (Some("acme.myshopify.com".to_owned()), (plugin == "shopify").then(|| "file:s".to_owned()));
        let said =
            Said { name: "c".to_owned(), plugin: plugin.to_owned(), account, secret, credentials, ..Said::default() };
        let steps = next(&manifest, &sections(&manifest, &config, &said).unwrap(), &config, false);
        let steps: Vec<&str> = steps.iter().filter_map(|step| step.strip_prefix("tidegate ")).collect();
        assert_eq!(steps, expected);
    };
    check("calendly", &["access_token"], &["reload", "connection subscribe c"]);
    let app = ["client_id", "client_secret"];
    check("calendly", &app, &["reload", "connection authorize c", "connection subscribe c"]);
    // This one asks by itself.
    check("shopify", &app, &["reload", "connection subscribe c"]);
}

#[test]
fn nothing_is_written_that_lacks_something_or_does_not_load() {
    let dir = folder();
    let check = |words: &[&str], expected: &[&str]| {
        let problem = create(&dir, words).unwrap_err();
        assert!(expected.iter().all(|part| problem.contains(part)), "{words:?}: {problem}");
        assert!(!problem.contains("hunter2") && !problem.contains(".tidegate-"), "{problem}");
        assert_eq!(read(&dir), BEFORE);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
    };
    check(&WOO[..2], &["--set store=VALUE", "--credential consumer_key='${VARIABLE}'", "consumer_secret"]);
    check(&[&WOO[..], &["--set", "tls=maybe"]].concat(), &["nothing was written", "settings", "tls"]);
    check(&[&WOO[..], &["--set", "stor=x"]].concat(), &["nothing was written", "stor"]);
    check(&[&WOO[..], &["--workspace", "mian"]].concat(), &["nothing was written", "no workspace \"mian\""]);
    check(&["calendly", "c", "--credential", "access_token=hunter2"], &["expected where the secret is"]);
    check(&["calendly", "c", "--credential", "hunter2"], &["--credential: expected NAME="]);
    check(&["shopfy", "c"], &["shopfy"]);
    check(&["json-hmac", "tool", "--secret", "file:x", "--subscribe"], &["--subscribe"]);
    check(&["woocommerce", "My Store"], &["is no name of a connection"]);
}
