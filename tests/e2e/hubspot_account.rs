//! A HubSpot app and an account that let it in: the app is aimed at the gateway and subscribed, people change contacts and deals, and what a change does not tell is read.

use crate::{
    authorize::{authorize, free_port},
    bare,
};
use serde_json::{Value, json};
use std::time::Duration;
use tidegate_test_support::{AccountFailure, Gateway, HubspotAccount, OauthApp, stepped};

const TOKEN: &str = "pat-eu1-token-of-the-app";
const SECRET: &str = "client-secret-of-the-hubspot-app";
/// Items that wait for a person are looked at so often.
const PERSON: Duration = Duration::from_secs(300);

fn connected(account: &HubspotAccount, credentials: &str) -> tidegate_test_support::Setup {
    let (host, app, portal) = (account.authority(), account.app_id(), account.portal_id());
    let connection = format!(
        "account = \"{portal}\"\nsettings = {{ api_host = {host:?}, auth_host = {host:?}, app_id = {app} }}\ncredentials = {{ {credentials} }}\n"
    );
    let config = format!("[plugins.hubspot]\nprivate_hosts = [{host:?}]\n");
    bare().provider_with("hubspot", &[SECRET], &connection, &config)
}

async fn open() -> (Gateway, HubspotAccount) {
    let clock = stepped();
    let account = HubspotAccount::start(clock.clone(), TOKEN, SECRET).await.expect("the account opens");
    let gateway = connected(&account, &format!("access_token = {TOKEN:?}")).on(clock).start().await;
    gateway.ask(&["connection", "subscribe", "hubspot"]).await.good();
    (gateway, account)
}

async fn settle(gateway: &Gateway, account: &HubspotAccount) {
    account.send().await;
    gateway.settle().await;
}

async fn told(gateway: &Gateway, kind: &str) -> usize {
    gateway.events_of(kind).await.len()
}

async fn check(gateway: &Gateway) -> Value {
    let asked = gateway.ask(&["connection", "check", "hubspot", "--json"]).await;
    serde_json::from_str(asked.out.trim()).unwrap_or_else(|error| panic!("{error}: {}{}", asked.out, asked.err))
}

fn person(n: u32) -> Value {
    json!({"email": format!("ada-{n}@example.com"), "firstname": "Ada", "phone": format!("+4479460{n:05}"), "lifecyclestage": "lead"})
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_do_in_an_account_is_told_and_contacts_are_read_together() {
    let (gateway, account) = open().await;
    assert!(account.subscriptions().iter().any(|hook| hook.property.as_deref() == Some("dealstage")));
    let people: Vec<u64> = (0..40).map(|n| account.make_contact(&person(n))).collect();
    settle(&gateway, &account).await;
    // A creation, and a change of each property that is subscribed to.
    assert_eq!((told(&gateway, "contact.created").await, told(&gateway, "contact.updated").await), (40, 160));
    let heard = account.heard();
    let (together, alone) = (
        heard.iter().filter(|what| what.contains("POST /crm/v3/objects/contacts/batch/read")).count(),
        heard.iter().filter(|what| what.contains("GET /crm/v3/objects/contacts/")).count(),
    );
    assert!(together <= 12 && alone <= 12, "200 changes of 40 contacts: {together} and {alone} requests");

    let deal = account.make_deal(
        people[0],
        &json!({"dealname": "Boat", "dealstage": "qualified", "amount": "900.00", "deal_currency_code": "EUR"}),
    );
    settle(&gateway, &account).await;
    account.change_deal(deal, &json!({"dealstage": "won", "hs_is_closed_won": "true"}));
    settle(&gateway, &account).await;
    let moved = gateway.events_of("deal.stage_changed").await;
    assert_eq!((told(&gateway, "deal.created").await, moved.len()), (1, 2), "made in a stage, and moved to another");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_in_which_nothing_arrives_is_told_once_when_hubspot_tries_again() {
    let (gateway, account) = open().await;
    account.cut_off(true);
    let id = account.make_contact(&person(1));
    account.send().await;
    gateway.step_clock(Duration::from_secs(3_600)).await;
    account.cut_off(false);
    settle(&gateway, &account).await;
    account.change_contact(id, &json!({"lifecyclestage": "customer"}));
    settle(&gateway, &account).await;
    settle(&gateway, &account).await;
    assert_eq!(told(&gateway, "contact.created").await, 1);
    // HubSpot is busy, and then it is not.
    account.fail_next(2, AccountFailure::Throttled);
    account.make_contact(&person(2));
    settle(&gateway, &account).await;
    for _ in 0..3 {
        gateway.advance(Duration::from_secs(60)).await;
        gateway.settle().await;
    }
    assert_eq!(told(&gateway, "contact.created").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_app_lacks_is_told_and_a_lost_answer_makes_nothing_twice() {
    let (gateway, account) = open().await;
    account.switch("contact.creation", false);
    let shown = check(&gateway).await.to_string();
    assert!(shown.contains("somebody has switched the subscription to contact.creation off"), "{shown}");
    // What is off is switched on, what is missing is made, and the answers to both are lost: then all is as it should be.
    account.forget("contact.merge");
    account.fail_next(2, AccountFailure::LostWrite);
    gateway.ask(&["connection", "subscribe", "hubspot"]).await.good();
    assert!(account.heard().iter().any(|what| what.starts_with("lost POST")), "{:?}", account.heard());
    assert!(account.subscriptions().iter().all(|hook| hook.active));
    let mut kinds: Vec<_> = account.subscriptions().into_iter().map(|hook| (hook.event, hook.property)).collect();
    let before = kinds.len();
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds.len(), before);
    let asked = gateway.ask(&["connection", "unsubscribe", "hubspot"]).await;
    assert!(asked.good().contains("remove the app there"), "{}", asked.out);
    assert_eq!(account.subscriptions().len(), before, "they serve other accounts too");
    account.fail_next(1, AccountFailure::Status(403, None));
    let asked = gateway.ask(&["connection", "check", "hubspot"]).await;
    assert!([asked.out, asked.err].concat().contains("public app of the older kind"));
}

#[tokio::test(flavor = "multi_thread")]
async fn items_wait_for_a_person_who_authorizes_the_app_and_nothing_is_lost_meanwhile() {
    let (clock, port) = (stepped(), free_port());
    let app = OauthApp {
        client: ("hubspot-app".to_owned(), SECRET.to_owned()),
        redirects: vec![format!("http://localhost:{port}/callback")],
        is_basic: false,
        single_use: false,
        life_s: 1_800,
    };
    let account = HubspotAccount::start_with(clock.clone(), SECRET, app).await.expect("the account opens");
    let credentials = format!("client_id = \"hubspot-app\", client_secret = {SECRET:?}");
    let gateway = connected(&account, &credentials).on(clock).start().await;
    authorize(&gateway, "hubspot", port, &account.url()).await;
    gateway.ask(&["connection", "subscribe", "hubspot"]).await.good();

    account.revoke();
    account.make_contact(&person(1));
    settle(&gateway, &account).await;
    gateway.step_clock(2 * PERSON).await;
    gateway.settle().await;
    assert_eq!(told(&gateway, "contact.created").await, 0);
    let waiting = gateway.ask(&["queue", "list", "--json"]).await;
    assert!(waiting.good().is_empty() || !waiting.out.contains("parked"), "nothing is put aside: {}", waiting.out);
    let listed = gateway.ask(&["connection", "list", "--json"]).await;
    assert!(listed.good().contains("authorize the connection again"), "{}", listed.out);

    authorize(&gateway, "hubspot", port, &account.url()).await;
    gateway.advance(2 * PERSON).await;
    gateway.settle().await;
    assert_eq!(told(&gateway, "contact.created").await, 1);
    assert!(!gateway.log_text().contains(SECRET));
}
