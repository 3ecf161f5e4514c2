//! What is asked for, and what answers mean.

use super::*;
use tidegate_model::Timestamp;

const CALENDLY: &str = "https://auth.calendly.com/oauth/";

fn provider(proof: ClientProof, pkce: bool) -> OauthProvider {
    OauthProvider {
        authorize: Some(Url::parse(&format!("{CALENDLY}authorize")).unwrap()),
        token: Url::parse(&format!("{CALENDLY}token")).unwrap(),
        scopes: vec!["users:read".to_owned(), "webhooks:write".to_owned()],
        pkce,
        proof,
    }
}

fn client() -> OauthClient {
    OauthClient { id: "app 1".to_owned(), secret: Hidden::new("s3cret/+&") }
}

fn attempt() -> Attempt {
    let mut random = [7; RANDOM_BYTES];
    random[..RANDOM_BYTES / 2].fill(1);
    Attempt::new(&random, "http://127.0.0.1:8976/callback")
}

fn state(attempt: &Attempt) -> &str {
    attempt.state.expose()
}

#[test]
fn the_url_names_all_that_the_provider_wants_and_no_secret() {
    let made = attempt();
    let url = made.url(&provider(ClientProof::Body, true), &client()).unwrap();
    let state = state(&made);
    assert_eq!(
        url.as_str(),
        format!(
            "{CALENDLY}authorize?response_type=code&client_id=app+1&redirect_uri=http%3A%2F%2F127.0.0.1%3A8976%2Fcallback&state={state}\
             &scope=users%3Aread+webhooks%3Awrite&code_challenge=3Ev4DHdHPRMPoN6GukAY_pi7IUAF5qWJHRK6kURvnoE&code_challenge_method=S256"
        )
    );
    assert!(!url.as_str().contains("s3cret") && !url.as_str().contains(&format!("={}&", made.verifier.expose())));
    let bare = OauthProvider { scopes: Vec::new(), ..provider(ClientProof::Body, false) };
    let url = made.url(&bare, &client()).unwrap();
    assert!(!url.as_str().contains("scope") && !url.as_str().contains("code_challenge"), "{url}");
}

/// RFC 7636, appendix B.
#[test]
fn the_challenge_is_the_standards() {
    let verifier = Hidden::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    let url = Attempt { verifier, ..attempt() }.url(&provider(ClientProof::Body, true), &client()).unwrap();
    assert!(url.as_str().contains("code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&"), "{url}");
}

#[test]
fn a_verifier_is_as_long_as_the_standard_wants_and_differs_from_the_state() {
    let mut random = [0; RANDOM_BYTES];
    random.iter_mut().zip(0_u8..).for_each(|(byte, number)| *byte = number);
    let made = Attempt::new(&random, "x");
    assert!((43..=128).contains(&made.verifier.expose().len()));
    assert_ne!(made.verifier, made.state);
}

#[test]
fn a_code_is_taken_only_from_what_belongs_to_the_authorization() {
    let made = attempt();
    let ours = state(&made).to_owned();
    let check = |query: &str, expected: Result<&str, CallbackFault>| {
        let query = query.replace("OURS", &ours);
        assert_eq!(made.code(&query), expected.map(Hidden::new), "{query}");
    };
    check("code=a%2Fb&state=OURS", Ok("a/b"));
    check("state=OURS&code=ab&scope=x", Ok("ab"));
    check("code=ab&state=other", Err(CallbackFault::Foreign));
    check("code=ab", Err(CallbackFault::Foreign));
    check("code=ab&state=other&state=OURS", Err(CallbackFault::Foreign));
    check("code=ab&code=cd&state=OURS", Err(CallbackFault::NoCode));
    check("error=access_denied&state=other", Err(CallbackFault::Foreign));
    check("error=access_denied&state=OURS", Err(CallbackFault::Denied("access_denied".to_owned())));
    check(
        "error=access_denied&error_description=Not%1b+today&code=ab&state=OURS",
        Err(CallbackFault::Denied("Not today".to_owned())),
    );
    check("code=&state=OURS", Err(CallbackFault::NoCode));
    check("state=OURS", Err(CallbackFault::NoCode));
    check("", Err(CallbackFault::NoCode));
    check("favicon", Err(CallbackFault::NoCode));
}

#[test]
fn the_client_proves_itself_as_the_provider_wants() {
    let made = attempt();
    let code = Hidden::new("c&1");
    let verifier = made.verifier.expose();
    let found = made.exchange(&provider(ClientProof::Body, true), &client(), &code);
    assert_eq!(found.authorization, None);
    assert_eq!(
        found.body.expose(),
        format!(
            "grant_type=authorization_code&code=c%261&redirect_uri=http%3A%2F%2F127.0.0.1%3A8976%2Fcallback&code_verifier={verifier}\
             &client_id=app+1&client_secret=s3cret%2F%2B%26"
        )
    );
    let found = refresh(&provider(ClientProof::Basic, true), &client(), &Hidden::new("r1"));
    // "app+1:s3cret%2F%2B%26"
    assert_eq!(found.authorization, Some(Hidden::new("Basic YXBwKzE6czNjcmV0JTJGJTJCJTI2")));
    assert_eq!(found.body.expose(), "grant_type=refresh_token&refresh_token=r1");
    assert_eq!(found.url.as_str(), format!("{CALENDLY}token"));
}

#[test]
fn an_app_that_asks_by_itself_leads_nobody_anywhere() {
    let scopes = vec!["read_orders".to_owned(), "write".to_owned()];
    let own = OauthProvider { authorize: None, scopes, ..provider(ClientProof::Body, false) };
    assert_eq!(attempt().url(&own, &client()), None);
    let found = super::own(&own, &client());
    let app = "client_id=app+1&client_secret=s3cret%2F%2B%26";
    assert_eq!(found.body.expose(), format!("grant_type=client_credentials&scope=read_orders+write&{app}"));
    let found = super::own(&OauthProvider { scopes: Vec::new(), ..own }, &client());
    assert_eq!(found.body.expose(), format!("grant_type=client_credentials&{app}"));
}

#[test]
fn no_request_and_no_attempt_shows_a_secret() {
    let made = attempt();
    let found = made.exchange(&provider(ClientProof::Basic, true), &client(), &Hidden::new("the-code"));
    let shown = format!("{found:?} {made:?} {:?}", client());
    for secret in ["the-code", "s3cret", "YXBw", made.verifier.expose(), state(&made)] {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_ms(seconds * 1_000)
}

#[test]
fn a_token_is_renewed_before_it_ends() {
    let check = |expires_in: &str, renew_s: i64, end_s: i64| {
        let body =
            format!(r#"{{"access_token":"a1","token_type":"Bearer","refresh_token":"r1","expires_in":{expires_in}}}"#);
        let granted = read_answer(200, &body, at(1_000)).unwrap();
        assert_eq!((granted.renew_at, granted.expires_at), (at(1_000 + renew_s), at(1_000 + end_s)), "{expires_in}");
        let tokens = Tokens::first(granted);
        assert!(!tokens.is_due(at(1_000)) && !tokens.is_due(at(999 + renew_s)) && tokens.is_due(at(1_000 + renew_s)));
    };
    check("1800", 1_500, 1_800);
    check("7200", 6_900, 7_200);
    check("\"7200\"", 6_900, 7_200);
    check("100", 80, 100);
    check("1", 1, 1);
    check("null", 480, 600);
    check("-5", 480, 600);
    check("9999999999999", 31 * 86_400 - 300, 31 * 86_400);
}

#[test]
fn a_refresh_token_stays_until_it_is_replaced() {
    let granted = |body: &str| read_answer(200, body, at(0)).unwrap();
    let first = Tokens::first(granted(r#"{"access_token":"a1","refresh_token":"r1","expires_in":60}"#));
    let kept = first.clone().renewed(granted(r#"{"access_token":"a2","expires_in":60}"#));
    assert_eq!((kept.access, kept.refresh), (Hidden::new("a2"), Some(Hidden::new("r1"))));
    let rotated = first.renewed(granted(r#"{"access_token":"a3","refresh_token":"r3","expires_in":60}"#));
    assert_eq!((rotated.access, rotated.refresh), (Hidden::new("a3"), Some(Hidden::new("r3"))));
}

#[test]
fn what_is_wrong_tells_who_must_do_what() {
    let check = |status: u16, body: &str, expected: &str| {
        let fault = read_answer(status, body, at(0)).unwrap_err();
        assert_eq!(format!("{fault:?}"), expected, "{body}");
    };
    check(400, r#"{"error":"invalid_grant","error_description":"used"}"#, r#"Void("400: used")"#);
    check(401, r#"{"error":"invalid_grant"}"#, r#"Void("401: invalid_grant")"#);
    check(
        400,
        r#"{"status":"BAD_REFRESH_TOKEN","message":"missing or invalid refresh token"}"#,
        r#"Void("400: missing or invalid refresh token")"#,
    );
    check(401, r#"{"error":"invalid_client"}"#, r#"Client("401: invalid_client")"#);
    check(401, "", r#"Client("401, without words")"#);
    check(400, r#"{"error":"invalid_scope"}"#, r#"Refused("400: invalid_scope")"#);
    check(400, r#"{"error":"slow_down"}"#, r#"Later("400: slow_down")"#);
    check(429, r#"{"error":"invalid_grant"}"#, r#"Later("429: invalid_grant")"#);
    check(503, "<html>", r#"Later("503, without words")"#);
    check(302, "", r#"Refused("302, without words")"#);
    let unfit = "its answer is none that RFC 6749 knows:";
    check(200, "nonsense", &format!(r#"Refused("{unfit} it has no access_token")"#));
    check(200, r#"{"access_token":"a\nb"}"#, &format!(r#"Refused("{unfit} it has no access_token")"#));
    check(
        200,
        r#"{"access_token":"a","token_type":"mac"}"#,
        &format!(r#"Refused("{unfit} its token is no bearer token")"#),
    );
}

#[test]
fn a_fault_shows_no_token_and_nothing_that_a_terminal_obeys() {
    let body =
        r#"{"error":"x","error_description":"\u001b[2Jno","refresh_token":"r-secret-1","access_token":"a-secret-1"}"#;
    let fault = read_answer(400, body, at(0)).unwrap_err();
    assert_eq!(fault.to_string(), "the provider gives no token: 400: [2Jno");
    let granted = read_answer(200, r#"{"access_token":"a-secret-1","refresh_token":"r-secret-1"}"#, at(0)).unwrap();
    assert!(!format!("{granted:?} {:?}", Tokens::first(granted.clone())).contains("secret"));
}

proptest::proptest! {
    #[test]
    fn any_answer_is_read_or_refused(status in 100_u16..700, body in ".{0,80}") {
        let _ = read_answer(status, &body, at(0));
    }

    #[test]
    fn a_form_gives_back_what_was_put_in(name in ".{1,20}", value in ".{0,40}") {
        let url = Url::parse(&format!("http://localhost/?{}", form(&[(&name, &value)]))).unwrap();
        let found: Vec<(String, String)> = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        proptest::prop_assert_eq!(found, vec![(name, value)]);
    }
}
