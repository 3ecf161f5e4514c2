//! A plugin under development in a running gateway: each build is in force at once, a broken one changes nothing, and a reload brings back the configured one.

use crate::{
    PROGRAM, bare,
    plugin::{WELCOME, booked, booking, texts},
    text,
};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;
use tidegate_plugin_pack::extract;
use tidegate_test_support::{Brittle, Gateway, SHOPIFY_SECRET};

/// A project whose build copies a component that was made before.
struct Project(TempDir);

impl Project {
    fn new(version: Brittle) -> Self {
        let project = Self(tempfile::tempdir().expect("a folder"));
        project.put(version);
        project
    }

    fn dir(&self) -> &Path {
        self.0.path()
    }

    /// The version that the next build gives.
    fn put(&self, version: Brittle) {
        let packed = version.packed(Path::new(PROGRAM));
        let manifest = extract(&packed).expect("it has a manifest");
        let build = "[build]\ncommand = \"mkdir -p build && cp source.bin build/plugin.wasm\"\ncomponent = \"build/plugin.wasm\"\n";
        fs::write(self.dir().join("plugin.toml"), format!("{manifest}{build}")).expect("the file can be written");
        self.source(&packed);
    }

    fn source(&self, bytes: &[u8]) {
        fs::write(self.dir().join("source.bin"), bytes).expect("the file can be written");
    }
}

/// `tidegate plugin dev`, until it is dropped.
struct Dev {
    child: Child,
    printed: PathBuf,
}

impl Dev {
    fn start(gateway: &Gateway, project: &Project, folder: &Path) -> Self {
        let printed = folder.join("printed");
        let file = File::create(&printed).expect("a file");
        let mut command = Command::new(PROGRAM);
        command
            .args(["plugin", "dev"])
            .arg(project.dir())
            .args(["--endpoint", "brittle", "--data"])
            .arg(gateway.data());
        let child = command.stdin(Stdio::null()).stdout(file).spawn().expect("the program runs");
        Self { child, printed }
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.printed).expect("the file is there")
    }

    async fn says(&self, gateway: &Gateway, words: &str, times: usize) {
        let found = async |_: &Gateway| (self.text().matches(words).count() >= times).then_some(());
        gateway.wait_until(words, found).await;
    }

    /// Ends it as Ctrl-C does.
    async fn interrupt(mut self, gateway: &Gateway) -> Option<i32> {
        let id = self.child.id().to_string();
        let asked = Command::new("kill").args(["-INT", &id]).status().expect("kill runs");
        assert!(asked.success());
        let child = std::sync::Mutex::new(&mut self.child);
        let ended = async |_: &Gateway| child.lock().expect("one looks").try_wait().ok().flatten();
        gateway.wait_until("the end of dev", ended).await.code()
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_build_is_in_force_at_once_and_a_broken_one_changes_nothing() {
    let gateway = bare().brittle().template(booked()).flow(WELCOME).start().await;
    let project = Project::new(Brittle::Mended);
    let folder = tempfile::tempdir().expect("a folder");
    let dev = Dev::start(&gateway, &project, folder.path());
    dev.says(&gateway, "in force: brittle@0.1.1 behind brittle", 1).await;
    gateway.post("brittle", &booking(&gateway, 1, None)).await.stored();
    gateway.settle().await;
    assert_eq!(texts(&gateway).len(), 1, "the build reads what the installed one does not: {}", dev.text());
    assert!(gateway.log_text().contains("a plugin that is not installed is in force"), "the operator is told");

    project.source(b"no component");
    dev.says(&gateway, "what was in force stays", 1).await;
    gateway.post("brittle", &booking(&gateway, 2, None)).await.stored();
    gateway.settle().await;
    assert_eq!(texts(&gateway).len(), 2);

    project.put(Brittle::Defective);
    dev.says(&gateway, "in force: brittle@0.1.0", 1).await;
    let failing = gateway.post("brittle", &booking(&gateway, 3, None)).await.stored();
    dev.says(&gateway, "the plugin failed", 1).await;
    project.put(Brittle::Mended);
    dev.says(&gateway, "in force: brittle@0.1.1", 2).await;
    gateway.ask(&["event", "replay", &failing, "--apply"]).await.good();
    gateway.settle().await;
    assert_eq!(texts(&gateway).len(), 3);

    assert_eq!(dev.interrupt(&gateway).await, Some(0), "Ctrl-C is a good end");
    let version = async || {
        let rows = gateway.ask(&["plugin", "list", "--json"]).await.json();
        rows.iter().find(|row| row["id"] == "brittle").map(|row| text(row, "version").to_owned())
    };
    assert_eq!(version().await.as_deref(), Some("0.1.1"));
    let told = gateway.ask(&["reload"]).await;
    assert!(told.good().contains("endpoint brittle: plugin build was brittle@0.1.1"), "{}", told.out);
    assert_eq!(version().await.as_deref(), Some("0.1.0"), "the configured one is back");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_while_plugins_were_swapped_is_interpreted_once() {
    let gateway = bare().brittle().template(booked()).flow(WELCOME).start().await;
    let (one, other) = (Brittle::Mended.packed(Path::new(PROGRAM)), Brittle::Defective.packed(Path::new(PROGRAM)));
    let webhooks: Vec<_> = (1..=40).map(|n| booking(&gateway, n, Some("Ann"))).collect();
    let sending = gateway.burst("brittle", &webhooks);
    for component in [&one, &other, &one, &other, &one] {
        let done = swap(&gateway, "brittle", component.clone()).await;
        assert_eq!(done.0, 200, "{}", done.1);
    }
    for (_, answer) in sending.join_all().await {
        answer.expect("an answer").stored();
    }
    gateway.settle().await;
    assert_eq!(texts(&gateway).len(), 40);
    assert_eq!(gateway.events_of("appointment.booked").await.len(), 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_does_not_fit_is_refused_and_nothing_changes() {
    let gateway = bare().brittle().start().await;
    let brittle = Brittle::Mended.packed(Path::new(PROGRAM));
    for (endpoint, component, status, words) in [
        ("nowhere", brittle.clone(), 404, "there is no endpoint"),
        ("shopify", brittle.clone(), 409, "the plugin of the endpoint shopify is shopify"),
        ("brittle", b"nothing".to_vec(), 400, "expected a WebAssembly component"),
    ] {
        let (found, body) = swap(&gateway, endpoint, component).await;
        assert_eq!(found, status, "{body}");
        assert!(body.contains(words), "{body}");
    }
    let project = Project::new(Brittle::Mended);
    let dir = project.dir().to_str().expect("text");
    for (endpoint, words) in [("nowhere", "there are"), ("shopify", "its plugin is shopify")] {
        let refused = gateway.ask(&["plugin", "dev", dir, "--endpoint", endpoint]).await;
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.err.contains(words), "{}", refused.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_signed_as_a_packed_plugin_s_provider_signs() {
    let gateway = bare().brittle().start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("the file can be written");
        path.display().to_string()
    };
    let component = put("brittle.wasm", &Brittle::Mended.packed(Path::new(PROGRAM)));
    let webhook = put(
        "webhook.json",
        br#"{"topic": "t", "headers": {"x-shopify-topic": "t", "x-shopify-webhook-id": "1"}, "body": {"id": "B1", "phone": "+447700900777", "name": "Ann"}}"#,
    );
    let url = gateway.url("brittle");
    let send = async |plugin: &str, what: &str| {
        gateway.run(&["webhook", "send", plugin, what, "--to", &url, "--secret", SHOPIFY_SECRET]).await
    };
    assert!(send(&component, &webhook).await.good().starts_with("200 dlv_"));
    gateway.settle().await;
    assert_eq!(gateway.events_of("appointment.booked").await.len(), 1);
    let refused = send(&component, "orders/create").await;
    assert_eq!(refused.code, Some(2));
    assert!(refused.err.contains("there is no such file"), "{}", refused.err);
    assert_eq!(send("./nothing.wasm", &webhook).await.code, Some(2));
}

/// Puts a component in force through the control socket.
async fn swap(gateway: &Gateway, endpoint: &str, component: Vec<u8>) -> (u16, String) {
    let client = reqwest::Client::builder().unix_socket(gateway.data().join("control.sock")).build().expect("a client");
    let request = client.post(format!("http://gateway/v1/endpoints/{endpoint}/plugin")).body(component);
    let answer = request.send().await.expect("the gateway answers");
    (answer.status().as_u16(), answer.text().await.expect("a text"))
}
