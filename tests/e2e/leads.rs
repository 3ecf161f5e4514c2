//! Leads of advertisements: the webhook tells an id, the gateway reads the lead with the page's token, and it becomes a contact. The page is the double's.

use crate::{bare, plugin::texts, text};
use serde_json::{Value, json};
use std::time::Duration;
use tidegate_clock::DomainClock;
use tidegate_double::{Double, DoubleConfig, Failure, Lead, LeadAccess, Page, Script};
use tidegate_test_support::{Gateway, META_SECRET, Setup, Template, fixture, meta, stepped};

const PAGE: &str = "153125381133";
const TOKEN: &str = "EAAGpageToken7c1d0e9f4b2a";
const LEAD: &str = "1357924680135";
const CALL_BACK: &str = "
flow: call-back
on: lead.submitted
steps:
  - id: thanks
    send:
      template: thanks
      parameters: { name: \"{{ contact.name }}\", car: \"{{ contact.car_model | default('a car') }}\" }
";

/// Graph, with a page and its lead.
struct Graph {
    double: Double,
    clock: DomainClock,
}

impl Graph {
    async fn open() -> Self {
        let clock = stepped();
        let double = Double::start(DoubleConfig::new(clock.clone())).await.expect("the double starts");
        let graph = Self { double, clock };
        graph.page(LeadAccess::Granted);
        graph.lead(LEAD, "3331234567");
        graph
    }

    fn script(&self) -> &Script {
        self.double.script()
    }

    fn page(&self, access: LeadAccess) {
        self.script().put_page(Page { id: PAGE.to_owned(), access_token: TOKEN.to_owned(), access });
    }

    fn lead(&self, id: &str, phone: &str) {
        let answer = |name: &str, value: String| (name.to_owned(), vec![value]);
        let answers = vec![
            answer("nome_e_cognome", "Ada Neri".to_owned()),
            answer("email", format!("{phone}@example.com")),
            answer("phone_number", format!("+39{phone}")),
            answer("quale_modello?", "Spider".to_owned()),
        ];
        let more = json!({"form_id": "2468013579246", "ad_id": "120210000000001", "campaign_name": "Spring sails"});
        let more = more.as_object().cloned().expect("it is an object");
        let (id, page_id) = (id.to_owned(), PAGE.to_owned());
        let lead = Lead { id, page_id, created_at_ms: self.clock.now_ms() - 10_000, answers, more };
        self.script().put_lead(lead).expect("the page is there");
    }

    /// A gateway to be that reads leads here.
    fn setup(&self, token: &str) -> Setup {
        let host = self.double.url().trim_start_matches("http://");
        let connection = format!(
            "settings = {{ api_host = {host:?}, lead_fields = [\"campaign_name\"], lead_answers = {{ nome_e_cognome = \"full_name\", quale_modello = \"car_model\" }} }}\n\
             credentials = {{ page_access_token = {token:?} }}\n"
        );
        let template = Template::new("thanks", &["name", "car"]).language(
            "en",
            "en_US",
            "Hi {{name}}, we call you about {{car}}.",
        );
        let config = format!("[plugins.meta]\nprivate_hosts = [{host:?}]\n");
        bare().connection("meta", &connection, &config).template(template).flow(CALL_BACK).on(self.clock.clone())
    }
}

/// Posts the webhook of a fixture; gives the delivery's id.
async fn told(gateway: &Gateway, case: &str) -> String {
    gateway.post("meta", &meta(fixture("meta", case).to_string(), META_SECRET)).await.stored()
}

/// The leads that were read.
fn read(graph: &Graph) -> Vec<String> {
    let mut ids: Vec<String> = graph.script().leads_read().into_iter().map(|read| read.lead_id).collect();
    ids.sort();
    ids
}

fn keeps_the_token(gateway: &Gateway, shown: &Value) {
    assert!(!gateway.log_text().contains(TOKEN), "the token is in the log");
    assert!(!shown.to_string().contains(TOKEN), "the token is shown: {shown:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_is_read_with_the_page_s_token_and_becomes_a_contact_with_its_answers() {
    let graph = Graph::open().await;
    let gateway = graph.setup(TOKEN).start().await;
    let id = told(&gateway, "demo_lead").await;
    gateway.settle().await;
    assert_eq!(texts(&gateway), ["Hi Ada Neri, we call you about Spider."]);
    assert_eq!(gateway.events_of("lead.submitted").await.len(), 1);
    let shown = gateway.show(&id).await.expect("the delivery is kept");
    assert!(shown.to_string().contains("Spring sails"), "{shown:#}");
    let [read] = graph.script().leads_read().try_into().expect("it was read once");
    assert_eq!((read.lead_id.as_str(), read.page_id.as_str()), (LEAD, PAGE));
    // The double refuses a token in the URL.
    assert!(graph.script().refused().is_empty(), "{:?}", graph.script().refused());
    keeps_the_token(&gateway, &shown);

    // Meta repeats itself: the lead is neither told nor read again.
    told(&gateway, "demo_lead").await;
    gateway.settle().await;
    assert_eq!((graph.script().leads_read().len(), gateway.sent().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn both_leads_of_one_webhook_of_metas_documentation_are_read() {
    let graph = Graph::open().await;
    graph.lead("123123123123", "3331234568");
    graph.lead("123123123124", "3331234569");
    let gateway = graph.setup(TOKEN).start().await;
    told(&gateway, "page_leadgen_docs_two_changes_numeric_ids").await;
    gateway.settle().await;
    assert_eq!(gateway.events_of("lead.submitted").await.len(), 2);
    assert_eq!(read(&graph), ["123123123123", "123123123124"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboards_test_is_answered_and_nothing_is_read_told_or_parked() {
    let graph = Graph::open().await;
    let gateway = graph.setup(TOKEN).start().await;
    told(&gateway, "demo_lead_dashboard_test").await;
    gateway.settle().await;
    assert!(gateway.events().await.is_empty() && gateway.parked().await.is_empty());
    assert!(graph.script().leads_read().is_empty() && graph.script().refused().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_that_graph_can_t_show_yet_arrives_later_and_once_over_a_kill() {
    let limited = Failure::RateLimited { retry_after_s: 600 };
    for failure in [
        Failure::Http500,
        limited,
        Failure::Code { code: 4 },
        Failure::Code { code: 32 },
        Failure::DropAnswerAfterAccepting,
    ] {
        let graph = Graph::open().await;
        let mut gateway = graph.setup(TOKEN).start().await;
        graph.script().fail_next(2, failure);
        told(&gateway, "demo_lead").await;
        gateway.settle().await;
        assert!(gateway.sent().is_empty(), "{failure:?}");
        gateway.kill9();
        gateway.start_again().await;
        // Tries are minutes apart.
        for _ in 0..12 {
            gateway.step_clock(Duration::from_secs(300)).await;
            gateway.settle().await;
        }
        assert_eq!(texts(&gateway), ["Hi Ada Neri, we call you about Spider."], "{failure:?}");
        assert_eq!(gateway.events_of("lead.submitted").await.len(), 1);
        let asked = graph.script().refused().len() + graph.script().leads_read().len();
        assert_eq!(asked, 3, "two failed, {failure:?}");
        assert!(gateway.parked().await.is_empty(), "{failure:?}");
        keeps_the_token(&gateway, &Value::Null);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_may_not_read_is_told_in_words_and_the_lead_waits_for_a_better_one() {
    let other = "EAAGofNobody0123456789";
    let graph = Graph::open().await;
    let gateway = graph.setup(other).start().await;
    told(&gateway, "demo_lead").await;
    gateway.settle().await;
    let refused = async |words: &[&str]| {
        let [parked] = gateway.parked().await.try_into().expect("it waits for a person");
        let reason = text(&parked, "reason").to_owned();
        assert!(words.iter().all(|word| reason.contains(word)), "{reason}");
        let listed = gateway.ask(&["queue", "list"]).await;
        assert!(!listed.good().contains(other) && !gateway.log_text().contains(other), "{}", listed.out);
    };
    refused(&["status 401, code 190", "the access token must be the page's"]).await;

    gateway.edit("tidegate.toml", other, TOKEN);
    for (access, words) in [
        (LeadAccess::NoPermission, ["code 200", "leads_retrieval"]),
        (LeadAccess::Withheld, ["code 103", "Lead Access Manager must allow the app"]),
    ] {
        graph.page(access);
        gateway.ask(&["reload"]).await.good();
        gateway.ask(&["queue", "retry", "--all"]).await.good();
        gateway.settle().await;
        refused(&words).await;
    }

    graph.page(LeadAccess::Granted);
    gateway.ask(&["queue", "retry", "--all"]).await.good();
    gateway.settle().await;
    assert_eq!(texts(&gateway), ["Hi Ada Neri, we call you about Spider."]);
    assert!(gateway.parked().await.is_empty());
    keeps_the_token(&gateway, &Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_of_another_page_is_told_as_unknown_and_does_not_take_its_neighbour_with_it() {
    let graph = Graph::open().await;
    graph.lead("123123123124", "3331234569");
    let mut gateway = graph.setup(TOKEN).start().await;
    told(&gateway, "page_leadgen_docs_two_changes_numeric_ids").await;
    gateway.settle().await;
    let [parked] = gateway.parked().await.try_into().expect("one lead is unknown");
    assert!(text(&parked, "reason").contains("Meta knows no such lead"), "{parked:#}");
    assert_eq!(gateway.events_of("lead.submitted").await.len(), 1);
    assert_eq!(read(&graph), ["123123123124"]);
    gateway.expect_parked(1);
}
