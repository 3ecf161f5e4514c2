//! Decides whether a delivery comes from who it should: by its signature, or by a secret that is sent along.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use tidegate_model::scheme::{Proof, TokenForm, TokenRule};

use crate::refusal::Expected;
use crate::{Refusal, Secrets, Target, Verified, headers, verify_request};

/// Checks a delivery as its endpoint wants it. `secrets` are the live ones; there are none where nothing is to be proved.
///
/// # Errors
/// As [`verify_request`]; and anything without secrets that is to be proved is refused.
pub fn prove<N, V>(
    proof: &Proof,
    secrets: Option<&Secrets>,
    target: Target<'_>,
    headers: &[(N, V)],
    body: &[u8],
    received_at_ms: i64,
) -> Result<Verified, Refusal>
where
    N: AsRef<str>,
    V: AsRef<[u8]>,
{
    match (proof, secrets) {
        (Proof::Nothing, _) => Ok(Verified { secret_index: 0, stale: false }),
        (Proof::Signature(scheme), Some(secrets)) => {
            verify_request(scheme, secrets, target, headers, body, received_at_ms)
        }
        (Proof::Token(rule), Some(secrets)) => token(rule, secrets, headers),
        (Proof::Signature(scheme), None) => Err(Refusal::Mismatch { header: scheme.header.clone() }),
        (Proof::Token(rule), None) => Err(Refusal::Token { header: rule.header.clone() }),
    }
}

/// Compares hashes, all of them: neither the secrets' lengths nor how much of one was right can be told from the time it takes.
fn token<N, V>(rule: &TokenRule, secrets: &Secrets, headers: &[(N, V)]) -> Result<Verified, Refusal>
where
    N: AsRef<str>,
    V: AsRef<[u8]>,
{
    let sent = read(rule, headers::only(headers, &rule.header)?)
        .ok_or_else(|| Refusal::Malformed { header: rule.header.clone(), expected: Expected::Token })?;
    let sent = Sha256::digest(sent);
    let (mut found, mut index) = (Choice::from(0), 0_u32);
    for (candidate, secret) in (0_u32..).zip(secrets.iter()) {
        let matches = Sha256::digest(secret.key()).as_slice().ct_eq(sent.as_slice());
        index.conditional_assign(&candidate, matches & !found);
        found |= matches;
    }
    if bool::from(found) {
        Ok(Verified { secret_index: index, stale: false })
    } else {
        Err(Refusal::Token { header: rule.header.clone() })
    }
}

/// The secret in a header's value. The prefix is a word like `Bearer`, whose case HTTP leaves open.
fn read(rule: &TokenRule, value: &[u8]) -> Option<Vec<u8>> {
    let (prefix, rest) = value.split_at_checked(rule.prefix.len())?;
    if !prefix.eq_ignore_ascii_case(rule.prefix.as_bytes()) || rest.is_empty() {
        return None;
    }
    match rule.form {
        TokenForm::Plain => Some(rest.to_vec()),
        TokenForm::Base64 => STANDARD.decode(rest).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;
    use tidegate_model::scheme::KeyForm;

    fn secrets(list: &[&str]) -> Secrets {
        Secrets::new(list.iter().map(|text| Secret::new(text, &KeyForm::Text).unwrap()).collect()).unwrap()
    }

    fn check(rule: TokenRule, headers: &[(&str, &str)], expected: Result<u32, &str>) {
        let secrets = secrets(&["new-one", "name:pass word"]);
        let found = prove(&Proof::Token(rule), Some(&secrets), Target::default(), headers, b"{}", 0);
        match (found, expected) {
            (Ok(found), Ok(index)) => assert_eq!(found.secret_index, index),
            (Err(refusal), Err(word)) => assert!(refusal.to_string().contains(word), "{refusal}"),
            (found, expected) => panic!("{found:?} is not {expected:?}"),
        }
    }

    #[test]
    fn a_token_is_one_of_the_live_secrets_behind_its_prefix() {
        let rule = |prefix: &str| TokenRule {
            header: "X-Token".to_owned(),
            prefix: prefix.to_owned(),
            form: TokenForm::Plain,
        };
        check(rule(""), &[("x-token", "new-one")], Ok(0));
        check(rule("Bearer "), &[("x-token", "bearer name:pass word")], Ok(1));
        check(rule("Bearer "), &[("x-token", "new-one")], Err("secret in the form"));
        check(rule(""), &[("x-token", "new-on")], Err("none of this endpoint's"));
        check(rule(""), &[("x-token", "")], Err("secret in the form"));
        check(rule(""), &[], Err("missing"));
        check(rule(""), &[("x-token", "new-one"), ("X-Token", "new-one")], Err("more than once"));
    }

    #[test]
    fn a_name_and_password_are_read_as_http_writes_them() {
        check(TokenRule::basic(), &[("authorization", "Basic bmFtZTpwYXNzIHdvcmQ=")], Ok(1));
        check(TokenRule::basic(), &[("authorization", "Basic bmFtZTpwYXNz")], Err("none of this endpoint's"));
        check(TokenRule::basic(), &[("authorization", "Basic name:pass word")], Err("secret in the form"));
    }

    #[test]
    fn nothing_to_prove_takes_everything_and_something_to_prove_needs_a_secret() {
        let none: &[(&str, &str)] = &[];
        assert!(prove(&Proof::Nothing, None, Target::default(), none, b"", 0).is_ok());
        assert!(prove(&Proof::Token(TokenRule::basic()), None, Target::default(), none, b"", 0).is_err());
        let meta = Proof::Signature(crate::scheme("meta").unwrap());
        assert!(prove(&meta, None, Target::default(), none, b"", 0).is_err());
    }
}
