//! A catalog made from another one.

use super::*;
use crate::testing::{Stage, THANKS, WORKSPACE};

fn again(stage: &Stage, old: &Catalog, config: &Config) -> Result<Catalog, CatalogFault> {
    let metrics = old.shared_metrics();
    let sources = Sources {
        store: stage.app().store(),
        plugin_cache: None,
        metrics: &metrics,
        tokens: None,
        previous: Some(old),
    };
    Catalog::load(config, &sources)
}

#[test]
fn what_has_not_changed_is_taken_over() {
    let stage = Stage::new(&[THANKS]);
    let old = stage.app().catalog();
    let new = again(&stage, &old, old.config()).unwrap();
    assert!(changes(old.facts(), new.facts()).is_empty());
    for name in ["shopify", "meta"] {
        let (old, new) = (old.endpoint(name).unwrap(), new.endpoint(name).unwrap());
        assert!(old.plugin.is(&new.plugin), "{name} is not loaded again");
    }
    assert!(Arc::ptr_eq(&old.sender(WORKSPACE, "shop").unwrap(), &new.sender(WORKSPACE, "shop").unwrap()));
}

#[test]
fn a_sender_that_changed_is_made_anew_and_the_rest_is_taken_over() {
    let stage = Stage::new(&[THANKS]);
    let old = stage.app().catalog();
    let mut config = old.config().clone();
    config.senders[0].access_token = Some(crate::config::SecretText::new("another-token"));
    let new = again(&stage, &old, &config).unwrap();
    let told: Vec<String> = changes(old.facts(), new.facts()).iter().map(ToString::to_string).collect();
    assert_eq!(told, ["sender shop: access_token changed"]);
    assert!(!Arc::ptr_eq(&old.sender(WORKSPACE, "shop").unwrap(), &new.sender(WORKSPACE, "shop").unwrap()));
    assert!(old.endpoint("meta").unwrap().plugin.is(&new.endpoint("meta").unwrap().plugin));
}

#[test]
fn a_catalog_that_is_refused_stores_no_version_of_a_flow() {
    use tidegate_store::{Key, Space};
    let stage = Stage::new(&[THANKS]);
    let old = stage.app().catalog();
    let dir = tempfile::tempdir().unwrap();
    let flow = THANKS.replace("template: ask", "template: nobody_has_it");
    std::fs::write(dir.path().join("a.yaml"), flow).unwrap();
    let mut config = old.config().clone();
    config.workspaces.get_mut("main").unwrap().flows = Some(dir.path().to_owned());
    let versions = || {
        let range = KeyRange::prefix(&Key::new(Space::Flows, WORKSPACE));
        stage.app().store().range(&range, Order::Forward, 10).unwrap().len()
    };
    let before = versions();
    assert!(again(&stage, &old, &config).is_err());
    assert_eq!((before, versions()), (1, 1));
}
