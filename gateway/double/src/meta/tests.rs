//! What Graph says about an app's accounts.

use super::*;
use axum::http::{HeaderMap, Method};
use serde_json::{Value, json};

const NOW_MS: i64 = 1_772_359_200_000;

fn ask(shelf: &mut Shelf, token: &str, line: &str, body: &Value) -> Result<Value, (i64, String)> {
    let (method, path) = line.split_once(' ').unwrap();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let asked = Asked {
        method: Method::from_bytes(method.as_bytes()).unwrap(),
        path: format!("/v25.0/{path}"),
        query: query.to_owned(),
        headers: HeaderMap::new(),
        body: body.to_string().into(),
    };
    shelf.answer(&asked, token, NOW_MS, "http://graph").map_err(|error| (error.code, error.reason()))
}

fn shelf() -> Shelf {
    let mut shelf = Shelf::default();
    shelf.leads.put_page(Page {
        id: PAGE_ID.to_owned(),
        access_token: PAGE_TOKEN.to_owned(),
        access: LeadAccess::Granted,
    });
    shelf.forms.insert("2468".to_owned(), "ACTIVE");
    for n in 0..3 {
        let more = serde_json::Map::from_iter([("form_id".to_owned(), "2468".into())]);
        let (id, page_id) = (format!("77{n}"), PAGE_ID.to_owned());
        let created_at_ms = NOW_MS - 60_000 + n * 1_000;
        shelf.leads.put_lead(Lead { id, page_id, created_at_ms, answers: Vec::new(), more }).unwrap();
    }
    shelf
}

#[test]
fn a_page_tells_an_app_what_it_is_asked_to() {
    let mut shelf = shelf();
    let list = format!("GET {PAGE_ID}/subscribed_apps");
    let told = ask(&mut shelf, PAGE_TOKEN, &list, &Value::Null).unwrap();
    assert_eq!(told["data"].as_array().unwrap().len(), 1, "another app: {told}");
    let post = format!("POST {PAGE_ID}/subscribed_apps");
    let error = ask(&mut shelf, PAGE_TOKEN, &post, &json!({"subscribed_fields": "leads"})).unwrap_err();
    assert!(error.0 == 100 && error.1.contains("must be one of"), "{error:?}");
    assert_eq!(ask(&mut shelf, PAGE_TOKEN, &post, &Value::Null).unwrap_err().0, 100, "a page wants fields");
    ask(&mut shelf, PAGE_TOKEN, &post, &json!({"subscribed_fields": "leadgen,feed"})).unwrap();
    let told = ask(&mut shelf, PAGE_TOKEN, &list, &Value::Null).unwrap();
    assert_eq!(told["data"][1]["subscribed_fields"], json!(["leadgen", "feed"]));
    assert_eq!(ask(&mut shelf, WABA_TOKEN, &list, &Value::Null).unwrap_err().0, 100, "another's token");
    assert_eq!(ask(&mut shelf, "EAAnobody", &list, &Value::Null).unwrap_err().0, 190);
    let leaky = format!("{list}?access_token=x");
    assert!(ask(&mut shelf, PAGE_TOKEN, &leaky, &Value::Null).unwrap_err().1.contains("written down"));
    ask(&mut shelf, PAGE_TOKEN, &format!("DELETE {PAGE_ID}/subscribed_apps"), &Value::Null).unwrap();
    assert!(!shelf.tells_leads());
}

#[test]
fn a_whatsapp_account_tells_all_or_nothing_and_may_have_an_address_of_its_own() {
    let mut shelf = shelf();
    let (list, post) = (format!("GET {WABA_ID}/subscribed_apps"), format!("POST {WABA_ID}/subscribed_apps"));
    ask(&mut shelf, WABA_TOKEN, &post, &json!({})).unwrap();
    shelf.aim = Some("https://other.example/x".to_owned());
    let told = ask(&mut shelf, WABA_TOKEN, &list, &Value::Null).unwrap();
    let own = &told["data"][1];
    assert_eq!(own["whatsapp_business_api_data"]["id"], APP_ID.to_string());
    assert_eq!(own["override_callback_uri"], "https://other.example/x");
    ask(&mut shelf, WABA_TOKEN, &post, &json!({})).unwrap();
    assert!(shelf.is_on_waba && shelf.aim.is_none());
    let own = json!({"override_callback_uri": "https://own.example/x", "verify_token": "t"});
    ask(&mut shelf, WABA_TOKEN, &post, &own).unwrap();
    shelf.callback = Some("https://app.example/x".to_owned());
    let numbers = format!("GET {WABA_ID}/phone_numbers?fields=id,display_phone_number,webhook_configuration");
    let told = ask(&mut shelf, WABA_TOKEN, &numbers, &Value::Null).unwrap();
    let expected =
        json!({"whatsapp_business_account": "https://own.example/x", "application": "https://app.example/x"});
    assert_eq!(told["data"][0]["webhook_configuration"], expected);
    shelf.number_aim = Some("https://number.example/x".to_owned());
    shelf.tell_message("1", "hi", 1);
    assert_eq!(shelf.waiting[0].0, "https://number.example/x");
    ask(&mut shelf, WABA_TOKEN, &format!("DELETE {WABA_ID}/subscribed_apps"), &Value::Null).unwrap();
    assert_eq!(ask(&mut shelf, WABA_TOKEN, &post, &own).unwrap_err().0, 100, "first the account tells the app");
}

#[test]
fn leads_of_a_form_come_newest_first_a_part_at_a_time() {
    let mut shelf = shelf();
    let filter = |after_s: i64| {
        format!(
            "filtering=[{{%22field%22:%22time_created%22,%22operator%22:%22GREATER_THAN%22,%22value%22:{after_s}}}]"
        )
    };
    let first_s = NOW_MS / 1_000 - 60;
    let mut ids = |query: String| {
        let told = ask(&mut shelf, PAGE_TOKEN, &format!("GET 2468/leads?fields=id&{query}"), &Value::Null)?;
        let ids: Vec<String> =
            told["data"].as_array().unwrap().iter().map(|lead| lead["id"].as_str().unwrap().to_owned()).collect();
        Ok::<_, (i64, String)>((ids, told["paging"]["next"].is_string()))
    };
    assert_eq!(ids(format!("{}&limit=2", filter(0))).unwrap(), (vec!["772".to_owned(), "771".to_owned()], true));
    assert_eq!(ids(format!("{}&limit=2&after=QVFIU2", filter(0))).unwrap(), (vec!["770".to_owned()], false));
    assert_eq!(ids(filter(first_s)).unwrap().0, ["772", "771"], "later than the second");
    assert_eq!(ids("filtering=[]".to_owned()).unwrap_err().0, 100);
    assert_eq!(ids(format!("{}&after=of-another", filter(0))).unwrap_err().0, 100);
    let forms = ask(&mut shelf, PAGE_TOKEN, &format!("GET {PAGE_ID}/leadgen_forms?fields=id,status"), &Value::Null);
    assert_eq!(forms.unwrap()["data"], json!([{"id": "2468", "status": "ACTIVE"}]));
}
