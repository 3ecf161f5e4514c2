//! Known answers: signatures made by the providers' own libraries are accepted, and made again to the letter.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::PathBuf;

use serde::{Deserialize, de::DeserializeOwned};
use tidegate_signature::{Outgoing, Refusal, Secret, Target, Verified, scheme, sign_request, verify_request};

/// One file: what one library made (`vectors/generate` holds the scripts).
#[derive(Deserialize)]
struct File {
    scheme: String,
    origin: Origin,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Origin {
    package: String,
    version: String,
    function: String,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    secret: String,
    body: Body,
    headers: Vec<(String, String)>,
    #[serde(default)]
    message_id: String,
    #[serde(default)]
    timestamp_s: i64,
    #[serde(default)]
    timestamp_ms: i64,
    #[serde(default)]
    method: String,
    #[serde(default)]
    url: String,
}

/// Answers that a provider printed, each with where.
#[derive(Deserialize)]
struct Published {
    scheme: String,
    vectors: Vec<PublishedVector>,
}

#[derive(Deserialize)]
struct PublishedVector {
    source: String,
    #[serde(flatten)]
    vector: Vector,
}

/// A body is stored, or made by rule: the pattern repeated and cut to the length.
#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Stored { text: String },
    Made { pattern: String, length: usize },
}

impl Body {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Stored { text } => text.as_bytes().to_vec(),
            Self::Made { pattern, length } => pattern.bytes().cycle().take(*length).collect(),
        }
    }
}

fn files<F: DeserializeOwned>(folder: &str) -> Vec<(PathBuf, F)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let file = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (path, file)
        })
        .collect()
}

fn check(name: &str, vector: &Vector) {
    let scheme = scheme(name).unwrap();
    let secret = Secret::new(&vector.secret, &scheme.key).unwrap();
    let body = vector.body.bytes();
    let at_ms = vector.timestamp_s * 1000 + vector.timestamp_ms;
    let target = Target { method: &vector.method, url: &vector.url };

    let message = Outgoing { id: &vector.message_id, at_ms, body: &body };
    let made: Vec<_> = scheme.ways().map(|way| sign_request(way, &secret, target, &message).unwrap()).collect();
    assert!(made.contains(&vector.headers), "{made:?}");

    let secrets = secret.into();
    let accepted = Verified { secret_index: 0, stale: false };
    let decision = verify_request(&scheme, &secrets, target, &vector.headers, &body, at_ms);
    assert_eq!(decision, Ok(accepted));

    let longer = [body.as_slice(), b" "].concat();
    let decision = verify_request(&scheme, &secrets, target, &vector.headers, &longer, at_ms);
    assert!(matches!(decision, Err(Refusal::Mismatch { .. })));
}

#[test]
fn the_answers_of_the_providers_libraries_are_accepted_and_made_again() {
    for (path, file) in files::<File>("tests/vectors") {
        for vector in &file.vectors {
            println!("{}: {}, {}", path.display(), vector.name, vector.secret);
            check(&file.scheme, vector);
        }
    }
}

#[test]
fn the_answers_that_providers_printed_are_accepted_and_made_again() {
    let mut count = 0;
    for (path, file) in files::<Published>("tests/vectors/published") {
        for PublishedVector { source, vector } in &file.vectors {
            println!("{}: {}, {source}", path.display(), vector.name);
            assert!(!source.is_empty());
            check(&file.scheme, vector);
            count += 1;
        }
    }
    assert!(count >= 8, "{count}");
}

#[test]
fn every_scheme_has_answers_with_their_origin_and_all_kinds_of_bodies() {
    let files = files::<File>("tests/vectors");
    for name in tidegate_signature::SCHEME_NAMES {
        let known = files.iter().any(|(_, file)| file.scheme == name);
        assert!(known, "no answers for {name}");
    }
    for (path, file) in &files {
        let path = path.display();
        let origin = [&file.origin.package, &file.origin.version, &file.origin.function];
        assert!(origin.iter().all(|text| !text.is_empty()), "{path}");

        let bodies: Vec<Vec<u8>> = file.vectors.iter().map(|vector| vector.body.bytes()).collect();
        let some = |what: &str, is: &dyn Fn(&[u8]) -> bool| {
            assert!(bodies.iter().any(|body| is(body)), "{path}: no {what} body");
        };
        some("empty", &<[u8]>::is_empty);
        some("non-ASCII", &|body| !body.is_ascii());
        some("escaped", &|body| body.windows(6).any(|part| part == br"\u00e4"));
        some("CRLF", &|body| body.windows(2).any(|part| part == b"\r\n"));
        some("64 KiB", &|body| body.len() == 65_536);
    }
}
