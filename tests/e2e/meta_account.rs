//! A Meta app whose page and WhatsApp account are looked after: the accounts tell the app, what is taken away is made anew, and leads whose webhooks were lost are read
//! again, each told once.

use crate::{bare, text};
use serde_json::Value;
use std::time::Duration;
use tidegate_double::LeadAccess;
use tidegate_test_support::{AccountFailure, Gateway, META_SECRET, MetaAccount, VERIFY_TOKEN, stepped};

/// How often connections are looked after.
const ROUND: Duration = Duration::from_secs(15 * 60);
const FORM: &str = "2468013579246";

/// A gateway with a connection for each account of an app, whose dashboard has its address.
async fn open() -> (Gateway, MetaAccount) {
    let (gateway, account) = of_whatsapp("").await;
    assert!(!account.configure(&gateway.url("meta"), "a guess").await, "whoever knows no token proves nothing");
    assert!(account.configure(&gateway.url("meta"), VERIFY_TOKEN).await);
    (gateway, account)
}

/// The same, with more settings of the WhatsApp account's connection. The app has no address yet.
async fn of_whatsapp(settings: &str) -> (Gateway, MetaAccount) {
    let clock = stepped();
    let account = MetaAccount::start(clock.clone(), META_SECRET).await.expect("the app opens");
    account.make_form(FORM, "ACTIVE");
    let (host, app) = (account.authority(), account.app_id());
    let ((page, page_token), (waba, waba_token)) = (account.page(), account.waba());
    let connection = format!(
        "account = {page:?}\nsettings = {{ api_host = {host:?}, app_id = {app}, account_type = \"page\" }}\n\
         credentials = {{ page_access_token = {page_token:?} }}\n"
    );
    let config = format!(
        "[plugins.meta]\nprivate_hosts = [{host:?}]\n\
         [[connections]]\nname = \"whatsapp\"\nendpoint = \"meta\"\nworkspace = \"main\"\naccount = {waba:?}\n\
         settings = {{ api_host = {host:?}, app_id = {app}{settings} }}\ncredentials = {{ access_token = {waba_token:?} }}\n"
    );
    (bare().connection("meta", &connection, &config).on(clock).start().await, account)
}

async fn settle(gateway: &Gateway, account: &MetaAccount) {
    account.send().await;
    gateway.settle().await;
}

fn lead(account: &MetaAccount, n: u32) -> String {
    let (email, phone) = (format!("ada-{n}@example.com"), format!("+39333{n:07}"));
    account.make_lead(FORM, &[("full_name", "Ada Neri"), ("email", &email), ("phone_number", &phone)])
}

async fn leads(gateway: &Gateway) -> usize {
    gateway.events_of("lead.submitted").await.len()
}

async fn check(gateway: &Gateway, name: &str) -> Value {
    let asked = gateway.ask(&["connection", "check", name, "--json"]).await;
    serde_json::from_str(asked.out.trim()).unwrap_or_else(|error| panic!("{error}: {}{}", asked.out, asked.err))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_in_which_meta_takes_the_app_off_a_page_loses_no_lead() {
    let (gateway, account) = open().await;
    lead(&account, 1);
    settle(&gateway, &account).await;
    assert_eq!(leads(&gateway).await, 0, "the page does not tell the app yet");
    let shown = check(&gateway, "meta").await;
    assert_eq!(text(&shown, "state"), "not subscribed", "{shown:#}");
    account.set_page_fields(Some(&["feed"]));
    gateway.step_clock(Duration::from_secs(60)).await;
    let shown = gateway.ask(&["connection", "subscribe", "meta"]).await;
    assert!(shown.good().contains("subscription  leadgen active"), "{}", shown.out);
    lead(&account, 2);
    settle(&gateway, &account).await;
    assert_eq!(leads(&gateway).await, 1);

    // For an hour nothing arrives. Meta gives up, and takes the app off the page.
    account.cut_off(true);
    gateway.step_clock(ROUND / 2).await;
    for n in 3..9 {
        lead(&account, n);
    }
    settle(&gateway, &account).await;
    account.set_page_fields(None);
    account.give_up();
    lead(&account, 9);
    account.cut_off(false);
    assert_eq!(leads(&gateway).await, 1);
    let shown = check(&gateway, "meta").await;
    assert_eq!(text(&shown, "state"), "problem", "{shown:#}");
    assert!(shown.to_string().contains("nothing of leads"), "{shown:#}");

    gateway.advance(ROUND).await;
    settle(&gateway, &account).await;
    assert!(account.is_told_of_leads(), "the watchdog put the app on the page again");
    assert_eq!(leads(&gateway).await, 8, "all since somebody asked for them");
    // Later rounds read the same again, and webhooks come: nothing is told twice.
    lead(&account, 10);
    settle(&gateway, &account).await;
    for _ in 0..3 {
        gateway.advance(ROUND).await;
        settle(&gateway, &account).await;
    }
    assert_eq!(leads(&gateway).await, 9);
    let (_, token) = account.page();
    assert!(!gateway.log_text().contains(token), "the token is in the log");

    gateway.ask(&["connection", "unsubscribe", "meta"]).await.good();
    assert!(!account.is_told_of_leads());
    gateway.advance(ROUND).await;
    assert!(!account.is_told_of_leads(), "nobody wishes for it any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn leads_of_a_page_with_more_forms_than_are_read_together_are_read_to_the_last() {
    let (gateway, account) = open().await;
    gateway.ask(&["connection", "subscribe", "meta"]).await.good();
    account.cut_off(true);
    for form in 0..30 {
        let id = format!("99{form:02}");
        account.make_form(&id, "ACTIVE");
        if form % 10 == 9 {
            account.make_lead(
                &id,
                &[("email", &format!("{id}@example.com")), ("phone_number", &format!("+3933300{id}1"))],
            );
        }
    }
    account.give_up();
    account.cut_off(false);
    gateway.advance(ROUND).await;
    gateway.advance(Duration::from_secs(1)).await;
    gateway.settle().await;
    assert_eq!(leads(&gateway).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whatsapp_account_tells_the_app_and_messages_that_go_elsewhere_come_back() {
    let (gateway, account) = open().await;
    account.write("393331234567", "nobody hears this");
    let shown = gateway.ask(&["connection", "subscribe", "whatsapp"]).await;
    assert!(shown.good().contains("subscription  messages active") && account.is_on_waba(), "{}", shown.out);
    account.write("393331234567", "hello");
    settle(&gateway, &account).await;
    assert_eq!(gateway.events_of("message.received").await.len(), 1);

    account.aim_elsewhere("https://other.example/hooks");
    let shown = check(&gateway, "whatsapp").await;
    assert_eq!(text(&shown, "state"), "problem", "{shown:#}");
    assert!(shown.to_string().contains("messages go to https://other.example/hooks"), "{shown:#}");
    gateway.advance(ROUND).await;
    account.write("393331234567", "hello again");
    settle(&gateway, &account).await;
    assert_eq!(gateway.events_of("message.received").await.len(), 2);
    let shown = check(&gateway, "whatsapp").await;
    assert_ne!(text(&shown, "state"), "problem", "{shown:#}");
    assert!(shown.to_string().contains("which fields the app hears of is not seen"), "{shown:#}");
    assert!(!shown.to_string().contains("callback URL"), "the app's address is seen, and is right: {shown:#}");

    account.aim_number_elsewhere(Some("https://number.example/hooks"));
    let shown = check(&gateway, "whatsapp").await;
    assert!(
        shown.to_string().contains("the number 15550783881 go to https://number.example/hooks, and not here"),
        "{shown:#}"
    );
    account.aim_number_elsewhere(None);
    account.aim_app_elsewhere("https://other.example/hooks");
    let shown = check(&gateway, "whatsapp").await;
    assert_eq!(text(&shown, "state"), "problem", "{shown:#}");
    assert!(shown.to_string().contains("the app's webhooks go to https://other.example/hooks"), "{shown:#}");

    gateway.ask(&["connection", "unsubscribe", "whatsapp"]).await.good();
    assert!(!account.is_on_waba());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whatsapp_account_has_this_gateway_as_its_own_address_though_the_app_has_another() {
    let (gateway, account) = of_whatsapp(", own_address = true").await;
    account.aim_app_elsewhere("https://other.example/hooks");
    let shown = gateway.ask(&["connection", "subscribe", "whatsapp"]).await;
    assert!(shown.good().contains("subscription  messages active"), "{}", shown.out);
    account.write("393331234567", "hello");
    settle(&gateway, &account).await;
    assert_eq!(gateway.events_of("message.received").await.len(), 1, "Meta asked the gateway for its token");
    let shown = check(&gateway, "whatsapp").await;
    assert_ne!(text(&shown, "state"), "problem", "{shown:#}");
    let words = "only messages and smb_message_echoes come here: Meta sends the other fields to the app's address, https://other.example/hooks";
    assert!(shown.to_string().contains(words), "{shown:#}");

    // Somebody takes the address away; the watchdog puts it back.
    account.aim_elsewhere("https://third.example/hooks");
    gateway.advance(ROUND).await;
    account.write("393331234567", "hello again");
    settle(&gateway, &account).await;
    assert_eq!(gateway.events_of("message.received").await.len(), 2);
    assert!(!gateway.log_text().contains(VERIFY_TOKEN), "the token is in the log");

    gateway.ask(&["connection", "unsubscribe", "whatsapp"]).await.good();
    assert!(!account.is_on_waba());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_meta_refuses_is_told_in_words_and_a_lost_answer_does_no_harm() {
    let (gateway, account) = open().await;
    account.fail_next(1, AccountFailure::LostWrite);
    gateway.ask(&["connection", "subscribe", "meta"]).await.good();
    assert!(account.is_told_of_leads() && account.heard().iter().any(|what| what.starts_with("lost POST")));
    for (failure, words) in [
        (AccountFailure::Status(403, None), "pages_manage_metadata"),
        (AccountFailure::Status(401, None), "another one"),
    ] {
        account.fail_next(1, failure);
        let asked = gateway.ask(&["connection", "check", "meta"]).await;
        assert!([asked.out.as_str(), &asked.err].concat().contains(words), "{words}: {}{}", asked.out, asked.err);
    }
    // The watchdog meets a limit, and goes on later.
    account.fail_next(1, AccountFailure::Throttled);
    gateway.advance(ROUND).await;
    account.set_page_fields(None);
    gateway.advance(ROUND).await;
    gateway.advance(ROUND).await;
    assert!(account.is_told_of_leads());
    // The page's leads may be read no more: what is lost is told.
    account.access(LeadAccess::NoPermission);
    gateway.advance(ROUND).await;
    let listed = gateway.ask(&["connection", "list"]).await;
    assert!(listed.good().contains("leads_retrieval"), "{}", listed.out);
    // A connection without a token says which it lacks.
    let bare = bare().connection("meta", "account = \"1\"\nsettings = { app_id = 7 }\n", "").start().await;
    let asked = bare.ask(&["connection", "subscribe", "meta"]).await;
    assert!(asked.err.contains("page_access_token = \"${PAGE_ACCESS_TOKEN}\" or access_token"), "{}", asked.err);
}
