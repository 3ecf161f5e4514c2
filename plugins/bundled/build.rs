//! Builds every bundled plugin to a component, packs its manifest into it, and writes the tables that `src/lib.rs` includes. The list of plugins is [`PLUGINS`].

use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
    process::ExitCode,
};
use tidegate_plugin_pack::{Crate, build, embed};

/// The bundled plugins: folders of `plugins/`, whose packages are `tidegate-plugin-…`.
const PLUGINS: &[&str] = &["calendly", "hubspot", "json-hmac", "meta", "shopify", "twilio", "woocommerce"];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            // Cargo shows lines that start so, whole, as the build's errors.
            reason.lines().for_each(|line| println!("cargo::error={line}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let root = workspace(&variable("CARGO_MANIFEST_DIR")?)?;
    let out = PathBuf::from(variable("OUT_DIR")?);
    for input in ["wit", "plugin-sdk/src", "plugin-sdk/Cargo.toml", "Cargo.lock"] {
        watch(&root.join(input));
    }
    let mut tables = Tables::default();
    for plugin in PLUGINS {
        let dir = root.join("plugins").join(plugin);
        for input in ["src", "Cargo.toml", "plugin.toml", "fixtures"] {
            watch(&dir.join(input));
        }
        // A package that only this plugin has.
        if dir.join("mapping").is_dir() {
            watch(&dir.join("mapping"));
        }
        let component = out.join(format!("{plugin}.wasm"));
        fs::write(&component, pack(plugin, &dir, &guests(&out))?).map_err(|error| about(&component, &error))?;
        tables.add_plugin(plugin, &component);
        samples(plugin, &dir, &mut tables)?;
    }
    let table = out.join("tables.rs");
    fs::write(&table, tables.to_string()).map_err(|error| about(&table, &error))
}

/// The component with its manifest.
fn pack(plugin: &str, dir: &Path, target_dir: &Path) -> Result<Vec<u8>, String> {
    let manifest = dir.join("plugin.toml");
    let manifest = fs::read_to_string(&manifest).map_err(|error| about(&manifest, &error))?;
    let package = format!("tidegate-plugin-{plugin}");
    let component = build(Crate { package: &package, dir, target_dir }).map_err(|error| error.to_string())?;
    embed(&component, &manifest).map_err(|error| error.to_string())
}

/// Every `fixtures/<case>/webhook.json` of a plugin.
fn samples(plugin: &str, dir: &Path, tables: &mut Tables) -> Result<(), String> {
    let fixtures = dir.join("fixtures");
    let entries = fs::read_dir(&fixtures).map_err(|error| about(&fixtures, &error))?;
    let mut cases: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()).collect();
    cases.sort();
    for case in cases {
        let webhook = case.join("webhook.json");
        let text = fs::read_to_string(&webhook).map_err(|error| about(&webhook, &error))?;
        let topic = topic(&text)
            .ok_or_else(|| format!("{}: expected it to start with `\"topic\": \"…\"`", webhook.display()))?;
        tables.add_sample(plugin, topic, &case.file_name().unwrap_or_default().to_string_lossy(), &webhook);
    }
    Ok(())
}

/// The topic, which is the first member of a fixture. A JSON parser here would have its own features, and with them a second build of the engine; a test reads the
/// fixtures with one and compares.
fn topic(webhook: &str) -> Option<&str> {
    let rest = webhook.trim_start().strip_prefix('{')?.trim_start().strip_prefix("\"topic\"")?;
    rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?.split('"').next()
}

/// Where plugins are built: one directory beside what cargo builds for the host, so that builds of other profiles and the tests' plugins share it.
fn guests(out: &Path) -> PathBuf {
    // target/<profile>/build/<package>/out
    out.ancestors().nth(4).unwrap_or(out).join("guests")
}

/// The folder of the workspace: two above this package.
fn workspace(package: &str) -> Result<PathBuf, String> {
    let root = Path::new(package).ancestors().nth(2);
    root.map(Path::to_owned).ok_or_else(|| format!("{package} is not inside the workspace"))
}

fn watch(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("{name}: {error}"))
}

fn about(path: &Path, error: &impl fmt::Display) -> String {
    format!("{}: {error}", path.display())
}

/// The source of the tables.
#[derive(Default)]
struct Tables {
    plugins: String,
    samples: String,
    names: Vec<String>,
}

impl Tables {
    fn add_plugin(&mut self, id: &str, component: &Path) {
        self.names.push(id.replace('-', "_"));
        self.plugins += &format!("    BundledPlugin {{ id: {id:?}, component: include_bytes!({component:?}) }},\n");
    }

    fn add_sample(&mut self, plugin: &str, topic: &str, case: &str, webhook: &Path) {
        let fields =
            format!("plugin: {plugin:?}, topic: {topic:?}, case: {case:?}, webhook_json: include_str!({webhook:?})");
        self.samples += &format!("    Sample {{ {fields} }},\n");
    }
}

impl fmt::Display for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls: String = self.names.iter().map(|name| format!("        $each!({name});\n")).collect();
        write!(
            f,
            "/// Every bundled plugin, in the order of their ids.\npub static PLUGINS: &[BundledPlugin] = &[\n{}];\n\n\
             /// Webhooks as the providers of the bundled plugins send them.\npub static SAMPLES: &[Sample] = &[\n{}];\n\n\
             /// Calls a macro with the name of each bundled plugin (`-` as `_`): a list that needs an entry for every plugin can't be built without it.\n\
             #[macro_export]\nmacro_rules! foreach_plugin {{\n    ($each:ident) => {{\n{calls}    }};\n}}\n",
            self.plugins, self.samples
        )
    }
}
