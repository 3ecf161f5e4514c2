//! Requests against a small server on this machine: what it does wrong, and where it sends to.

use super::*;
use crate::{
    credentials::{Hidden, Kind},
    resolve::LookupFuture,
    rules::Grants,
};
use std::{
    net::IpAddr,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tidegate_model::reach::HostPattern;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// Answers each path in its way, and keeps what it was asked.
struct Server {
    authority: String,
    heard: Arc<Mutex<Vec<String>>>,
    _serving: JoinSet<()>,
}

async fn server() -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (own, kept, mut serving) = (authority.clone(), Arc::clone(&heard), JoinSet::new());
    serving.spawn(async move {
        let mut streams = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            streams.spawn(answer(stream, own.clone(), Arc::clone(&kept)));
        }
    });
    Server { authority, heard, _serving: serving }
}

async fn answer(mut stream: TcpStream, own: String, heard: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    let mut byte = [0; 1];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).await.unwrap_or(0) == 0 {
            return;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let echo = head.clone();
    heard.lock().unwrap().push(head);
    let whole = |status: &str, headers: &str, body: &[u8]| {
        let length = body.len();
        let mut text =
            format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n").into_bytes();
        text.extend_from_slice(body);
        text
    };
    let to = |place: &str| whole("302 Found", &format!("location: {place}\r\n"), b"");
    let name = path.split('?').next().unwrap_or_default();
    let bytes = match name {
        "/ok" => whole("200 OK", "content-type: application/json\r\netag: x\r\nset-cookie: a=b\r\n", b"{\"a\":1}"),
        "/echo" => whole("200 OK", "content-type: text/plain\r\n", echo.as_bytes()),
        "/missing" => whole("404 Not Found", "", b"gone"),
        "/busy" => whole("429 Too Many", "retry-after: 7\r\n", b""),
        "/down" => whole("503 Down", "", b""),
        "/huge" => whole("200 OK", "", &[b'x'; 5_000]),
        "/endless" => b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec(),
        "/binary" => whole("200 OK", "", &[0xff, 0xfe]),
        "/image" => whole("200 OK", "content-type: image/png\r\n", b"x"),
        "/short" => b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nhalf".to_vec(),
        "/drip" => b"HTTP/1.1 200 OK\r\ncontent-length: 4000\r\n\r\n".to_vec(),
        "/round" => to("/round"),
        "/once" => to("/ok"),
        "/twice" => to("/once"),
        "/three" => to("/twice"),
        "/four" => to("/three"),
        "/away" => to("https://evil.example/steal"),
        "/metadata" => to("http://169.254.169.254/latest/meta-data/"),
        "/other" => to(&format!("http://{own}/echo").replace("127.0.0.1", "localhost")),
        _ => whole("200 OK", "", b""),
    };
    stream.write_all(&bytes).await.ok();
    match name {
        "/drip" => {
            while stream.write_all(b".").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        "/endless" => {
            let chunk = format!("400\r\n{}\r\n", "x".repeat(1_024));
            while stream.write_all(chunk.as_bytes()).await.is_ok() {}
        }
        _ => {}
    }
}

/// Time enough for a busy machine.
const TIMES: Times = Times { connect: Duration::from_secs(10), total: Duration::from_secs(30) };
/// Too short for what never ends.
const SHORT: Times = Times { total: Duration::from_millis(700), ..TIMES };

fn rules(asked: &[&str], private: &[&str]) -> Rules {
    let private_hosts = private.iter().map(|text| Authority::parse(text).unwrap()).collect();
    let fetch = asked.iter().filter_map(|text| HostPattern::parse(text)).collect();
    Rules {
        plugin: "shop".to_owned(),
        asked: asked.iter().map(|&text| text.to_owned()).collect(),
        grants: Grants { fetch, private_hosts, all_asked: false },
        without_credential: Vec::new(),
    }
}

fn get(url: String) -> Request {
    Request { method: "GET".to_owned(), url, headers: Vec::new(), body: None }
}

async fn fetch(server: &Server, path: &str, held: &[Credential]) -> Fetched {
    let (own, other) = (server.authority.as_str(), server.authority.replace("127.0.0.1", "localhost"));
    let rules = rules(&[own, &other], &[own, &other]);
    let request = get(format!("http://{own}{path}"));
    let times = if path == "/drip" { SHORT } else { TIMES };
    Fetcher::new(times).unwrap().fetch(&rules, held, &request, 4_096).await
}

#[tokio::test]
async fn an_answer_is_what_the_provider_said_within_limits() {
    let server = server().await;
    let check = async |path: &str, expected: &str| {
        let found = match fetch(&server, path, &[]).await {
            Fetched::Answer(Answer::Response { status, headers, body }) => format!("{status} {headers:?} {body}"),
            Fetched::Answer(Answer::Failed(reason)) => format!("failed: {reason}"),
            Fetched::Later { after, reason } => format!("later {after:?}: {reason}"),
            Fetched::Refused(line) | Fetched::Unauthorized(line) => format!("refused: {line}"),
        };
        assert!(found.contains(expected), "{path}: {found}");
    };
    check("/ok", r#"200 [("content-type", "application/json"), ("etag", "x")] {"a":1}"#).await;
    check("/missing", "404 [] gone").await;
    check("/busy", "later Some(7s): the provider answered 429").await;
    check("/down", "later None: the provider answered 503").await;
    check("/huge", "failed: the answer has more than 4096 bytes").await;
    check("/endless", "failed: the answer has more than 4096 bytes").await;
    check("/binary", "failed: the answer is not text in UTF-8").await;
    check("/image", "failed: the answer is \"image/png\"").await;
    check("/short", "later None: the answer broke off").await;
    check("/drip", "later None: no whole answer came within").await;
    check("/three", r#"{"a":1}"#).await;
    check("/four", "failed: the provider sends from place to place").await;
    check("/round", "failed: the provider sends from place to place").await;
    check("/away", "failed: the provider sends to another place, which is not followed: the manifest of the plugin shop does not ask").await;
    check("/metadata", "does not ask for 169.254.169.254").await;
}

#[tokio::test]
async fn a_post_is_not_sent_on() {
    let server = server().await;
    let rules = rules(&[&server.authority], &[&server.authority]);
    let request = Request {
        method: "POST".to_owned(),
        body: Some("{}".to_owned()),
        ..get(format!("http://{}/once", server.authority))
    };
    let found = Fetcher::new(TIMES).unwrap().fetch(&rules, &[], &request, 4_096).await;
    assert!(matches!(&found, Fetched::Answer(Answer::Failed(reason)) if reason.contains("POST")), "{found:?}");
}

#[tokio::test]
async fn credentials_reach_their_host_and_nobody_else_and_do_not_come_back() {
    let server = server().await;
    let secret = || Hidden::new("hunter2hunter2");
    let kinds = [
        Kind::Bearer(secret()),
        Kind::Basic { user: Hidden::new("ck_user"), password: secret() },
        Kind::Header { name: "x-api-key".to_owned(), value: secret() },
        Kind::Query { name: "key".to_owned(), value: secret() },
    ];
    for kind in kinds {
        let shown = format!("{kind:?}");
        let held = [Credential { host: server.authority.clone(), kind }];
        server.heard.lock().unwrap().clear();
        let Fetched::Answer(Answer::Response { body, .. }) = fetch(&server, "/echo", &held).await else {
            panic!("{shown}")
        };
        let sent = server.heard.lock().unwrap().join("\n");
        assert!(sent.contains("hunter2hunter2") || sent.contains("authorization: Basic"), "{sent}");
        assert!(body.contains("***") && !body.contains("hunter2") && !body.contains("Basic Y2"), "{body}");
        // The same server by another name is another host.
        server.heard.lock().unwrap().clear();
        let Fetched::Answer(Answer::Response { body, .. }) = fetch(&server, "/other", &held).await else {
            panic!("{shown}")
        };
        assert!(!body.contains("***"), "{body}");
        let last = server.heard.lock().unwrap().last().cloned().unwrap();
        assert!(
            last.starts_with("GET /echo") && !last.contains("hunter2") && !last.contains("authorization"),
            "{last}"
        );
    }
}

#[tokio::test]
async fn a_secret_in_a_url_is_in_no_error() {
    let held = [Credential {
        host: "127.0.0.1:1".to_owned(),
        kind: Kind::Query { name: "key".to_owned(), value: Hidden::new("hunter2hunter2") },
    }];
    let rules = rules(&["127.0.0.1:1"], &["127.0.0.1:1"]);
    let found = Fetcher::new(TIMES).unwrap().fetch(&rules, &held, &get("http://127.0.0.1:1/x".to_owned()), 10).await;
    assert!(matches!(found, Fetched::Later { .. }), "{found:?}");
    assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
}

/// Says that a name is public at first, and then that it is this machine.
struct Rebinding(AtomicUsize);

impl Lookup for Rebinding {
    fn lookup(&self, _: &str) -> LookupFuture {
        let address: IpAddr = match self.0.fetch_add(1, Ordering::SeqCst) {
            // Of documentation: nobody answers there.
            0 => "192.0.2.1".parse().unwrap(),
            _ => "127.0.0.1".parse().unwrap(),
        };
        Box::pin(async move { Ok(vec![address]) })
    }
}

#[tokio::test]
async fn a_name_that_leads_to_a_private_address_is_refused_at_the_connection() {
    let lookup = Arc::new(Rebinding(AtomicUsize::new(0)));
    let fetcher = Fetcher::looking_up(Arc::clone(&lookup) as Arc<dyn Lookup>, TIMES).unwrap();
    let rules = rules(&["rebind.example.com"], &[]);
    for address in ["192.0.2.1", "127.0.0.1"] {
        let found = fetcher.fetch(&rules, &[], &get("https://rebind.example.com/x".to_owned()), 10).await;
        let Fetched::Refused(line) = found else { panic!("{found:?}") };
        assert!(line.contains(address), "{line}");
        assert!(line.contains("plugins.shop.private_hosts needs \"rebind.example.com:443\""), "{line}");
    }
    assert_eq!(lookup.0.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_is_not_granted_is_not_even_looked_up() {
    let lookup = Arc::new(Rebinding(AtomicUsize::new(0)));
    let fetcher = Fetcher::looking_up(Arc::clone(&lookup) as Arc<dyn Lookup>, TIMES).unwrap();
    let mut rules = rules(&["api.example.com"], &[]);
    rules.grants.fetch.clear();
    let found = fetcher.fetch(&rules, &[], &get("https://api.example.com/x".to_owned()), 10).await;
    assert_eq!(found, Fetched::Refused("plugins.shop.fetch needs \"api.example.com\"".to_owned()));
    assert_eq!(lookup.0.load(Ordering::SeqCst), 0);
}
