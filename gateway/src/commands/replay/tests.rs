//! The same plugin makes the same of what it read before; and what changed meanwhile is not trodden on.

use super::*;
use crate::{
    play::Script,
    testing::{START, Stage, Webhook, inbound, meta},
};

fn replayed(stage: &Stage, id: DeliveryId) -> Value {
    let _inside = stage.runtime().enter();
    replay(stage.app(), &Replay { id: id.to_string(), plugin: None, as_then: false, apply: false, refetch: false })
        .unwrap()
}

#[test]
fn every_bundled_fixture_is_read_again_without_a_difference() {
    let mut stage = Stage::new(&[]);
    stage.open_every_endpoint();
    let mut deliveries = Vec::new();
    // A mapping's samples each have settings of their own, which no one endpoint has; Twilio signs the URL that it calls, which is none here.
    let provided = tidegate_bundled::SAMPLES.iter().filter(|sample| !["json-hmac", "twilio"].contains(&sample.plugin));
    for (place, sample) in provided.enumerate() {
        let script = Script::sample(sample.plugin, sample.case).unwrap();
        let webhook = Webhook { endpoint: sample.plugin, script, unique: format!("sample-{place}") };
        deliveries.push((sample.case, stage.post(&webhook).id()));
        stage.advance(7);
    }
    // Together, so that several share a call: each is exact by itself all the same.
    stage.settle();
    assert!(deliveries.len() > 20, "{}", deliveries.len());
    let mut read = 0;
    for (case, id) in deliveries {
        let report = replayed(&stage, id);
        let items = report["items"].as_array().unwrap();
        // Nobody answers here: what needs its provider is not interpreted.
        let unread = |item: &Value| item["was"]["result"] == "waiting" || item["topic"] == "leadgen";
        if items.iter().any(unread) {
            continue;
        }
        assert_eq!(report["same"], true, "{case}: {report:#}");
        read += items.iter().filter(|item| item["now"] == "interpreted").count();
    }
    assert!(read > 20, "{read}");
}

#[test]
fn what_is_not_interpreted_yet_is_shown_and_not_written() {
    let stage = Stage::new(&[]);
    let id = stage.post(&meta(&[inbound("1", 1, "hello", START)])).id();
    let report = replayed(&stage, id);
    assert_eq!(
        (&report["same"], &report["items"][0]["was"], &report["items"][0]["now"]),
        (&json!(false), &Value::Null, &json!("interpreted"))
    );
    let _inside = stage.runtime().enter();
    let applied =
        replay(stage.app(), &Replay { id: id.to_string(), plugin: None, as_then: false, apply: true, refetch: false })
            .unwrap();
    assert_eq!(applied["items"][0]["applied"]["result"], "nothing");
    assert!(stage.messages().is_empty());
    stage.interpret();
    assert_eq!(stage.messages().len(), 1);
}

#[test]
fn what_was_interpreted_between_the_look_and_the_writing_is_left_alone() {
    let mut stage = Stage::new(&[]);
    let whatsapp = "name = \"whatsapp\"\nendpoint = \"meta\"\nworkspace = \"main\"\n";
    stage.reconfigure(whatsapp, &format!("{whatsapp}account = \"55\"\n"));
    let id = stage.post(&meta(&[inbound("1", 1, "hello", START)])).id();
    stage.interpret();
    stage.reconfigure("account = \"55\"\n", "");
    let delivery = views::find_delivery(stage.app(), id).unwrap().unwrap();
    let endpoint = stage.app().catalog().endpoint("meta").unwrap();
    let request = ReplayRequest {
        plugin: Some(&endpoint.plugin),
        endpoint: &endpoint,
        delivery: &delivery,
        only: None,
        refetch: false,
    };
    let looked = examine(stage.app(), stage.runtime().handle(), &request).unwrap();
    let picked = serde_json::from_value(json!({"all": {}})).unwrap();
    assert_eq!(crate::commands::retry(stage.app(), &picked).unwrap()["done"], 1);
    stage.interpret();
    assert_eq!(stage.messages().len(), 1);
    let applied = apply(stage.app(), &request, &looked[0]).unwrap();
    assert_eq!(applied, Applied::Nothing("it was interpreted meanwhile; look again"));
    let again = examine(stage.app(), stage.runtime().handle(), &request).unwrap();
    assert_eq!(apply(stage.app(), &request, &again[0]).unwrap(), Applied::Nothing("there is no difference"));
    assert_eq!(stage.messages().len(), 1);
}
