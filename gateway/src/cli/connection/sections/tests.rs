//! What is there stays as it is, and the file is replaced whole.

use super::*;
use crate::cli::connection::needs::NewEndpoint;
use proptest::prelude::*;
use std::{collections::BTreeMap, os::unix::fs::PermissionsExt};

fn woo() -> Sections {
    let credentials = [("consumer_key", "${KEY}"), ("consumer_secret", "file:cs")];
    Sections {
        endpoint: Some(NewEndpoint {
            plugin: "woocommerce".to_owned(),
            secret: Some("generated".to_owned()),
            verify_token: None,
        }),
        name: "store".to_owned(),
        endpoint_name: "store".to_owned(),
        workspace: "main".to_owned(),
        account: None,
        settings: toml::from_str("store = \"shop.example.com\"\ntls = false").unwrap(),
        credentials: credentials.map(|(name, place)| (name.to_owned(), place.to_owned())).into(),
    }
}

#[test]
fn sections_are_written_as_a_person_would() {
    insta::assert_snapshot!(text(&woo()), @r#"

    [[endpoints]]
    name = "store"
    plugin = "woocommerce"
    secrets = ["generated"]

    [[connections]]
    name = "store"
    endpoint = "store"
    workspace = "main"

    [connections.settings]
    store = "shop.example.com"
    tls = false

    [connections.credentials]
    consumer_key = "${KEY}"
    consumer_secret = "file:cs"
    "#);
}

#[test]
fn what_is_added_is_shown_as_a_patch() {
    let check = |before: &str, expected: &str| {
        let after = joined(before, "\n[a]\n");
        let shown = difference(Path::new("t.toml"), before, &after);
        assert_eq!(shown, format!("--- t.toml\n+++ t.toml\n{expected}"), "{before:?}");
    };
    check("x = 1\n", "@@ -1,0 +2,2 @@\n+\n+[a]\n");
    check("x = 1", "@@ -1,1 +1,3 @@\n-x = 1\n\\ No newline at end of file\n+x = 1\n+\n+[a]\n");
    check("", "@@ -0,0 +1,1 @@\n+[a]\n");
}

#[test]
fn a_file_is_replaced_with_its_mode_unless_somebody_changed_it() {
    let dir = tempfile::tempdir().unwrap();
    let (real, link) = (dir.path().join("real.toml"), dir.path().join("tidegate.toml"));
    fs::write(&real, "# mine\n").unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();

    let file = ConfigFile::read(&link).unwrap();
    let beside = file.beside("# mine\n[a]\n").unwrap();
    assert_eq!(fs::read_to_string(&real).unwrap(), "# mine\n", "nothing is changed yet");
    file.replace(beside).unwrap();
    assert_eq!(fs::read_to_string(&real).unwrap(), "# mine\n[a]\n");
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());

    let late = ConfigFile::read(&link).unwrap();
    let beside = late.beside("lost").unwrap();
    fs::write(&real, "# theirs\n").unwrap();
    assert!(late.replace(beside).unwrap_err().to_string().contains("was changed meanwhile"));
    assert_eq!(fs::read_to_string(&real).unwrap(), "# theirs\n");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing is left beside it");
}

proptest! {
    #[test]
    fn whatever_is_said_is_read_back_and_what_was_there_stays(
        account in ".{0,20}",
        key in "[ -~]{1,12}",
        value in ".{0,20}",
        before in "(# [ -~é]{0,10}\n){0,3}",
    ) {
        let settings = toml::Table::from_iter([(key, toml::Value::String(value))]);
        let account = Some(account);
        let sections = Sections { account: account.clone(), settings: settings.clone(), credentials: BTreeMap::new(), ..woo() };
        let after = joined(&before, &text(&sections));
        if !before.contains('\r') {
            prop_assert!(after.starts_with(&before));
            let read: toml::Table = toml::from_str(&after).unwrap();
            let made = &read["connections"][0];
            prop_assert_eq!(made["account"].as_str(), account.as_deref());
            prop_assert_eq!(made["settings"].as_table(), Some(&settings));
        }
    }
}
