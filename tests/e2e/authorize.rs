//! A connection that a person authorizes: in a browser, at the provider, by `tidegate connection authorize`. Its tokens are sealed, renewed, and asked for again when the
//! provider takes them no more.

use crate::{PROGRAM, bare};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tidegate_test_support::{AccountFailure, CalendlyAccount, Gateway, OauthApp, stepped};

const ID: &str = "tidegate-app";
const SECRET: &str = "client-secret-of-the-app";
/// Life of an access token.
const LIFE: Duration = Duration::from_secs(7_200);

/// A Calendly account whose people can let an app in, and a gateway that has the app; with the port that the provider leads back to.
async fn open() -> (Gateway, CalendlyAccount, u16) {
    let clock = stepped();
    let port = free_port();
    let app = OauthApp {
        client: (ID.to_owned(), SECRET.to_owned()),
        redirects: vec![format!("http://localhost:{port}/callback"), "https://agency.example/callback".to_owned()],
        is_basic: true,
        single_use: true,
        life_s: LIFE.as_secs().try_into().expect("a short life"),
    };
    let account = CalendlyAccount::start_with(clock.clone(), "nobody has this token", app).await;
    let account = account.expect("the account opens");
    let host = account.authority();
    let connection = format!(
        "settings = {{ api_host = {host:?}, auth_host = {host:?} }}\ncredentials = {{ client_id = {ID:?}, client_secret = {SECRET:?} }}\n"
    );
    let config = format!("[plugins.calendly]\nprivate_hosts = [{host:?}]\n");
    let gateway = bare().provider_with("calendly", &["generated"], &connection, &config).on(clock).start().await;
    (gateway, account, port)
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port is free").port()
}

/// `tidegate connection authorize`, which waits for a browser.
struct Waiting {
    child: Child,
    /// What a person opens.
    url: String,
    rest: BufReader<std::process::ChildStdout>,
}

impl Waiting {
    fn start(gateway: &Gateway, name: &str, port: u16) -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(["connection", "authorize", name, "--json", "--port", &port.to_string(), "--data"]);
        command.arg(gateway.data()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program runs");
        let mut rest = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        rest.read_line(&mut line).expect("it prints");
        let begun: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        Self { child, url: begun["url"].as_str().expect("an URL").to_owned(), rest }
    }

    /// Exit code, and everything that was printed.
    fn ended(mut self) -> (Option<i32>, String) {
        let mut printed = String::new();
        std::io::Read::read_to_string(&mut self.rest, &mut printed).expect("text");
        let mut errors = self.child.stderr.take().expect("a pipe");
        std::io::Read::read_to_string(&mut errors, &mut printed).expect("text");
        (self.child.wait().expect("it ends").code(), printed)
    }
}

/// A browser that follows wherever it is led.
async fn opened(url: &str) -> (u16, String) {
    let page = reqwest::get(url).await.expect("the page opens");
    (page.status().as_u16(), page.text().await.expect("text"))
}

/// A person says yes, at this provider. Gives what the command printed.
pub(crate) async fn authorize(gateway: &Gateway, name: &str, port: u16, provider: &str) -> String {
    let waiting = Waiting::start(gateway, name, port);
    let place = waiting.url.find("/oauth/").expect("the provider's page");
    let (status, text) = opened(&format!("{provider}{}", &waiting.url[place..])).await;
    assert!(status == 200 && text.contains("is authorized"), "{status}: {text}");
    let (code, printed) = waiting.ended();
    assert_eq!(code, Some(0), "{printed}");
    printed
}

async fn check(gateway: &Gateway) -> Value {
    let asked = gateway.ask(&["connection", "check", "calendly", "--json"]).await;
    serde_json::from_str(asked.out.trim()).unwrap_or_else(|error| panic!("{error}: {}{}", asked.out, asked.err))
}

/// Whether nothing is missed.
fn fares(shown: &Value) -> bool {
    shown["state"] != "problem"
}

fn exchanges(account: &CalendlyAccount) -> usize {
    account.heard().iter().filter(|what| what.contains("POST /oauth/token")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_authorizes_and_the_token_is_renewed_before_it_ends() {
    let (mut gateway, account, port) = open().await;
    let listed = gateway.ask(&["connection", "list", "--json"]).await;
    assert!(listed.good().contains("nobody has authorized it") && listed.out.contains("connection authorize calendly"));
    let refused = gateway.ask(&["connection", "check", "calendly"]).await;
    assert!(refused.code == Some(1) && refused.err.contains("connection authorize calendly"), "{}", refused.err);
    assert!(account.heard().is_empty(), "nothing is asked without a token");

    let printed = authorize(&gateway, "calendly", port, &account.url()).await;
    gateway.ask(&["connection", "subscribe", "calendly"]).await.good();
    assert_eq!((account.subscriptions().len(), exchanges(&account)), (1, 1));
    let shown = check(&gateway).await;
    assert!(shown["authorization"]["expires_at"].is_string() && fares(&shown), "{shown:#}");

    // What was given is on disk; and near its end it is renewed, once.
    gateway.restart().await;
    check(&gateway).await;
    assert_eq!(exchanges(&account), 1);
    gateway.step_clock(LIFE - Duration::from_secs(60)).await;
    gateway.settle().await;
    assert_eq!(exchanges(&account), 2);
    assert!(fares(&check(&gateway).await) && exchanges(&account) == 2);

    // One that ends before its time is renewed as well.
    account.end_access();
    assert!(fares(&check(&gateway).await) && exchanges(&account) == 3);
    let told = [printed, gateway.log_text(), check(&gateway).await.to_string(), account.heard().join("\n")].concat();
    for secret in [SECRET, "access-", "refresh-"] {
        assert!(!told.contains(secret), "{secret} is told: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_that_was_used_up_in_vain_is_asked_of_a_person_again() {
    let (gateway, account, port) = open().await;
    authorize(&gateway, "calendly", port, &account.url()).await;
    gateway.ask(&["connection", "subscribe", "calendly"]).await.good();
    // Calendly gives another token, and the answer is lost: the token before is void, and nobody has the new one.
    gateway.step_clock(LIFE - Duration::from_secs(60)).await;
    gateway.settle().await;
    account.end_access();
    account.fail_next(1, AccountFailure::Status(401, None));
    account.fail_next(1, AccountFailure::LostAnswer);
    gateway.ask(&["connection", "check", "calendly"]).await;
    let refused = gateway.ask(&["connection", "check", "calendly"]).await;
    assert!(refused.err.contains("authorize the connection again"), "{}{}", refused.out, refused.err);
    let asked = exchanges(&account);
    let refused = gateway.ask(&["connection", "check", "calendly"]).await;
    assert!(refused.code == Some(1) && exchanges(&account) == asked, "a void token is asked with no more");
    let listed = gateway.ask(&["connection", "list", "--json"]).await;
    assert!(listed.good().contains("authorize the connection again"), "{}", listed.out);

    authorize(&gateway, "calendly", port, &account.url()).await;
    let shown = check(&gateway).await;
    assert!(fares(&shown), "{shown:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_no_and_what_belongs_to_nobody_authorizes_nothing() {
    let (gateway, account, port) = open().await;
    let waiting = Waiting::start(&gateway, "calendly", port);
    let (status, text) = opened(&format!("http://localhost:{port}/callback?code=stolen&state=made-up")).await;
    assert!(status == 400 && text.contains("another authorization"), "{status}: {text}");
    account.say_no();
    let (status, text) = opened(&waiting.url).await;
    assert!(status == 400 && text.contains("did not authorize: The resource owner denied"), "{status}: {text}");
    let (code, printed) = waiting.ended();
    assert!(code == Some(1) && printed.contains("denied the request"), "{code:?}: {printed}");
    assert_eq!(exchanges(&account), 0);

    // A page of the agency's, whose address is pasted in.
    let asked =
        gateway.ask(&["connection", "authorize", "calendly", "--redirect", "http://agency.example/callback"]).await;
    assert!(asked.code == Some(1) && asked.err.contains("expected an https URL"), "{}", asked.err);
    let asked =
        gateway.ask(&["connection", "authorize", "calendly", "--redirect", "https://agency.example/callback"]).await;
    assert!(asked.code == Some(2) && asked.err.contains("expected the whole address"), "{}", asked.err);
}
