//! Pulling from a registry that behaves, and from some that do not.

use super::*;
use crate::config::SecretText;
use tidegate_double::{Manner, Registry};

const PLUGIN: &[u8] = b"\0asm and more that a registry does not look into";

fn login(host: &str, password: &str) -> RegistryLogin {
    RegistryLogin { host: host.to_owned(), username: "acme".to_owned(), password: SecretText::new(password) }
}

async fn pulled(reference: &str, logins: &[RegistryLogin]) -> Result<Pulled, String> {
    let reference = OciReference::parse(reference).unwrap();
    pull(&reference, logins).await.map_err(|fault| fault.to_string())
}

#[tokio::test]
async fn a_plugin_is_pulled_by_tag_and_by_digest_with_and_without_a_login() {
    let registry = Registry::start().await.unwrap();
    let manifest = registry.push("acme/shop", "0.2.0", PLUGIN);
    let by_tag = format!("oci://{}/acme/shop:0.2.0", registry.host());
    let by_digest = format!("oci://{}/acme/shop@{manifest}", registry.host());
    let known = [login(registry.host(), "right")];
    let acme = || ("acme".to_owned(), "right".to_owned());
    let (user, password) = acme();
    let manners = [
        (Manner::Open, &[][..]),
        (Manner::Token, &[][..]),
        (Manner::Login(user, password), &known[..]),
        (Manner::Basic(acme().0, acme().1), &known[..]),
    ];
    for (manner, logins) in manners {
        registry.behave(manner.clone());
        for reference in [&by_tag, &by_digest] {
            let found = pulled(reference, logins).await.unwrap_or_else(|problem| panic!("{manner:?}: {problem}"));
            assert_eq!(
                (found.component.as_slice(), format!("sha256:{}", found.manifest_digest)),
                (PLUGIN, manifest.clone())
            );
        }
    }
    let asked = registry.asked();
    assert!(
        asked.iter().any(|path| path == "/token?service=registry&scope=repository%3Aacme%2Fshop%3Apull"),
        "{asked:?}"
    );
}

#[tokio::test]
async fn what_is_wrong_is_said_and_nothing_comes_of_it() {
    let registry = Registry::start().await.unwrap();
    registry.push("shop", "1", PLUGIN);
    registry.push_as("shop", "image", PLUGIN, "application/vnd.oci.image.layer.v1.tar+gzip");
    registry.behave(Manner::TooLarge);
    registry.push("shop", "large", PLUGIN);
    let host = registry.host();
    let wrong = [login(host, "wrong")];
    let acme = || Manner::Login("acme".to_owned(), "right".to_owned());
    let cases = [
        (Manner::Open, "shop:2", &[][..], "has no http://"),
        (Manner::Open, "shop:image", &[], "no layer of the type application/wasm"),
        (Manner::Open, "shop:large", &[], "are taken at most"),
        (Manner::OtherBytes, "shop:1", &[], "gave other bytes than sha256:"),
        (Manner::Truncated, "shop:1", &[], "broke off"),
        (Manner::Endless, "shop:1", &[], "are taken at most"),
        (Manner::Elsewhere, "shop:1", &[], "a redirect was refused"),
        (Manner::Status(500), "shop:1", &[], "answers 500"),
        (Manner::Status(403), "shop:1", &[], "plugin_sources.registries"),
        (acme(), "shop:1", &[], "plugin_sources.registries"),
        (acme(), "shop:1", &wrong, "plugin_sources.registries"),
        (Manner::Basic("acme".to_owned(), "right".to_owned()), "shop:1", &wrong, "plugin_sources.registries"),
    ];
    for (manner, name, logins, words) in cases {
        registry.behave(manner.clone());
        let problem = pulled(&format!("oci://{host}/{name}"), logins).await.unwrap_err();
        assert!(problem.contains(words), "{manner:?} {name}: {problem}");
        assert!(!problem.contains("token=") && !problem.contains("wrong"), "{problem}");
    }
    registry.behave(Manner::Open);
    let other = format!("oci://{host}/shop@sha256:{}", "0a".repeat(32));
    assert!(pulled(&other, &[]).await.unwrap_err().contains("has no http://"));
    let gone = Registry::start().await.unwrap().host().to_owned();
    assert!(pulled(&format!("oci://{gone}/shop:1"), &[]).await.unwrap_err().contains("does not answer: no connection"));
}
