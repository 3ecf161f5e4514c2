//! Requests read strictly, and callbacks signed as Twilio signs them.

use super::{
    account::{Account, Service, TwilioAccount},
    request::{fields, read},
};

const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
const SERVICE: &str = "MG0123456789abcdef0123456789abcdef";

fn account() -> Account {
    let settings = TwilioAccount {
        account_sid: ACCOUNT.to_owned(),
        auth_token: "12345".to_owned(),
        api_key: Some(("SK0123456789abcdef0123456789abcdef".to_owned(), "s3cret".to_owned())),
        numbers: vec!["+14155550100".to_owned(), "+14155550101".to_owned()],
        services: vec![Service {
            sid: SERVICE.to_owned(),
            numbers: vec!["+14155550101".to_owned()],
            advanced_opt_out: false,
        }],
        inbound_url: None,
        door: Some("http://127.0.0.1:8080".to_owned()),
    };
    assert_eq!(super::check(&settings), None);
    Account::new(settings)
}

#[test]
fn callbacks_are_signed_as_twilio_signs_them() {
    // Twilio's own example (twilio-python, `request_validator`).
    let form = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
    ];
    let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let signature = account().signature("https://mycompany.com/myapp.php?foo=1&bar=2", &form);
    assert_eq!(signature, "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
}

#[test]
fn requests_are_read_strictly() {
    let account = account();
    let check = |form: &str, code: i64| {
        let found = read(&account, &fields(form.as_bytes())).map_or_else(|error| error.code, |_| 0);
        assert_eq!(found, code, "{form}");
    };
    let good = "To=%2B12025550123&From=%2B14155550100&Body=Hi+there";
    check(good, 0);
    check(&format!("{good}&StatusCallback=https%3A%2F%2Fa.example%2Fin%3Fmid%3D1%23rc%3D5&ValidityPeriod=600"), 0);
    check(&format!("{good}&MediaUrl=x"), 20001);
    check(&format!("{good}&Body=again"), 20001);
    check("From=%2B14155550100&Body=Hi", 21604);
    check("To=12025550123&From=%2B14155550100&Body=Hi", 21211);
    check("To=whatsapp%3A%2B12025550123&From=%2B14155550100&Body=Hi", 21211);
    check("To=%2B12025550123&Body=Hi", 21603);
    check("To=%2B12025550123&From=%2B14155550999&Body=Hi", 21606);
    check("To=%2B14155550100&From=%2B14155550100&Body=Hi", 21266);
    check("To=%2B12025550123&From=%2B14155550100", 21602);
    check(&format!("To=%2B12025550123&From=%2B14155550100&Body={}", "a".repeat(1601)), 21617);
    check(&format!("{good}&ValidityPeriod=0"), 21624);
    check(&format!("{good}&StatusCallback=%2Fin"), 21609);
    check(&format!("{good}&StatusCallback=https%3A%2F%2Fa_b.example%2F"), 21609);
    check(&format!("To=%2B12025550123&MessagingServiceSid={SERVICE}&Body=Hi"), 0);
    check(&format!("{good}&MessagingServiceSid={SERVICE}"), 21711);
    check("To=%2B12025550123&MessagingServiceSid=MG1&Body=Hi", 21705);
}

#[test]
fn an_account_takes_its_token_and_its_key() {
    let account = account();
    let basic = |text: &str| {
        use base64::{Engine, engine::general_purpose::STANDARD};
        format!("Basic {}", STANDARD.encode(text))
    };
    assert!(account.accepts(&basic(&format!("{ACCOUNT}:12345"))));
    assert!(account.accepts(&basic("SK0123456789abcdef0123456789abcdef:s3cret")));
    assert!(!account.accepts(&basic(&format!("{ACCOUNT}:other"))));
    assert!(!account.accepts("Bearer 12345"));
    let public = "https://hooks.example/in/twilio?mid=1".parse().unwrap();
    assert_eq!(account.behind(&public).as_str(), "http://127.0.0.1:8080/in/twilio?mid=1");
}
