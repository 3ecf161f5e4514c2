//! Plugins on the data directory of a stopped gateway, killed between any two steps.

use super::*;
use crate::{depot::Build, records::InstalledRow, testing::plugin_cache};
use std::path::PathBuf;
use tempfile::TempDir;
use tidegate_plugin_host::HostConfig;
use tidegate_store::memory::Memory;

const CONFIG: &str = r#"
[workspaces.main]
[[endpoints]]
name = "shop"
plugin = "shopify"
secrets = ["secret-of-the-tests"]
[[connections]]
name = "one"
endpoint = "shop"
workspace = "main"
account = "one.example"
[[connections]]
name = "two"
endpoint = "shop"
workspace = "main"
"#;

/// A data directory, with the store beside it in memory.
struct House {
    dir: TempDir,
    memory: Memory,
    config: Config,
}

impl House {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tidegate.toml");
        std::fs::write(&file, CONFIG).unwrap();
        let config = Config::load(Some(&file), &[]).unwrap();
        copy_compiled(plugin_cache(), &dir.path().join(PLUGINS));
        Self { dir, memory: Memory::new(), config }
    }

    fn plugins(&self) -> PathBuf {
        self.dir.path().join(PLUGINS)
    }

    fn host(&self) -> PluginHost {
        PluginHost::new(&HostConfig { cache_dir: Some(self.plugins()), ..HostConfig::default() }).unwrap()
    }

    fn with<T>(&self, work: impl FnOnce(&Desk<'_>) -> T) -> T {
        let engine = self.memory.engine();
        let rules = (Some(&self.config), self.config.plugin_sources.clone());
        work(&Desk::of_stopped((&*engine, self.dir.path()), self.host(), rules, Timestamp::from_ms(1)))
    }

    /// Only what is on disk is left; and then it is started, as a gateway is. Gives what takes webhooks, and what interprets for the connections.
    fn restart(mut self) -> (Self, [String; 3]) {
        self.memory = std::mem::take(&mut self.memory).crash();
        let house = self;
        let engine = house.memory.engine();
        Depot::new(&house.plugins()).tidy(&Shelf::load(&*engine).unwrap());
        let metrics = Arc::new(Metrics::new());
        let (store, plugins) = (&*engine, house.plugins());
        let sources = Sources { store, plugin_cache: Some(&plugins), metrics: &metrics, tokens: None, previous: None };
        let catalog = Catalog::load(&house.config, &sources).unwrap();
        let endpoint = catalog.endpoint("shop").unwrap();
        let of = |account: &str| {
            endpoint.connection_for(Some(account)).unwrap().interpreter.plugin.manifest().version.clone()
        };
        let runs = [endpoint.plugin.manifest().version.clone(), of("one.example"), of("two.example")];
        (house, runs)
    }
}

impl Drop for House {
    fn drop(&mut self) {
        copy_compiled(&self.plugins(), plugin_cache());
    }
}

/// What one test compiled the next need not. A file appears whole or not at all.
fn copy_compiled(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.extension().is_some_and(|end| end == "cwasm") && !target.exists() {
            let whole = tempfile::NamedTempFile::new_in(to).unwrap();
            std::fs::copy(&path, whole.path()).unwrap();
            whole.persist(&target).unwrap();
        }
    }
}

fn bundled() -> &'static [u8] {
    tidegate_bundled::plugin("shopify").unwrap().component
}

fn bundled_version() -> String {
    tidegate_plugin_host::read_manifest(bundled()).unwrap().version
}

/// The bundled plugin as another version, with these words in place of others in its manifest.
fn packed(version: &str, from: &str, to: &str) -> Vec<u8> {
    let manifest = tidegate_plugin_pack::extract(bundled()).unwrap();
    let old = format!("version = \"{}\"", bundled_version());
    assert!(manifest.contains(&old) && manifest.contains(from), "{manifest}");
    let manifest = manifest.replacen(&old, &format!("version = \"{version}\""), 1).replacen(from, to, 1);
    tidegate_plugin_pack::embed(bundled(), &manifest).unwrap()
}

fn plain(version: &str) -> Vec<u8> {
    packed(version, "", "")
}

fn upgrade_to(desk: &Desk<'_>, to: &str, connection: Option<&str>) -> Result<serde_json::Value, Problem> {
    let (id, to, connection) = ("shopify".to_owned(), to.to_owned(), connection.map(str::to_owned));
    upgrade(desk, &Upgrade { id, to, connection, grant: false, digest: None, plan: false })
}

fn roll_back(desk: &Desk<'_>, connection: Option<&str>) -> Result<serde_json::Value, Problem> {
    rollback(desk, &Rollback { id: "shopify".to_owned(), connection: connection.map(str::to_owned) })
}

fn take_away(desk: &Desk<'_>, version: &str) -> Result<serde_json::Value, Problem> {
    uninstall(desk, &Uninstall { id: "shopify".to_owned(), version: version.to_owned() })
}

fn words(found: Result<serde_json::Value, Problem>) -> String {
    found.unwrap_err().detail().to_owned()
}

/// A place to be killed at, and how a gateway looks that was.
type Step<'a> = (&'a str, &'a dyn Fn(&House));

/// Components that lie in the folder.
fn files(house: &House) -> Vec<String> {
    let list = std::fs::read_dir(house.plugins().join("shopify")).into_iter().flatten();
    let mut names: Vec<String> = list.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_kill_between_any_two_steps_leaves_a_gateway_that_starts_and_a_command_that_can_be_given_again() {
    let old = bundled_version();
    let component = plain("9.0.0");
    let row = InstalledRow {
        plugin: "shopify".to_owned(),
        version: "9.0.0".to_owned(),
        digest: crate::depot::digest_of(&component),
        bytes: component.len() as u64,
        source: String::new(),
        signed_by: Vec::new(),
        installed_at: Timestamp::from_ms(1),
    };
    let steps: [Step<'_>; 6] = [
        ("a part of the file is written", &|house| {
            let path = Depot::new(&house.plugins()).path(&row).with_extension("part");
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &component[..100]).unwrap();
        }),
        ("the file is there, and no row", &|house| Depot::new(&house.plugins()).put(&row, &component).unwrap()),
        ("the row can't be written", &|house| {
            house.with(|desk| {
                house.memory.fail_io("the plug was pulled");
                install(desk, &component, &Install::default()).unwrap_err();
            });
        }),
        ("it is installed", &|house| drop(house.with(|desk| install(desk, &component, &Install::default()).unwrap()))),
        ("it is installed, and the switch can't be written", &|house| {
            house.with(|desk| {
                install(desk, &component, &Install::default()).unwrap();
                house.memory.fail_io("the plug was pulled");
                upgrade_to(desk, "9.0.0", None).unwrap_err();
            });
        }),
        ("it is active, and nothing runs it yet", &|house| {
            house.with(|desk| {
                install(desk, &component, &Install::default()).unwrap();
                upgrade_to(desk, "9.0.0", None).unwrap();
            });
        }),
    ];
    for (place, (step, leave)) in steps.iter().enumerate() {
        let house = House::new();
        leave(&house);
        let (house, runs) = house.restart();
        let expected = if place == 5 { "9.0.0" } else { &old };
        assert_eq!(runs, [expected; 3], "{step}");
        assert_eq!(files(&house).len(), usize::from(place > 2), "{step}: {:?}", files(&house));
        let asked = Install { activate: true, ..Install::default() };
        let again = house
            .with(|desk| install(desk, &component, &asked))
            .unwrap_or_else(|problem| panic!("{step}: {problem:?}"));
        assert_eq!(again["already"], place > 2, "{step}");
        let (_, runs) = house.restart();
        assert_eq!(runs, ["9.0.0"; 3], "{step}");
    }
}

#[test]
fn what_was_active_before_is_active_again_step_by_step() {
    let house = House::new();
    let old = bundled_version();
    let component = |version: &str| plain(version);
    house.with(|desk| {
        for version in ["9.0.0", "9.1.0"] {
            install(desk, &component(version), &Install::default()).unwrap();
            upgrade_to(desk, version, None).unwrap();
        }
        roll_back(desk, None).unwrap();
    });
    let (house, runs) = house.restart();
    assert_eq!(runs, ["9.0.0"; 3]);
    house.with(|desk| {
        assert!(
            words(take_away(desk, "9.0.0")).contains("in use: what is active for the plugin shopify, endpoint shop")
        );
        take_away(desk, "9.1.0").unwrap();
        assert!(words(take_away(desk, "9.1.0")).contains("not installed"));
        roll_back(desk, None).unwrap();
        assert!(words(roll_back(desk, None)).contains("nothing else was active before"));
    });
    let (house, runs) = house.restart();
    assert_eq!(runs, [old.as_str(); 3]);
    house.with(|desk| take_away(desk, "9.0.0")).unwrap();
    assert!(files(&house).is_empty());
}

#[test]
fn a_connection_runs_a_version_of_its_own_until_all_others_run_it_too() {
    let house = House::new();
    let old = bundled_version();
    house.with(|desk| {
        install(desk, &plain("9.0.0"), &Install::default()).unwrap();
        upgrade_to(desk, "9.0.0", Some("one")).unwrap();
    });
    let (house, runs) = house.restart();
    assert_eq!(runs, [old.as_str(), "9.0.0", old.as_str()]);
    house.with(|desk| {
        assert!(words(take_away(desk, "9.0.0")).contains("in use: connection one"));
        upgrade_to(desk, "9.0.0", None).unwrap();
        assert!(
            words(roll_back(desk, Some("one"))).contains("the connection one"),
            "it has no choice of its own any more"
        );
        assert!(words(upgrade_to(desk, "9.0.0", Some("three"))).contains("no connection \"three\""));
    });
    let (house, runs) = house.restart();
    assert_eq!(runs, ["9.0.0"; 3]);
    house.with(|desk| {
        upgrade_to(desk, &old, Some("two")).unwrap();
        assert!(
            Shelf::load(&*house.memory.engine())
                .unwrap()
                .active_for("shopify", "two")
                .unwrap()
                .is_some_and(|build| matches!(build, Build::Bundled(_)))
        );
    });
    let (house, runs) = house.restart();
    assert_eq!(runs, ["9.0.0", "9.0.0", old.as_str()]);
    house.with(|desk| roll_back(desk, Some("two"))).unwrap();
    assert_eq!(house.restart().1, ["9.0.0"; 3]);
}

#[test]
fn a_connection_does_not_run_what_cuts_or_checks_otherwise_and_all_together_do_when_it_is_granted() {
    let house = House::new();
    let other = packed("9.0.0", "[items]", "[response]\nstatus = 202\n\n[items]");
    house.with(|desk| {
        install(desk, &other, &Install::default()).unwrap();
        let problem = words(upgrade_to(desk, "9.0.0", Some("one")));
        assert!(problem.contains("what webhooks are answered with"), "{problem}");
        let problem = words(upgrade_to(desk, "9.0.0", None));
        assert!(problem.contains("asks for more") && problem.contains("--grant"), "{problem}");
        let asked = Upgrade {
            id: "shopify".to_owned(),
            to: "9.0.0".to_owned(),
            connection: None,
            grant: true,
            digest: None,
            plan: false,
        };
        upgrade(desk, &asked).unwrap();
        // A connection that chose for itself must fit what the others run next.
        install(desk, &packed("9.1.0", "[items]", "[response]\nstatus = 202\n\n[items]"), &Install::default()).unwrap();
        upgrade_to(desk, "9.1.0", Some("one")).unwrap();
        let back = words(roll_back(desk, None));
        assert!(back.contains("connections.one") && back.contains("nothing was changed"), "{back}");
    });
    assert_eq!(house.restart().1, ["9.0.0", "9.1.0", "9.0.0"]);
}

#[test]
fn a_version_stands_for_the_same_bytes_and_a_plugin_that_can_not_be_loaded_is_not_installed() {
    let house = House::new();
    house.with(|desk| {
        let asked = Install::default();
        assert_eq!(install(desk, bundled(), &asked).unwrap()["already"], true, "it is bundled");
        let problem =
            words(install(desk, &packed(&bundled_version(), "[items]", "[response]\nstatus = 202\n\n[items]"), &asked));
        assert!(problem.contains("comes with the gateway as other bytes"), "{problem}");
        install(desk, &plain("9.0.0"), &asked).unwrap();
        let problem = words(install(desk, &packed("9.0.0", "[items]", "[response]\nstatus = 202\n\n[items]"), &asked));
        assert!(problem.contains("is installed as other bytes") && problem.contains("plugin uninstall"), "{problem}");
        for (component, expected) in [
            (&b"nothing"[..], "WebAssembly component"),
            (&plain("9.2.0")[..9_000], "cut off"),
            (&plain(&format!("9.2.0-{}", "x".repeat(90))), "64 are taken at most"),
        ] {
            let problem = words(install(desk, component, &asked));
            assert!(problem.contains(expected), "{problem}");
        }
        let pinned = Install { digest: Some(format!("sha256:{}", "0a".repeat(32))), ..Install::default() };
        assert!(words(install(desk, &plain("9.2.0"), &pinned)).contains("was expected"));
    });
    assert_eq!(files(&house).len(), 1);
    // A file that is damaged is not run, and the way out is said.
    house.with(|desk| upgrade_to(desk, "9.0.0", None)).unwrap();
    let path = house.plugins().join("shopify").join(&files(&house)[0]);
    std::fs::write(&path, b"damaged").unwrap();
    house.with(|desk| {
        let shelf = desk.shelf().unwrap();
        let problem = shelf.active("shopify").unwrap().component(Some(&desk.depot)).unwrap_err();
        assert!(problem.contains("not as it was written") && problem.contains("plugin rollback shopify"), "{problem}");
        roll_back(desk, None).unwrap();
    });
}

#[test]
fn signatures_are_asked_for_where_the_configuration_says_so() {
    let (ours, key) = crate::depot::keypair([1; 32]);
    let (theirs, other) = crate::depot::keypair([2; 32]);
    let mut house = House::new();
    house.config.plugin_sources.trusted_keys = vec![key.to_string()];
    house.config.plugin_sources.require_signature = true;
    house.with(|desk| {
        let asked = Install::default();
        let problem = words(install(desk, &plain("9.0.0"), &asked));
        assert!(problem.contains("it is not signed") && problem.contains("tidegate plugin sign"), "{problem}");
        let (by_them, _) = crate::depot::sign(&plain("9.0.0"), &theirs).unwrap();
        let problem = words(install(desk, &by_them, &asked));
        assert!(problem.contains(&other.to_string()) && problem.contains("trusted_keys"), "{problem}");
        let (signed, _) = crate::depot::sign(&plain("9.0.0"), &ours).unwrap();
        let mut changed = signed.clone();
        let place = changed.windows(7).position(|part| part == b"Shopify").unwrap();
        changed[place] = b's';
        assert!(words(install(desk, &changed, &asked)).contains("not for these bytes"));
        let done = install(desk, &signed, &asked).unwrap();
        assert_eq!(done["signed_by"][0], key.to_string());
        let listed = versions(desk, Some("shopify")).unwrap();
        assert_eq!(listed.last().unwrap()["signed_by"][0], key.to_string());
    });
}
