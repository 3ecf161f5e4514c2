//! What Graph says to those who read leads.

use super::*;

const PAGE: &str = "153125381133";
const OTHER: &str = "153125389999";
const NOW_MS: i64 = 1_772_359_200_000;

fn page(id: &str, access: LeadAccess) -> Page {
    Page { id: id.to_owned(), access_token: format!("EAAG-{id}"), access }
}

fn shelf(access: LeadAccess) -> Shelf {
    let mut shelf = Shelf::default();
    shelf.put_page(page(PAGE, access));
    shelf.put_page(page(OTHER, LeadAccess::Granted));
    let more = json!({"form_id": "2468013579246", "campaign_name": "Spring sails", "is_organic": false});
    let lead = Lead {
        id: "1357924680135".to_owned(),
        page_id: PAGE.to_owned(),
        created_at_ms: 1_772_359_190_000,
        answers: vec![("email".to_owned(), vec!["ada.neri@example.com".to_owned()])],
        more: more.as_object().cloned().unwrap(),
    };
    shelf.put_lead(lead).unwrap();
    shelf
}

fn read(shelf: &mut Shelf, token: &str, path: &str, now_ms: i64) -> Told {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let (version, id) = path.split_once('/').unwrap();
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let parameters: Vec<_> = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    shelf.read(&Ask { version, id, parameters: &parameters, token: Some(token) }, now_ms)
}

#[test]
fn a_lead_is_shown_as_graph_shows_it() {
    let check = |fields: &str, expected: Value| {
        let told =
            read(&mut shelf(LeadAccess::Granted), "EAAG-153125381133", &format!("v25.0/1357924680135{fields}"), NOW_MS);
        assert_eq!(told.answer, Ok(expected), "{fields}");
    };
    let data = json!([{"name": "email", "values": ["ada.neri@example.com"]}]);
    let usual = json!({"created_time": "2026-03-01T09:59:50+0000", "id": "1357924680135", "form_id": "2468013579246", "field_data": data});
    check("", usual);
    check(
        "?fields=id,campaign_name,ad_id,is_organic",
        json!({"id": "1357924680135", "campaign_name": "Spring sails", "is_organic": false}),
    );
}

#[test]
fn who_may_not_read_a_lead_is_told_why_as_graph_does() {
    let check = |access, token: &str, path: &str, expected: (u16, i64, Option<i64>), words: &str| {
        let error = read(&mut shelf(access), token, path, NOW_MS).answer.unwrap_err();
        assert_eq!((error.status, error.code, error.subcode), expected, "{path}");
        let body = error.body("A1");
        assert!(body["error"]["message"].as_str().unwrap().contains(words), "{body}");
        assert!(body["error"].get("error_data").is_none(), "WhatsApp's own: {body}");
    };
    let (own, other) = ("EAAG-153125381133", "EAAG-153125389999");
    let path = "v25.0/1357924680135";
    let granted = LeadAccess::Granted;
    check(granted, own, "v99.0/1357924680135", (400, 2500, None), "Unknown path components: /v99.0/1357924680135");
    check(granted, "EAAG-nobody", path, (401, 190, None), "Invalid OAuth access token");
    check(
        granted,
        own,
        "v25.0/444444444444",
        (400, 100, Some(33)),
        "Unsupported get request. Object with ID '444444444444'",
    );
    check(granted, other, path, (400, 100, Some(33)), "missing permissions");
    check(granted, own, &format!("{path}?fields=id,shoe_size"), (400, 100, None), "nonexisting field (shoe_size)");
    check(granted, own, &format!("{path}?fields="), (400, 100, None), "nonexisting field ()");
    check(granted, own, &format!("{path}?access_token=x"), (400, 100, None), "access_token");
    check(LeadAccess::NoPermission, own, path, (403, 200, None), "(#200) Requires leads_retrieval");
    check(LeadAccess::Withheld, own, path, (403, 103, None), "Lead Access Manager");
}

#[test]
fn a_page_is_read_from_4800_times_a_day_for_each_lead_of_90_days() {
    let mut shelf = shelf(LeadAccess::Granted);
    let mut ask = |now_ms: i64| read(&mut shelf, "EAAG-153125381133", "v25.0/1357924680135", now_ms);
    let hour = 3_600_000;
    for _ in 0..2_400 {
        assert!(ask(NOW_MS).answer.is_ok());
    }
    for _ in 0..2_400 {
        assert!(ask(NOW_MS + hour).answer.is_ok());
    }
    let told = ask(NOW_MS + 2 * hour);
    assert_eq!(told.answer.unwrap_err().code, 80005);
    let usage = &told.usage.unwrap()[PAGE][0];
    assert_eq!((&usage["type"], &usage["call_count"]), (&json!("leadgen"), &json!(100)));
    assert_eq!(usage["estimated_time_to_regain_access"], 22 * 60);
    let told = ask(NOW_MS + DAY_MS);
    assert!(told.answer.is_ok());
    assert_eq!(told.usage.unwrap()[PAGE][0]["call_count"], 50);
    // The lead is old, and counts no more; one reading in 24 hours a lead would be too few for any page.
    assert!(ask(NOW_MS + 91 * DAY_MS).answer.is_ok());
}

#[test]
fn a_lead_needs_its_page_and_a_page_that_is_put_again_keeps_its_leads() {
    let mut shelf = shelf(LeadAccess::Granted);
    let stray = Lead { page_id: "1".to_owned(), ..shelf.leads["1357924680135"].clone() };
    assert_eq!(shelf.put_lead(stray), Err(ScriptError::Page("1".to_owned())));
    shelf.put_page(Page { access_token: "EAAG-new".to_owned(), ..page(PAGE, LeadAccess::Granted) });
    assert!(read(&mut shelf, "EAAG-new", "v25.0/1357924680135", NOW_MS).answer.is_ok());
    assert_eq!(read(&mut shelf, "EAAG-153125381133", "v25.0/1357924680135", NOW_MS).answer.unwrap_err().code, 190);
}
