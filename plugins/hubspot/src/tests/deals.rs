//! Deals: whose they are, and their stages.

use super::{answered, event_of, external, keys, outcome_with, person, requests, skipped, unread};
use serde_json::{Value, json};
use tidegate_plugin_sdk::{Answer, Deal, Money, Outcome, Payload, Request};

const AT_MS: u64 = 1_782_371_972_438;

fn moved(to: &str) -> Value {
    json!({"subscriptionType": "deal.propertyChange", "objectId": 33, "propertyName": "dealstage", "propertyValue": to, "occurredAt": AT_MS})
}

/// A deal as HubSpot shows it, with its stages so far, the newest first.
fn deal(properties: &Value, stages: &[(&str, &str)], contacts: &[&str]) -> Value {
    let mut deal = person("33", properties);
    let history: Vec<_> =
        stages.iter().map(|(value, at)| json!({"value": value, "timestamp": at, "sourceType": "CRM_UI"})).collect();
    deal["propertiesWithHistory"] = json!({"dealstage": history});
    if !contacts.is_empty() {
        let results: Vec<_> = contacts.iter().map(|id| json!({"id": id, "type": "deal_to_contact"})).collect();
        deal["associations"] = json!({"contacts": {"results": results}});
    }
    deal
}

fn answering<'d>(deal: &'d Value, contact: u16) -> impl FnMut(&Request) -> Answer + 'd {
    move |request| match request.url.contains("/deals/") {
        true => answered(200, deal),
        false => answered(contact, &person("7", &json!({"email": "ada@example.com"}))),
    }
}

fn told(outcome: Outcome) -> Deal {
    match event_of(outcome).payload {
        Payload::Deal(deal) => deal,
        other => panic!("expected a deal, found {other:?}"),
    }
}

#[test]
fn a_deal_is_read_with_its_first_contact() {
    let shown = deal(
        &json!({"dealname": "Sails", "pipeline": "default", "dealstage": "qualified", "amount": "2000", "deal_currency_code": "EUR", "hubspot_owner_id": "5"}),
        &[],
        &["7", "8"],
    );
    let parts = json!({"subscriptionType": "deal.creation", "objectId": 33});
    let event = event_of(outcome_with("{}", &parts, answering(&shown, 200)));
    assert_eq!(event.kind, "deal.created");
    assert_eq!(keys(event.contact)[1], external("7"));
    let expected = Deal {
        id: "33".to_owned(),
        name: Some("Sails".to_owned()),
        pipeline: Some("default".to_owned()),
        stage: Some("qualified".to_owned()),
        previous_stage: None,
        amount: Money::of(Some("2000"), Some("EUR")),
        owner: Some("5".to_owned()),
    };
    assert_eq!(event.payload, Payload::Deal(expected));
    let first = requests(unread(&parts));
    assert!(first.len() == 1 && first[0].url.ends_with("&propertiesWithHistory=dealstage&associations=contacts"));
}

#[test]
fn a_deal_of_nobody_and_one_of_somebody_who_is_gone() {
    let parts = json!({"subscriptionType": "deal.creation", "objectId": 33});
    let nobody = deal(&json!({}), &[], &[]);
    assert_eq!(event_of(outcome_with("{}", &parts, answering(&nobody, 200))).contact, None);
    let gone = deal(&json!({}), &[], &["7"]);
    assert_eq!(keys(event_of(outcome_with("{}", &parts, answering(&gone, 404))).contact), [external("7")]);
}

#[test]
fn the_stage_is_that_of_the_change_and_the_one_before_comes_from_the_history() {
    let check = |to: &str, stages: &[(&str, &str)], expected: Option<&str>| {
        let shown = deal(&json!({"dealstage": stages.first().map(|(stage, _)| *stage)}), stages, &[]);
        let deal = told(outcome_with("{}", &moved(to), answering(&shown, 200)));
        assert_eq!((deal.stage.as_deref(), deal.previous_stage.as_deref()), (Some(to), expected), "{stages:?}");
    };
    let (earlier, now, later) = ("2026-06-25T07:00:00Z", "2026-06-25T07:19:32.438Z", "2026-06-25T08:00:00Z");
    check("won", &[("won", now), ("offer", earlier)], Some("offer"));
    check("offer", &[("won", later), ("offer", now), ("new", earlier)], Some("new"));
    check("new", &[("new", now), ("offer", earlier), ("new", "2026-06-24T00:00:00Z")], Some("offer"));
    check("new", &[("new", now)], None);
    check("new", &[], None);
}

#[test]
fn a_deal_that_was_won_or_lost_is_a_trigger_once_it_is_told_of_the_stage_it_has() {
    let triggers = |to: &str, properties: Value| {
        let shown = deal(&properties, &[], &[]);
        let Outcome::Done(done) = outcome_with("{}", &moved(to), answering(&shown, 200)) else {
            panic!("expected events")
        };
        done.triggers.into_iter().map(|trigger| trigger.name).collect::<Vec<_>>()
    };
    assert_eq!(
        triggers("won", json!({"dealstage": "won", "hs_is_closed": "true", "hs_is_closed_won": "true"})),
        ["deal-won"]
    );
    assert_eq!(
        triggers("lost", json!({"dealstage": "lost", "hs_is_closed": "true", "hs_is_closed_won": "false"})),
        ["deal-lost"]
    );
    assert!(triggers("offer", json!({"dealstage": "offer", "hs_is_closed": "false"})).is_empty());
    assert!(
        triggers("offer", json!({"dealstage": "won", "hs_is_closed": "true", "hs_is_closed_won": "true"})).is_empty()
    );
}

#[test]
fn an_amount_without_a_currency_is_no_money() {
    let parts = json!({"subscriptionType": "deal.creation", "objectId": 33});
    let amount =
        |properties: Value| told(outcome_with("{}", &parts, answering(&deal(&properties, &[], &[]), 200))).amount;
    assert_eq!(amount(json!({"amount": "2000"})), None);
    assert_eq!(amount(json!({"amount": "a lot", "deal_currency_code": "EUR"})), None);
    assert_eq!(amount(json!({"amount": "12.50", "deal_currency_code": "EUR"})), Money::of(Some("12.50"), Some("EUR")));
}

#[test]
fn other_changes_of_a_deal_are_skipped_unread() {
    let parts = json!({"subscriptionType": "deal.propertyChange", "propertyName": "amount", "propertyValue": "2000"});
    assert_eq!(skipped(&parts), "a deal's amount means nothing for messages");
    let gone = outcome_with("{}", &moved("won"), |_| answered(404, &json!({})));
    assert_eq!(gone, Outcome::Skip("the deal is no longer in HubSpot".to_owned()));
}
