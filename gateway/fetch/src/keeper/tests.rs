//! Keepers against a token endpoint on this machine that uses each refresh token once.

use super::*;
use crate::{Grants, Times, oauth::ClientProof};
use reqwest::Url;
use std::sync::{Mutex as Plain, MutexGuard};
use tidegate_model::reach::Authority;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinSet,
};

/// Gives token after token: each answer names the next refresh token, and the one before is void.
struct Endpoint {
    authority: String,
    heard: Arc<Plain<Vec<String>>>,
    _serving: JoinSet<()>,
}

/// `answers` are given in turn, the last one for ever; `None` is the next pair of tokens.
async fn endpoint(answers: Vec<Option<(u16, &'static str)>>) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let heard = Arc::new(Plain::new(Vec::new()));
    let (kept, mut serving) = (Arc::clone(&heard), JoinSet::new());
    serving.spawn(async move {
        for number in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut text = String::new();
            while !text.contains("\r\n\r\n") || !text.ends_with('!') {
                let mut bytes = [0; 4096];
                let count = stream.read(&mut bytes).await.unwrap();
                text.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
                // The client's secret ends with what a form writes as %21.
                if text.ends_with("%21") {
                    break;
                }
            }
            kept.lock().unwrap().push(text.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned());
            let answer = answers.get(number).or(answers.last()).copied().flatten();
            let (status, body) = answer.map_or_else(
                || {
                    (
                        200,
                        format!(
                            r#"{{"access_token":"a{}","refresh_token":"r{}","expires_in":1000}}"#,
                            number + 1,
                            number + 1
                        ),
                    )
                },
                |(status, body)| (status, body.to_owned()),
            );
            let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        }
    });
    Endpoint { authority, heard, _serving: serving }
}

/// A shelf in memory, with a clock that stands where it is put.
#[derive(Debug)]
struct Shelf(Plain<(Held, i64, Result<(), String>)>);

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, (Held, i64, Result<(), String>)> {
        self.0.lock().unwrap()
    }
}

impl TokenShelf for Shelf {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.lock().1)
    }

    fn held(&self) -> Result<Held, String> {
        Ok(self.lock().0.clone())
    }

    fn keep(&self, tokens: &Tokens) -> Result<(), String> {
        let mut held = self.lock();
        held.2.clone()?;
        held.0 = Held::Tokens(tokens.clone());
        Ok(())
    }

    fn void(&self, used: &Hidden, reason: &str) -> Result<(), String> {
        let mut held = self.lock();
        if matches!(&held.0, Held::Tokens(tokens) if tokens.refresh.as_ref() == Some(used)) {
            held.0 = Held::Void(reason.to_owned());
        }
        Ok(())
    }
}

fn tokens(refresh: Option<&str>) -> Held {
    let at = Timestamp::from_ms;
    let refresh = refresh.map(Hidden::new);
    Held::Tokens(Tokens { access: Hidden::new("a0"), refresh, renew_at: at(800_000), expires_at: at(1_000_000) })
}

fn keeper(endpoint: &Endpoint, held: Held, now_s: i64) -> (Keeper, Arc<Shelf>) {
    let shelf = Arc::new(Shelf(Plain::new((held, now_s * 1_000, Ok(())))));
    let token = Url::parse(&format!("http://{}/token", endpoint.authority)).unwrap();
    let grants = Grants { private_hosts: vec![Authority::parse(&endpoint.authority).unwrap()], ..Grants::default() };
    let rules = Rules {
        plugin: "x".to_owned(),
        asked: vec![endpoint.authority.clone()],
        grants,
        without_credential: Vec::new(),
    };
    let provider = OauthProvider {
        authorize: Some(token.clone()),
        token,
        scopes: Vec::new(),
        pkce: true,
        proof: ClientProof::Body,
    };
    let client = OauthClient { id: "app".to_owned(), secret: Hidden::new("s3cret!") };
    let fetcher = Fetcher::new(Times::default()).unwrap();
    (Keeper::new(fetcher, rules, provider, client, Arc::clone(&shelf) as Arc<dyn TokenShelf>), shelf)
}

fn heard(endpoint: &Endpoint) -> Vec<String> {
    endpoint.heard.lock().unwrap().clone()
}

#[tokio::test]
async fn a_token_that_is_good_is_used_without_asking() {
    let endpoint = endpoint(vec![None]).await;
    let (keeper, _) = keeper(&endpoint, tokens(Some("r0")), 799);
    assert_eq!(keeper.token(None).await, Ok(Hidden::new("a0")));
    assert_eq!(heard(&endpoint), [""; 0]);
}

#[tokio::test]
async fn of_many_who_need_another_token_one_asks() {
    let endpoint = endpoint(vec![None]).await;
    let (first, shelf) = keeper(&endpoint, tokens(Some("r0")), 800);
    // As after a reload: another keeper of the same connection.
    let (other, _) = keeper(&endpoint, Held::Nothing, 0);
    let other = Keeper { shelf: Arc::clone(&shelf) as Arc<dyn TokenShelf>, ..other.beside(&first) };
    let asking = (0..8).map(|number| if number % 2 == 0 { first.token(None) } else { other.token(None) });
    let found = futures_util::future::join_all(asking).await;
    assert!(found.iter().all(|found| *found == Ok(Hidden::new("a1"))), "{found:?}");
    assert_eq!(heard(&endpoint), ["grant_type=refresh_token&refresh_token=r0&client_id=app&client_secret=s3cret%21"]);
    shelf.lock().1 = 1_700_000;
    assert_eq!(first.token(None).await, Ok(Hidden::new("a2")));
    assert!(
        heard(&endpoint)[1].contains("refresh_token=r1&"),
        "the new refresh token is used, and the old one no more"
    );
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_for_all_who_were_refused() {
    let endpoint = endpoint(vec![None]).await;
    let (keeper, _) = keeper(&endpoint, tokens(Some("r0")), 0);
    let refused = Hidden::new("a0");
    assert_eq!(keeper.token(Some(&refused)).await, Ok(Hidden::new("a1")));
    assert_eq!(keeper.token(Some(&refused)).await, Ok(Hidden::new("a1")));
    assert_eq!(heard(&endpoint).len(), 1);
}

#[tokio::test]
async fn a_token_that_could_not_be_kept_is_not_used() {
    let endpoint = endpoint(vec![None]).await;
    let (keeper, shelf) = keeper(&endpoint, tokens(Some("r0")), 800);
    shelf.lock().2 = Err("the disk is full".to_owned());
    assert_eq!(keeper.token(None).await, Err(NoToken::Later("the disk is full".to_owned())));
    assert_eq!(shelf.lock().0, tokens(Some("r0")));
}

#[tokio::test]
async fn a_void_authorization_waits_for_a_person_and_asks_no_more() {
    let endpoint = endpoint(vec![Some((400, r#"{"error":"invalid_grant"}"#))]).await;
    let (keeper, shelf) = keeper(&endpoint, tokens(Some("r0")), 800);
    for _ in 0..2 {
        let Err(NoToken::Unauthorized(reason)) = keeper.token(None).await else { panic!("{shelf:?}") };
        assert!(reason.contains("authorize the connection again"), "{reason}");
    }
    assert_eq!(heard(&endpoint).len(), 1);
}

#[tokio::test]
async fn a_provider_out_of_order_costs_nothing_while_the_token_is_good() {
    let endpoint = endpoint(vec![Some((503, ""))]).await;
    let (keeper, shelf) = keeper(&endpoint, tokens(Some("r0")), 900);
    assert_eq!(keeper.token(None).await, Ok(Hidden::new("a0")));
    shelf.lock().1 = 1_000_000;
    assert!(matches!(keeper.token(None).await, Err(NoToken::Later(_))));
    assert_eq!(shelf.lock().0, tokens(Some("r0")), "nothing is lost");
}

#[tokio::test]
async fn without_a_refresh_token_a_token_is_used_to_its_end() {
    let endpoint = endpoint(vec![None]).await;
    let (keeper, shelf) = keeper(&endpoint, tokens(None), 999);
    assert_eq!(keeper.token(None).await, Ok(Hidden::new("a0")));
    shelf.lock().1 = 1_000_000;
    assert!(matches!(keeper.token(None).await, Err(NoToken::Unauthorized(_))));
    assert_eq!(heard(&endpoint), [""; 0]);
}

#[tokio::test]
async fn a_code_is_exchanged_and_what_it_gives_is_kept() {
    let endpoint = endpoint(vec![None, Some((400, r#"{"error":"invalid_grant"}"#))]).await;
    let (keeper, shelf) = keeper(&endpoint, Held::Void("gone".to_owned()), 0);
    assert_eq!(keeper.token(None).await, Err(NoToken::Unauthorized("gone".to_owned())));
    let attempt = Attempt::new(&[3; oauth::RANDOM_BYTES], "http://127.0.0.1:1/callback");
    keeper.exchange(&attempt, &Hidden::new("c1")).await.unwrap();
    assert_eq!(keeper.token(None).await, Ok(Hidden::new("a1")));
    let kept = shelf.lock().0.clone();
    assert!(matches!(
        keeper.exchange(&attempt, &Hidden::new("c1")).await,
        Err(NotAuthorized::Refused(TokenFault::Void(_)))
    ));
    assert_eq!(shelf.lock().0, kept, "a code that was used already takes nothing away");
}

#[tokio::test]
async fn the_apps_secret_goes_only_where_it_is_granted() {
    let endpoint = endpoint(vec![None]).await;
    let (keeper, _) = keeper(&endpoint, tokens(Some("r0")), 1_000);
    let keeper = Keeper { rules: Rules { grants: Grants::default(), ..keeper.rules.clone() }, ..keeper };
    let Err(NoToken::Later(reason)) = keeper.token(None).await else { panic!() };
    assert!(reason.contains("plugins.x.private_hosts needs"), "{reason}");
    assert_eq!(heard(&endpoint), [""; 0]);
}

#[tokio::test]
async fn a_provider_that_refuses_every_token_is_asked_for_one_a_minute() {
    let endpoint = endpoint(vec![None]).await;
    let (keeper, shelf) = keeper(&endpoint, tokens(Some("r0")), 0);
    let mut token = keeper.token(None).await.unwrap();
    for _ in 0..5 {
        token = keeper.token(Some(&token)).await.unwrap();
    }
    assert_eq!((token.clone(), heard(&endpoint).len()), (Hidden::new("a1"), 1));
    shelf.lock().1 = REFUSED_MS;
    assert_eq!(keeper.token(Some(&token)).await, Ok(Hidden::new("a2")));
    // The end of its life is another matter.
    shelf.lock().1 += 900_000;
    assert_eq!(keeper.token(None).await, Ok(Hidden::new("a3")));
}

#[tokio::test]
async fn a_token_that_could_not_be_renewed_is_asked_for_again_at_once() {
    let endpoint = endpoint(vec![Some((503, "")), None]).await;
    let (keeper, _) = keeper(&endpoint, tokens(Some("r0")), 0);
    let refused = Hidden::new("a0");
    assert!(matches!(keeper.token(Some(&refused)).await, Err(NoToken::Later(_))));
    assert_eq!(keeper.token(Some(&refused)).await, Ok(Hidden::new("a2")));
}

#[tokio::test]
async fn an_app_that_asks_by_itself_needs_nobody() {
    const GIVEN: &str = r#"{"access_token":"own","scope":"read_orders","expires_in":1000}"#;
    let endpoint =
        endpoint(vec![Some((503, "")), Some((200, GIVEN)), Some((400, r#"{"error":"invalid_grant"}"#))]).await;
    let (keeper, shelf) = keeper(&endpoint, Held::Nothing, 0);
    let provider = OauthProvider { authorize: None, ..keeper.provider.clone() };
    let keeper = Keeper { provider, ..keeper };
    assert!(matches!(keeper.token(None).await, Err(NoToken::Later(_))));
    assert_eq!(keeper.token(None).await, Ok(Hidden::new("own")));
    assert_eq!(keeper.token(None).await, Ok(Hidden::new("own")), "it lies there");
    assert!(heard(&endpoint).iter().all(|asked| asked.starts_with("grant_type=client_credentials&client_id=app")));
    // It is to be renewed, and the provider refuses: the token is good to its end, and then there is none. Nobody is asked to authorize, whatever the words are.
    shelf.lock().1 = 900_000;
    assert_eq!(keeper.token(None).await, Ok(Hidden::new("own")));
    shelf.lock().1 = 1_000_000;
    assert!(matches!(keeper.token(None).await, Err(NoToken::Later(_))));
    // What a person authorized once, and is void, is no reason to wait for one.
    shelf.lock().0 = Held::Void("thrown out".to_owned());
    assert!(matches!(keeper.token(None).await, Err(NoToken::Later(_))));
    assert_eq!(heard(&endpoint).len(), 5);
}
