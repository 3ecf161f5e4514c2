//! Whatever goes together, each gets what a read of its own would have given it.

use super::*;
use proptest::prelude::*;
use serde_json::json;
use std::{
    collections::BTreeSet,
    task::{Context, Waker},
};

fn rule() -> BatchRule {
    BatchRule {
        get: "/objects/contacts/{id}".to_owned(),
        post: "/objects/contacts/batch/read".to_owned(),
        most: 3,
        ids: "inputs".to_owned(),
        id_member: Some("id".to_owned()),
        lists: vec!["properties".to_owned()],
        answers: "results".to_owned(),
        answer_id: "id".to_owned(),
    }
}

fn get(id: &str) -> Request {
    let url = format!("https://api.example.com/objects/contacts/{id}?properties=email,phone");
    Request { method: "GET".to_owned(), url, headers: Vec::new(), body: None }
}

fn response(status: u16, body: String) -> Fetched {
    Fetched::Answer(Answer::Response { status, headers: Vec::new(), body })
}

/// A provider that knows some ids.
#[derive(Default)]
struct Provider {
    knows: BTreeSet<String>,
    /// What it answers to a batch instead.
    instead: Option<Fetched>,
    heard: Mutex<Vec<Request>>,
}

impl Provider {
    fn one(id: &str) -> Value {
        json!({"id": id, "properties": {"email": format!("{id}@example.com")}})
    }

    fn answer(&self, request: &Request) -> Fetched {
        let Some(body) = &request.body else {
            let id = request.url.split(['/', '?']).rev().nth(1).unwrap();
            return match self.knows.contains(id) {
                true => response(200, Self::one(id).to_string()),
                false => response(404, "{}".to_owned()),
            };
        };
        if let Some(instead) = &self.instead {
            return instead.clone();
        }
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["properties"], json!(["email", "phone"]));
        let ids = body["inputs"].as_array().unwrap().iter().map(|input| input["id"].as_str().unwrap());
        let found: Vec<Value> = ids.rev().filter(|id| self.knows.contains(*id)).map(Self::one).collect();
        response(207, json!({"status": "COMPLETE", "results": found}).to_string())
    }

    fn heard(&self, method: &str) -> usize {
        self.heard.lock().unwrap().iter().filter(|request| request.method == method).count()
    }
}

impl Make for Provider {
    async fn make(&self, request: &Request) -> Fetched {
        self.heard.lock().unwrap().push(request.clone());
        self.answer(request)
    }

    async fn room(&self) {}
}

fn play(provider: &Provider, ids: &[String]) -> Vec<Fetched> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let batches = Batches::new(vec![rule()]);
    let requests: Vec<Request> = ids.iter().map(|id| get(id)).collect();
    let read = futures_util::future::join_all(requests.iter().map(|request| batches.read(request, provider)));
    let found = runtime.block_on(read);
    assert!(batches.lock().open.is_empty());
    found
}

proptest! {
    // Each takes as long as the first waits for others.
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn each_gets_what_a_read_of_its_own_gives(
        ids in prop::collection::vec("[a-f]", 1..20),
        knows in prop::collection::btree_set("[a-f]", 0..6),
    ) {
        let provider = Provider { knows, ..Provider::default() };
        let found = play(&provider, &ids);
        for (id, found) in ids.iter().zip(found) {
            prop_assert_eq!(found, provider.answer(&get(id)));
        }
        let missing = ids.iter().filter(|id| !provider.knows.contains(*id)).count();
        prop_assert!(provider.heard("POST") <= ids.len().div_ceil(3));
        // The last of them may be alone, or have the same id as the others with it.
        prop_assert!(provider.heard("GET") <= missing + 3 * ids.len().div_ceil(3));
    }
}

fn ids(of: &[&str]) -> Vec<String> {
    of.iter().map(|id| (*id).to_owned()).collect()
}

#[test]
fn what_is_known_is_read_by_one_request_and_what_is_not_by_itself() {
    let provider = Provider { knows: ["1", "2"].map(str::to_owned).into(), ..Provider::default() };
    let found = play(&provider, &ids(&["1", "2", "9"]));
    assert_eq!((provider.heard("POST"), provider.heard("GET")), (1, 1));
    assert!(matches!(&found[2], Fetched::Answer(Answer::Response { status: 404, .. })), "{:?}", found[2]);
}

#[test]
fn what_is_said_of_a_batch_holds_for_all_only_where_it_must() {
    let check = |instead: Fetched, singly: usize| {
        let knows = ["1", "2"].map(str::to_owned).into();
        let provider = Provider { knows, instead: Some(instead.clone()), ..Provider::default() };
        let found = play(&provider, &ids(&["1", "2"]));
        assert_eq!((provider.heard("POST"), provider.heard("GET")), (1, singly), "{instead:?}");
        let expected = |id: &str| if singly == 0 { instead.clone() } else { provider.answer(&get(id)) };
        assert_eq!(found, [expected("1"), expected("2")]);
    };
    check(response(400, "{}".to_owned()), 2);
    check(response(404, "{}".to_owned()), 2);
    check(response(200, "no JSON".to_owned()), 2);
    check(response(200, "{\"results\":[{}]}".to_owned()), 2);
    check(Fetched::Answer(Answer::Failed("the answer has more than 10 bytes".to_owned())), 2);
    check(response(401, "{}".to_owned()), 0);
    check(response(403, "{}".to_owned()), 0);
    check(Fetched::Later { after: Some(Duration::from_secs(9)), reason: "the provider answered 429".to_owned() }, 0);
    check(Fetched::Refused("plugins.x.fetch needs \"y\"".to_owned()), 0);
}

#[test]
fn only_reads_of_the_rules_form_go_together() {
    let part = |request: &Request| rule().part(0, request);
    let base = part(&get("7")).unwrap();
    assert_eq!((base.0.url.as_str(), base.1.as_str()), ("https://api.example.com/objects/contacts/batch/read", "7"));
    assert_eq!(part(&get("8")).unwrap().0, base.0);
    let changed = |change: fn(&mut Request)| {
        let mut request = get("7");
        change(&mut request);
        part(&request)
    };
    for other in [
        changed(|it| it.headers.push(("accept".to_owned(), "x".to_owned()))),
        changed(|it| it.url = it.url.replace("phone", "name")),
        changed(|it| it.url = it.url.replace("api.", "eu.")),
    ] {
        assert!(other.is_some_and(|(group, _)| group != base.0));
    }
    for alone in [
        changed(|it| it.method = "POST".to_owned()),
        changed(|it| it.url.push_str("&associations=deals")),
        changed(|it| it.url.push_str("&properties=again")),
        changed(|it| it.url = it.url.replace("contacts", "deals")),
        changed(|it| it.url = it.url.replace("/7", "/7/8")),
        changed(|it| it.url = it.url.replace("/7", "/%37")),
    ] {
        assert_eq!(alone, None);
    }
}

#[tokio::test]
async fn when_who_reads_for_all_is_gone_each_reads_by_itself() {
    let provider = Provider { knows: ["1", "2"].map(str::to_owned).into(), ..Provider::default() };
    let batches = Batches::new(vec![rule()]);
    let (first, second) = (get("1"), get("2"));
    let mut led = Box::pin(batches.read(&first, &provider));
    let mut context = Context::from_waker(Waker::noop());
    assert!(led.as_mut().poll(&mut context).is_pending());
    let mut joined = Box::pin(batches.read(&second, &provider));
    assert!(joined.as_mut().poll(&mut context).is_pending());
    drop(led);
    assert_eq!(joined.await, provider.answer(&second));
    assert_eq!((provider.heard("POST"), provider.heard("GET")), (0, 1));
}
