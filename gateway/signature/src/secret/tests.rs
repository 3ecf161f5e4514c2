//! What a secret is read from, what is refused, and that nothing shows it.

use tidegate_model::scheme::KeyForm;

use super::{MAX_SECRETS, Secret, SecretError, Secrets};

fn whsec() -> KeyForm {
    KeyForm::Base64 { prefix: "whsec_".to_owned() }
}

fn check(text: &str, form: &KeyForm, expected: &Result<&[u8], SecretError>) {
    let read = Secret::new(text, form);
    assert_eq!(read.as_ref().map(Secret::key), expected.as_ref().map(|key| *key), "{text:?}");
}

#[test]
fn a_secret_is_its_text_or_its_decoded_base64() {
    check("hush", &KeyForm::Text, &Ok(b"hush"));
    check(" hush\n", &KeyForm::Text, &Ok(b" hush\n"));
    check("whsec_AAEC", &KeyForm::Text, &Ok(b"whsec_AAEC"));
    check("whsec_AAEC", &whsec(), &Ok(&[0, 1, 2]));
    check("AAEC", &whsec(), &Ok(&[0, 1, 2]));
    check("whsec_AAE=", &whsec(), &Ok(&[0, 1]));
    check("whsec_AAE", &whsec(), &Ok(&[0, 1]));
    check(" a&amp;b ", &KeyForm::HtmlDecoded, &Ok(b" a&b "));
}

#[test]
fn blank_and_undecodable_secrets_are_refused() {
    let not_base64 = || Err(SecretError::NotBase64 { prefix: "whsec_".to_owned() });
    check("", &KeyForm::Text, &Err(SecretError::Empty));
    check(" \t\n", &KeyForm::Text, &Err(SecretError::Empty));
    check("", &whsec(), &Err(SecretError::Empty));
    check("whsec_", &whsec(), &Err(SecretError::Empty));
    check("whsec_A", &whsec(), &not_base64());
    check("whsec_AAE\n", &whsec(), &not_base64());
    check("whsec_A-_A", &whsec(), &not_base64());
    check("whsec_whsec_AAEC", &whsec(), &not_base64());
}

#[test]
fn an_endpoint_has_one_to_eight_secrets() {
    let secrets = |count| vec![Secret::new("hush", &KeyForm::Text).unwrap(); count];
    assert_eq!(Secrets::new(secrets(0)).unwrap_err(), SecretError::None);
    assert!(Secrets::new(secrets(1)).is_ok());
    assert!(Secrets::new(secrets(MAX_SECRETS)).is_ok());
    assert_eq!(Secrets::new(secrets(9)).unwrap_err(), SecretError::TooMany { count: 9 });
}

#[test]
fn neither_debug_nor_an_error_shows_any_of_a_secret() {
    let secret = Secret::new("hush-hush", &KeyForm::Text).unwrap();
    assert_eq!(format!("{secret:?}"), "Secret(hidden)");
    let secrets = format!("{:?}", Secrets::from(secret));
    assert_eq!(secrets, "Secrets { list: [Secret(hidden)] }");

    let error = Secret::new("whsec_!!hush", &whsec()).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hush"));
    assert_eq!(
        error.to_string(),
        "the signing secret is not base64: copy it whole (with or without `whsec_` before it), as the provider shows it"
    );
}
