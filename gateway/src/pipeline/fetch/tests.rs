//! Items that wait for answers: they go on whenever the gateway dies, and are interpreted once.

use super::{answers, pause_ms};
use crate::{
    commands::{self, Picked, Replay},
    pipeline::Progress,
    play::Script,
    testing::{SECRET, Stage, WORKSPACE},
};
use serde_json::{Value, json};
use sha2::Digest;
use std::{
    path::{Path, PathBuf},
    rc::Rc,
};
use tidegate_model::{DeliveryId, ItemId, outcome::Answer};
use tidegate_store::{Key, KeyRange, Order, Queue, Space};
use tidegate_test_support::{Brittle, Provider, Reply};

const MANIFEST: &str = "capabilities = { fetch = [\"{settings.tool}\"], answer_bytes = 262144 }\n\
    config_schema = { type = \"object\", required = [\"tool\"], properties = { tool = { type = \"string\" } } }\n\
    auth = [{ host = \"{settings.tool}\", kind = \"bearer\", secret = \"token\" }]";
const TOKEN: &str = "token-of-the-tool";

/// A gateway with the brittle plugin, which may read from the provider.
struct Scene {
    stage: Stage,
    provider: Rc<Provider>,
}

impl Scene {
    fn new() -> Self {
        Self::with(None)
    }

    /// With a provider that was there before: its address is in what is posted.
    fn with(provider: Option<Rc<Provider>>) -> Self {
        Self::asking(provider, MANIFEST, &format!("token = \"{TOKEN}\""))
    }

    /// With this manifest and these credentials.
    fn asking(provider: Option<Rc<Provider>>, manifest: &str, credentials: &str) -> Self {
        let mut stage = Stage::new(&[]);
        let provider = provider.unwrap_or_else(|| Rc::new(stage.runtime().block_on(Provider::start())));
        // target/debug/deps stands for target/debug/program: guests are built in target/guests.
        let beside: PathBuf = std::env::current_exe().unwrap().parent().unwrap().to_owned();
        let file = stage.write("brittle.wasm", &Brittle::Defective.packed_asking(&beside, manifest));
        let tool = provider.authority();
        let section = format!(
            "[secrets]\nmaster_key = \"one-master-key-of-forty-characters-00001\"\n[plugins.brittle]\nprivate_hosts = [\"{tool}\"]\n{}\
             [[connections]]\nname = \"brittle\"\nendpoint = \"brittle\"\nworkspace = \"main\"\nsettings = {{ tool = \"{tool}\" }}\n\
             credentials = {{ {credentials} }}\n",
            endpoint(&file)
        );
        let before = "[[endpoints]]\nname = \"meta\"";
        stage.reconfigure(before, &format!("{section}{before}"));
        Self { stage, provider }
    }

    fn post(&self, n: u32, path: &str, steps: u32) -> DeliveryId {
        let url = self.provider.url(path);
        let body = json!({"id": format!("B{n}"), "phone": crate::testing::phone(n), "name": "Ann", "ask": url, "steps": steps});
        let headers = vec![("x-shopify-topic".to_owned(), "booking/made".to_owned())];
        let script = Script { headers, body, ..Script::default() };
        let played = script.sign("shopify", SECRET, &format!("booking-{n}"), self.stage.now()).unwrap();
        self.stage.try_post("brittle", &played).unwrap().id()
    }

    fn result(&self, id: DeliveryId) -> Value {
        let shown = crate::views::delivery(self.stage.app(), id).unwrap().unwrap();
        shown["items"][0]["result"].clone()
    }

    fn first_names(&self) -> Vec<String> {
        let contacts = self.stage.rows(Space::Contacts);
        let mut names: Vec<String> = contacts
            .iter()
            .filter_map(|row| row["contact"]["fields"]["first_name"]["value"].as_str())
            .map(str::to_owned)
            .collect();
        names.sort();
        names
    }

    fn rows(&self, space: Space) -> usize {
        let range = KeyRange::prefix(&Key::new(space, WORKSPACE));
        self.stage.app().store().range(&range, Order::Forward, 1_000).unwrap().len()
    }
}

fn endpoint(file: &Path) -> String {
    format!("[[endpoints]]\nname = \"brittle\"\nplugin = {file:?}\nsecrets = [\"{SECRET}\"]\n")
}

/// Plays a story to its end, with a crash after this step. Gives how many steps there were.
fn play(provider: Option<Rc<Provider>>, crash_after: Option<usize>) -> (Scene, usize) {
    let mut scene = Scene::with(provider);
    scene.provider.tell("/name", &[Reply::ok("\"Ann\""), Reply::ok("Ann")]);
    scene.provider.tell("/busy", &[Reply::status(503), Reply::ok("Bea")]);
    scene.post(1, "/name", 2);
    scene.post(2, "/busy", 1);
    scene.post(3, "/gone", 1);
    let mut steps = 0;
    for pass_ms in [0, 10_000] {
        scene.stage.advance(pass_ms);
        while scene.stage.step() == Progress::Done {
            steps += 1;
            if crash_after == Some(steps) {
                scene.stage.crash();
            }
        }
    }
    (scene, steps)
}

#[test]
fn a_crash_after_any_step_loses_no_item_and_interprets_none_twice() {
    let (whole, steps) = play(None, None);
    assert_eq!(whole.first_names(), ["Ann", "Bea"], "{:?}", whole.stage.rows(Space::Contacts));
    assert_eq!((whole.rows(Space::Fetches), whole.stage.ready(Queue::Pure), whole.stage.ready(Queue::Io)), (0, 0, 0));
    let letters = whole.stage.rows(Space::DeadLetters);
    assert!(letters.len() == 1 && letters[0]["reason"].as_str().unwrap().contains("answered 404"), "{letters:?}");
    assert!(steps > 8, "{steps}");
    let expected = whole.stage.state();
    for step in 1..=steps {
        let (scene, _) = play(Some(Rc::clone(&whole.provider)), Some(step));
        assert_eq!(scene.stage.state(), expected, "after step {step}");
        assert_eq!(scene.rows(Space::Fetches), 0, "after step {step}");
    }
}

#[test]
fn an_item_that_waits_says_for_what_and_later_ones_go_on() {
    let mut scene = Scene::new();
    scene.provider.tell("/down", &[Reply::status(503)]);
    scene.provider.tell("/name", &[Reply::ok("Bea")]);
    let first = scene.post(1, "/down", 1);
    scene.post(2, "/name", 1);
    scene.stage.settle();
    assert_eq!(scene.first_names(), ["Bea"]);
    let shown = scene.result(first);
    let words = shown["waiting"]["words"].as_str().unwrap();
    assert!(
        words.contains(scene.provider.authority()) && words.contains("1 tries: the provider answered 503"),
        "{words}"
    );
    let listed = crate::views::waiting(scene.stage.app(), 10).unwrap();
    assert!(listed.len() == 1 && listed[0]["delivery"] == json!(first), "{listed:?}");
    // A day without an answer: then the plugin is told, and says so.
    for _ in 0..30 {
        scene.stage.advance(3_600_000);
        scene.stage.settle();
    }
    let letters = scene.stage.rows(Space::DeadLetters);
    let reason = letters[0]["reason"].as_str().unwrap();
    assert!(letters.len() == 1 && reason.contains("no answer in 16 tries") && reason.contains("503"), "{letters:?}");
    assert_eq!(scene.provider.heard().iter().filter(|head| head.starts_with("GET /down")).count(), 16);
}

#[test]
fn a_plugin_that_asks_without_end_is_parked() {
    let mut scene = Scene::new();
    scene.provider.tell("/name", &[Reply::ok("Ann")]);
    scene.post(1, "/name", 999);
    scene.stage.settle();
    let letters = scene.stage.rows(Space::DeadLetters);
    assert!(
        letters.len() == 1 && letters[0]["reason"].as_str().unwrap().contains("asked its provider 8 times"),
        "{letters:?}"
    );
    assert_eq!((scene.rows(Space::Fetches), scene.provider.heard().len()), (0, 8));
}

#[test]
fn what_is_not_granted_is_parked_with_the_line_to_add_and_a_retry_reads_it() {
    let mut scene = Scene::new();
    scene.provider.tell("/name", &[Reply::ok("Ann")]);
    let line = format!("private_hosts = [\"{}\"]", scene.provider.authority());
    scene.stage.reconfigure(&line, "private_hosts = []");
    let id = scene.post(1, "/name", 1);
    scene.stage.settle();
    let reason = scene.result(id)["parked"]["reason"].as_str().unwrap().to_owned();
    assert!(
        reason.starts_with(&format!("plugins.brittle.private_hosts needs \"{}\"", scene.provider.authority())),
        "{reason}"
    );
    assert!(scene.provider.heard().is_empty());
    scene.stage.reconfigure("private_hosts = []", &line);
    let all: Picked = serde_json::from_value(json!({"all": {}})).unwrap();
    assert_eq!(commands::retry(scene.stage.app(), &all).unwrap()["done"], 1);
    scene.stage.settle();
    assert_eq!((scene.first_names(), scene.rows(Space::DeadLetters)), (vec!["Ann".to_owned()], 0));
}

#[test]
fn what_is_taken_back_while_an_item_waits_parks_it() {
    let mut scene = Scene::new();
    let id = scene.post(1, "/name", 1);
    scene.stage.interpret();
    let line = format!("private_hosts = [\"{}\"]", scene.provider.authority());
    scene.stage.reconfigure(&line, "private_hosts = []");
    scene.stage.settle();
    let reason = scene.result(id)["parked"]["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("plugins.brittle.private_hosts needs"), "{reason}");
    assert_eq!(scene.rows(Space::Fetches), 0);
}

#[test]
fn a_replay_has_the_answers_that_were_given_and_reads_anew_only_when_told() {
    let mut scene = Scene::new();
    scene.provider.tell("/name", &[Reply::ok("Ann"), Reply::ok("Bea")]);
    let id = scene.post(1, "/name", 1);
    scene.stage.settle();
    let replay = |scene: &Scene, apply: bool, refetch: bool| {
        let asked = Replay { id: id.to_string(), plugin: None, as_then: false, apply, refetch };
        let _inside = scene.stage.runtime().enter();
        commands::replay(scene.stage.app(), &asked).unwrap()
    };
    assert_eq!(replay(&scene, false, false)["same"], true);
    assert_eq!(scene.provider.heard().len(), 1);
    assert_eq!(replay(&scene, false, true)["same"], false);
    assert_eq!(scene.provider.heard().len(), 2);
    let applied = replay(&scene, true, true);
    assert_eq!(applied["items"][0]["applied"]["result"], "written", "{applied:#}");
    // From now on the new answers are the stored ones.
    assert_eq!(replay(&scene, false, false)["same"], true);
    assert_eq!(scene.provider.heard().len(), 3);
}

#[test]
fn long_answers_are_kept_whole_and_too_much_is_told_to_the_plugin() {
    let mut scene = Scene::new();
    // Text that does not get much shorter: it takes more than one row.
    let noise: String = (0..3_000u32).map(|n| hex::encode(sha2::Sha256::digest(n.to_be_bytes()))).collect();
    scene.provider.tell("/long", &[Reply::ok(&noise)]);
    scene.provider.tell("/huge", &[Reply::ok(&"x".repeat(270_000))]);
    let long = scene.post(1, "/long", 1);
    let huge = scene.post(2, "/huge", 1);
    let three = scene.post(3, "/long", 3);
    scene.stage.settle();
    let app = scene.stage.app();
    let item = &crate::pipeline::interpretations_of(app, WORKSPACE, long).unwrap()[0].items[0];
    let kept = answers(app.store(), WORKSPACE, item.id, item.given.unwrap()).unwrap();
    assert!(matches!(&kept[0].answer, Answer::Response { body, .. } if *body == noise));
    assert!(scene.rows(Space::Bodies) > 1);
    let reason = |id| scene.result(id)["parked"]["reason"].as_str().unwrap().to_owned();
    assert!(reason(huge).contains("more than 262144 bytes"), "{}", reason(huge));
    assert!(reason(three).contains("together have more than 524288 bytes"), "{}", reason(three));
}

#[test]
fn the_credential_reaches_the_provider_and_no_row() {
    let mut scene = Scene::new();
    scene.provider.tell("/name", &[Reply::ok("Ann")]);
    scene.post(1, "/name", 1);
    scene.stage.settle();
    assert!(
        scene.provider.heard()[0].contains(&format!("authorization: Bearer {TOKEN}")),
        "{:?}",
        scene.provider.heard()
    );
    for space in Space::ALL {
        let all = KeyRange::prefix(&[*space as u8]);
        let rows = scene.stage.app().store().range(&all, Order::Forward, 1_000).unwrap();
        for (_, row) in rows {
            assert!(!String::from_utf8_lossy(&row.value).contains(TOKEN), "{}", space.label());
        }
    }
}

#[test]
fn pauses_grow_to_an_hour_and_differ() {
    let item = |byte: u8| ItemId::from_raw([byte; 16]);
    let pauses: Vec<i64> = (1..=16).map(|attempts| pause_ms(attempts, item(0)) / 1_000).collect();
    assert_eq!(pauses[..4], [5, 10, 20, 40]);
    assert_eq!((pauses[9], pauses[10], pauses[15]), (2_560, 3_600, 3_600));
    assert_ne!(pause_ms(1, item(1)), pause_ms(1, item(200)));
}

#[test]
fn an_item_whose_connection_nobody_authorized_waits_as_long_as_it_takes() {
    let oauth = "{ authorize = \"https://{settings.tool}/authorize\", token = \"https://{settings.tool}/token\" }";
    let kind = format!("kind = \"oauth\", user = \"app\", secret = \"app_secret\", oauth = {oauth}");
    let manifest = MANIFEST.replace("kind = \"bearer\", secret = \"token\"", &kind);
    let mut scene = Scene::asking(None, &manifest, "app = \"app\", app_secret = \"app-secret\"");
    scene.provider.tell("/name", &[Reply::ok("Ann")]);
    let id = scene.post(1, "/name", 1);
    for _ in 0..72 {
        scene.stage.settle();
        scene.stage.advance(3_600_000);
    }
    let shown = scene.result(id);
    assert!(shown["waiting"]["words"].as_str().unwrap().contains("nobody has authorized it"), "{shown}");
    assert_eq!((scene.rows(Space::DeadLetters), scene.provider.heard().len()), (0, 0));

    scene.provider.tell("/token", &[Reply::ok(r#"{"access_token":"a1","refresh_token":"r1","expires_in":1800}"#)]);
    let app = scene.stage.app();
    let asked = serde_json::from_value(json!({"redirect": "http://localhost:1/callback"})).unwrap();
    let begun = commands::authorize_connection(app, "brittle", &asked).unwrap();
    let url = begun["url"].as_str().unwrap();
    let state = url.split("state=").nth(1).unwrap().split('&').next().unwrap();
    let callback = serde_json::from_value(json!({"query": format!("code=c1&state={state}")})).unwrap();
    scene.stage.runtime().block_on(commands::end_authorization(app, "brittle", &callback)).unwrap();
    let tokens = scene.stage.rows(Space::Tokens);
    assert!(tokens.len() == 1 && !tokens[0].to_string().contains("access"), "they are sealed: {tokens:?}");
    scene.stage.crash();
    scene.stage.advance(3_600_000);
    scene.stage.settle();
    assert_eq!(scene.first_names(), ["Ann"]);
    assert!(scene.provider.heard().last().unwrap().contains("authorization: Bearer a1"));
}

/// Nine people are asked for, of whom the provider does not know one; with a crash after this step. Gives how many steps there were.
fn play_nine(crash_after: Option<usize>) -> (Scene, usize) {
    let rule = "{ get = \"/people/{id}\", post = \"/people/batch/read\", most = 4, ids = \"inputs\", id_member = \"id\", lists = [], answers = \"results\", answer_id = \"id\" }";
    let manifest = MANIFEST.replace("answer_bytes = 262144", &format!("answer_bytes = 262144, batch = [{rule}]"));
    let mut scene = Scene::asking(None, &manifest, &format!("token = \"{TOKEN}\""));
    scene.provider.reads_together("/people/batch/read", "/people/");
    for n in (0..9).filter(|n| *n != 4) {
        scene.provider.tell(&format!("/people/{n}"), &[Reply::ok(&json!({"id": n.to_string()}).to_string())]);
    }
    for n in 0..9 {
        scene.post(n, &format!("/people/{n}"), 1);
    }
    scene.stage.interpret();
    let mut steps = 0;
    for pass_ms in [0, 60_000] {
        scene.stage.advance(pass_ms);
        while scene.stage.step() == Progress::Done {
            steps += 1;
            if crash_after == Some(steps) {
                scene.stage.crash();
            }
        }
    }
    (scene, steps)
}

#[test]
fn a_crash_after_any_step_of_a_batch_loses_no_item_and_interprets_none_twice() {
    let (whole, steps) = play_nine(None);
    let batches = whole.provider.read_together();
    assert!(batches.len() < 6 && batches.iter().all(|ids| ids.len() <= 4), "{batches:?}");
    let figures =
        |scene: &Scene| (scene.rows(Space::Contacts), scene.rows(Space::DeadLetters), scene.rows(Space::Fetches));
    assert_eq!(figures(&whole), (8, 1, 0));
    for step in 1..=steps {
        let (scene, _) = play_nine(Some(step));
        assert_eq!(figures(&scene), (8, 1, 0), "after step {step} of {steps}");
        assert_eq!((scene.stage.ready(Queue::Pure), scene.stage.ready(Queue::Io)), (0, 0), "after step {step}");
    }
}
