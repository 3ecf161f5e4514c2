//! Big deliveries with bad elements: what is good is kept and told once, each item in its own workspace; what is bad is put aside, and only that is tried again.

use crate::{
    bare,
    meta::{fates, said},
    text,
};
use serde_json::{Value, json};
use std::time::Duration;
use tidegate_test_support::{
    Customer, Gateway, META_SECRET, Played, Provider, Reply, SECOND_NUMBER_ID, SECOND_WABA_ID, Setup, WABA_ID, hubspot,
    meta,
};

const SECRET: &str = "client-secret-of-the-app";
const TOKEN: &str = "pat-eu1-of-the-portals";
const PORTALS: [(&str, &str, u64); 2] = [("first", "main", 48_975_575), ("second", "other", 48_975_576)];

fn entry(account: &str, changes: &[Value]) -> Value {
    json!({"id": account, "time": 1_772_359_200, "changes": changes})
}

fn post_of(entries: &[Value]) -> Played {
    meta(json!({"object": "whatsapp_business_account", "entry": entries}).to_string(), META_SECRET)
}

/// How many items have each fate.
async fn counts(gateway: &Gateway, delivery: &str) -> (usize, usize, usize) {
    let fates = fates(gateway, delivery).await;
    let count = |fate: &str| fates.iter().filter(|held| *held == fate).count();
    assert_eq!(count("interpreted") + count("parked") + count("duplicate"), fates.len(), "{fates:?}");
    (count("interpreted"), count("parked"), count("duplicate"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_updates_of_which_one_is_bad_are_999() {
    const BAD: usize = 617;
    let mut gateway = bare().start().await;
    let mut changes: Vec<Value> =
        (0..1_000).map(|n| said(&Customer::nth(n), &format!("wamid.{n}"), &format!("words-{n}"))).collect();
    changes[BAD]["value"]["messages"][0]["timestamp"] = json!("a while ago");
    let webhook = post_of(&[entry(WABA_ID, &changes)]);
    let delivery = gateway.post("meta", &webhook).await.stored();
    gateway.settle().await;
    assert_eq!(counts(&gateway, &delivery).await, (999, 1, 0));
    let parked = gateway.parked().await;
    assert_eq!(parked[0]["field"], "/value/messages/0/timestamp", "{parked:#?}");

    // Nobody has mended it: it is put aside again, and nothing else is done again.
    gateway.ask(&["queue", "retry", "--all"]).await.good();
    gateway.settle().await;
    assert_eq!((counts(&gateway, &delivery).await, gateway.parked().await.len()), ((999, 1, 0), 1));

    // Meta sends the whole of it again, a minute later, also after a restart.
    gateway.restart().await;
    gateway.advance(Duration::from_secs(60)).await;
    let again = gateway.post("meta", &post_of(&[entry(WABA_ID, &changes)])).await.stored();
    gateway.settle().await;
    if again != delivery {
        assert_eq!(counts(&gateway, &again).await, (0, 0, 1_000));
    }
    let messages = gateway.messages().await;
    assert_eq!(messages.len(), 999);
    let mut texts: Vec<&str> = messages.iter().map(|message| text(message, "text")).collect();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), 999, "each once");
    assert!(!texts.contains(&format!("words-{BAD}").as_str()));
    gateway.expect_parked(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_businesses_behind_one_endpoint_of_meta_have_each_their_own() {
    let gateway = bare().second_business().start().await;
    // So that no connection takes what is for nobody.
    let named = "name = \"meta\"\nendpoint = \"meta\"\nworkspace = \"main\"\n";
    gateway.edit("tidegate.toml", named, &format!("{named}account = \"{WABA_ID}\"\n"));
    gateway.ask(&["reload"]).await.good();
    let first: Vec<Value> = (0..40).map(|n| said(&Customer::nth(n), &format!("wamid.a{n}"), "first")).collect();
    let second: Vec<Value> = (0..30)
        .map(|n| {
            // The same people write to both.
            let mut change = said(&Customer::nth(n), &format!("wamid.b{n}"), "second");
            change["value"]["metadata"]["phone_number_id"] = json!(SECOND_NUMBER_ID);
            change
        })
        .collect();
    let stranger = [said(&Customer::nth(50), "wamid.c", "third")];
    // Entries of both, in turns, and one of an account that nobody has connected.
    let entries = [
        entry(WABA_ID, &first[..25]),
        entry(SECOND_WABA_ID, &second[..10]),
        entry("102290129349999", &stranger),
        entry(WABA_ID, &first[25..]),
        entry(SECOND_WABA_ID, &second[10..]),
    ];
    let delivery = gateway.post("meta", &post_of(&entries)).await.stored();
    gateway.settle().await;
    assert_eq!(counts(&gateway, &delivery).await, (70, 1, 0));
    let parked = gateway.parked().await;
    assert!(text(&parked[0], "reason").contains("102290129349999"), "{parked:#?}");
    let of =
        |events: &[Value], connection: &str| events.iter().filter(|event| event["connection"] == connection).count();
    let events = gateway.events_of("message.received").await;
    assert_eq!((of(&events, "meta"), of(&events, "other")), (40, 30));
    let sender = |messages: &[Value], name: &str| messages.iter().filter(|message| message["sender"] == name).count();
    let messages = gateway.messages().await;
    assert_eq!((sender(&messages, "shop"), sender(&messages, "other")), (40, 30), "{:#?}", messages[0]);

    // Once the account is connected its item is tried again, alone.
    let connection = "\n[[connections]]\nname = \"third\"\nendpoint = \"meta\"\nworkspace = \"other\"\naccount = \"102290129349999\"\n";
    gateway.edit(
        "tidegate.toml",
        "[[connections]]\nname = \"meta\"",
        &format!("{connection}[[connections]]\nname = \"meta\""),
    );
    gateway.ask(&["reload"]).await.good();
    gateway.ask(&["queue", "retry", "--all"]).await.good();
    gateway.settle().await;
    assert_eq!(counts(&gateway, &delivery).await, (71, 0, 0));
    let events = gateway.events_of("message.received").await;
    assert_eq!((of(&events, "meta"), of(&events, "other"), of(&events, "third")), (40, 30, 1));
}

/// A gateway with two portals of one app, in two workspaces, and HubSpot's API at this provider.
fn portals(api: &Provider) -> Setup {
    let host = api.authority();
    let mut sections = format!("[plugins.hubspot]\nprivate_hosts = [{host:?}]\n");
    for (name, workspace, portal) in PORTALS {
        sections += &format!(
            "[[connections]]\nname = {name:?}\nendpoint = \"hubspot\"\nworkspace = {workspace:?}\naccount = \"{portal}\"\n\
             settings = {{ api_host = {host:?} }}\ncredentials = {{ access_token = {TOKEN:?} }}\n"
        );
    }
    bare().endpoint_of("hubspot", SECRET, &sections).second_business()
}

fn path(contact: u64) -> String {
    format!("/crm/v3/objects/contacts/{contact}")
}

/// HubSpot shows a contact.
fn show(api: &Provider, contact: u64) {
    let person = json!({
        "id": contact.to_string(), "updatedAt": "2026-03-01T09:00:00Z", "archived": false,
        "properties": {"email": format!("contact-{contact}@example.com"), "firstname": "Ada", "lifecyclestage": "lead"},
    });
    api.tell(&path(contact), &[Reply::ok(&person.to_string())]);
}

fn created(portal: u64, number: u64, contact: &Value, attempt: u64) -> Value {
    json!({
        "eventId": 3_100_000 + number, "subscriptionId": 6_527_595, "portalId": portal, "appId": 39_522_895, "occurredAt": 1_772_359_199_000_u64,
        "subscriptionType": "contact.creation", "attemptNumber": attempt, "objectId": contact, "changeFlag": "CREATED", "changeSource": "CRM_UI", "sourceId": "userId:1",
    })
}

async fn told(gateway: &Gateway, changes: &[Value]) -> String {
    let body = Value::Array(changes.to_vec()).to_string();
    let webhook = hubspot(body, &gateway.url("hubspot"), gateway.now_ms(), SECRET);
    let delivery = gateway.post("hubspot", &webhook).await.stored();
    gateway.settle().await;
    read_on(gateway, &delivery).await;
    delivery
}

/// On a busy machine an answer may be late; it is asked for again a while later.
async fn read_on(gateway: &Gateway, delivery: &str) {
    for _ in 0..20 {
        if !fates(gateway, delivery).await.contains(&"waiting".to_owned()) {
            return;
        }
        gateway.advance(Duration::from_secs(60)).await;
    }
}

/// What was read of the provider, each once.
fn read_of(api: &Provider) -> Vec<String> {
    let heard = api.heard();
    let mut read: Vec<String> = heard.iter().filter_map(|head| head.lines().next().map(str::to_owned)).collect();
    read.retain(|line| line.starts_with("GET "));
    read.sort();
    read.dedup();
    read
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_changes_of_which_one_is_bad_are_99() {
    const BAD: u64 = 42;
    let api = Provider::start().await;
    (0..100).for_each(|number| show(&api, 500_000 + number));
    api.reads_together("/crm/v3/objects/contacts/batch/read", "/crm/v3/objects/contacts/");
    let mut gateway = portals(&api).start().await;
    let changes = |attempt: u64| -> Vec<Value> {
        let contact = |number: u64| if number == BAD { json!("not an id") } else { json!(500_000 + number) };
        (0..100).map(|number| created(PORTALS[0].2, number, &contact(number), attempt)).collect()
    };
    let delivery = told(&gateway, &changes(0)).await;
    assert_eq!(counts(&gateway, &delivery).await, (99, 1, 0));
    let parked = gateway.parked().await;
    assert_eq!(parked[0]["field"], "/objectId", "{parked:#?}");
    let alone: Vec<u64> =
        (0..100).filter(|number| read_of(&api).iter().any(|line| line.contains(&path(500_000 + number)))).collect();
    let mut read: Vec<String> = api.read_together().concat();
    read.extend(alone.iter().map(|number| (500_000 + number).to_string()));
    read.sort();
    assert_eq!(
        (read.len(), read.first(), read.last()),
        (99, Some(&"500000".to_owned()), Some(&"500099".to_owned())),
        "each contact is read once"
    );
    let requests = api.heard().len();
    assert!(requests < 33, "99 contacts are read by {requests} requests: {:?}", api.read_together());
    assert!(api.heard().iter().all(|head| head.contains(&format!("authorization: Bearer {TOKEN}"))));
    assert_eq!(gateway.events_of("contact.created").await.len(), 99);

    let heard = api.heard().len();
    // HubSpot takes a batch for one: it comes again as a whole, with another number of the attempt.
    let again = told(&gateway, &changes(1)).await;
    assert_ne!(again, delivery);
    assert_eq!(counts(&gateway, &again).await, (0, 0, 100));
    assert_eq!(
        (gateway.events_of("contact.created").await.len(), api.heard().len()),
        (99, heard),
        "nothing is read again"
    );
    assert_eq!(gateway.parked().await.len(), 1);
    gateway.expect_parked(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn portals_behind_one_endpoint_have_each_their_own_and_what_was_mended_is_tried_alone() {
    let api = Provider::start().await;
    (0..60).for_each(|number| show(&api, 600_000 + number));
    let forbidden = 600_007;
    api.tell(&path(forbidden), &[Reply::status(403)]);
    let gateway = portals(&api).start().await;
    // The same ids in both portals: they are different people. The sixtieth is of a portal that nobody has connected.
    let portal = |number: u64| if number == 59 { 11 } else { PORTALS[usize::from(number % 2 == 1)].2 };
    let changes: Vec<Value> =
        (0..60).map(|number| created(portal(number), number, &json!(600_000 + number), 0)).collect();
    let delivery = told(&gateway, &changes).await;
    assert_eq!(counts(&gateway, &delivery).await, (58, 2, 0));
    let parked = gateway.parked().await;
    let reasons: Vec<&str> = parked.iter().map(|letter| text(letter, "reason")).collect();
    assert!(reasons.iter().any(|reason| reason.contains("scope crm.objects.contacts.read")), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.contains("\"11\"")), "{reasons:?}");
    let events = gateway.events_of("contact.created").await;
    let of =
        |events: &[Value], connection: &str| events.iter().filter(|event| event["connection"] == connection).count();
    assert_eq!((of(&events, "first"), of(&events, "second")), (30, 28));
    // HubSpot does not read several at once here: each was read by itself then.
    assert_eq!(read_of(&api).len(), 59);

    // The scope is given and the portal connected: both are tried again, and only they.
    show(&api, forbidden);
    let mark = "[[connections]]\nname = \"second\"";
    let host = api.authority();
    let third = format!(
        "[[connections]]\nname = \"third\"\nendpoint = \"hubspot\"\nworkspace = \"main\"\naccount = \"11\"\n\
         settings = {{ api_host = {host:?} }}\ncredentials = {{ access_token = {TOKEN:?} }}\n"
    );
    gateway.edit("tidegate.toml", mark, &format!("{third}{mark}"));
    gateway.ask(&["reload"]).await.good();
    let heard = read_of(&api);
    gateway.ask(&["queue", "retry", "--all"]).await.good();
    gateway.settle().await;
    read_on(&gateway, &delivery).await;
    assert_eq!(counts(&gateway, &delivery).await, (60, 0, 0));
    assert_eq!(
        read_of(&api).len(),
        heard.len() + 1,
        "the contact of the third portal, beside the one that was forbidden"
    );
    let events = gateway.events_of("contact.created").await;
    assert_eq!((of(&events, "first"), of(&events, "second"), of(&events, "third")), (30, 29, 1));
}
