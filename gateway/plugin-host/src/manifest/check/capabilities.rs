//! Capabilities and credentials of a manifest, checked.

use super::{Mistake, at};
use crate::{
    fetch::{is_auth_header, is_template},
    manifest::{Auth, AuthKind, BatchRule, Capabilities, Manifest, Rate, oauth},
};

pub(super) fn mistake(manifest: &Manifest) -> Option<Mistake> {
    hosts(&manifest.capabilities)
        .or_else(|| posts(&manifest.capabilities))
        .or_else(|| batches(&manifest.capabilities))
        .or_else(|| figures(&manifest.capabilities))
        .or_else(|| manifest.auth.iter().enumerate().find_map(|(index, auth)| credentials(manifest, index, auth)))
}

fn hosts(asked: &Capabilities) -> Option<Mistake> {
    let (index, host) = asked.fetch.iter().enumerate().find(|(_, host)| !is_template(host))?;
    at(
        format!("capabilities.fetch.{index}"),
        format!(
            "expected a host such as api.example.com, *.example.com, {{account}} or {{settings.store}}, found {host:?}"
        ),
    )
}

fn posts(asked: &Capabilities) -> Option<Mistake> {
    for (index, rule) in asked.post.iter().enumerate() {
        if !is_template(&rule.host) {
            return at(
                format!("capabilities.post.{index}.host"),
                format!("expected a host as in `fetch`, found {:?}", rule.host),
            );
        }
        if let Some(reason) = no_path(&rule.path) {
            return at(format!("capabilities.post.{index}.path"), reason);
        }
    }
    None
}

fn no_path(path: &str) -> Option<String> {
    let is_path = path.starts_with('/') && !path.contains(['?', '#', '%', '\\']);
    (!is_path).then(|| format!("expected a path that begins with `/`, without a query, found {path:?}"))
}

fn batches(asked: &Capabilities) -> Option<Mistake> {
    asked.batch.iter().enumerate().find_map(|(index, rule)| {
        let key = |name: &str| format!("capabilities.batch.{index}.{name}");
        if let Some(reason) = no_path(&rule.get) {
            return at(key("get"), reason);
        }
        if rule.get.split('/').filter(|part| *part == BatchRule::ID).count() != 1 {
            return at(key("get"), format!("expected a path with one part {{id}}, found {:?}", rule.get));
        }
        if let Some(reason) = no_path(&rule.post) {
            return at(key("post"), reason);
        }
        let (range, most) = (BatchRule::MOST, rule.most);
        if !range.contains(&most) {
            return at(key("most"), format!("expected {} to {}, found {most}", range.start(), range.end()));
        }
        let names =
            [("ids", Some(&rule.ids)), ("id_member", rule.id_member.as_ref()), ("answers", Some(&rule.answers))];
        let names = names.into_iter().chain([("answer_id", Some(&rule.answer_id))]);
        let (name, _) = names.into_iter().find(|(_, value)| value.is_some_and(String::is_empty))?;
        at(key(name), "expected the name of a member")
    })
}

fn figures(asked: &Capabilities) -> Option<Mistake> {
    let Rate { requests, per_s, in_flight } = asked.rate;
    for (key, value, range) in [
        ("requests", requests, Rate::REQUESTS),
        ("per_s", per_s, Rate::PER_S),
        ("in_flight", in_flight, Rate::IN_FLIGHT),
    ] {
        if !range.contains(&value) {
            let reason = format!("expected {} to {}, found {value}", range.start(), range.end());
            return at(format!("capabilities.rate.{key}"), reason);
        }
    }
    let (range, found) = (Capabilities::ANSWER_BYTES, asked.answer_bytes);
    if range.contains(&found) {
        return None;
    }
    at("capabilities.answer_bytes", format!("expected {} to {}, found {found}", range.start(), range.end()))
}

fn credentials(manifest: &Manifest, index: usize, auth: &Auth) -> Option<Mistake> {
    let key = |name: &str| format!("auth.{index}.{name}");
    if !manifest.capabilities.fetch.contains(&auth.host) {
        let reason = format!(
            "{:?} is not in `fetch` under [capabilities]: credentials are added to what is read only",
            auth.host
        );
        return at(key("host"), reason);
    }
    let needs_name = matches!(auth.kind, AuthKind::Header | AuthKind::Query);
    let takes_name = needs_name || auth.kind == AuthKind::Oauth;
    match &auth.name {
        Some(name) if takes_name && !is_auth_header(auth.kind, name) => {
            return at(
                key("name"),
                format!("expected the name of a header or parameter (letters, digits, - and _), found {name:?}"),
            );
        }
        None if needs_name => return at(key("name"), "this kind needs the name of the header or parameter"),
        Some(_) if !takes_name => return at(key("name"), "this kind has no name: it is sent as `Authorization`"),
        Some(_) | None => {}
    }
    match (auth.kind, &auth.user) {
        (AuthKind::Basic, None) => {
            return at(key("user"), "`basic` needs a user beside the secret: the name of another credential");
        }
        (AuthKind::Oauth, None) => {
            return at(
                key("user"),
                "`oauth` needs a user beside the secret: the name of the credential that is the app's client id",
            );
        }
        (AuthKind::Basic | AuthKind::Oauth, Some(_)) | (_, None) => {}
        (_, Some(_)) => return at(key("user"), "only `basic` and `oauth` have a user"),
    }
    if let Some(mistake) = oauth::mistake(manifest, index, auth) {
        return Some(mistake);
    }
    let bad = |name: &&String| !is_credential(name);
    let bad = std::iter::once(&auth.secret).chain(&auth.user).find(bad)?;
    at(key("secret"), format!("expected a name of a-z, 0-9 and _, found {bad:?}"))
}

/// Names stand in `tidegate.toml`.
fn is_credential(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=64).contains(&name.len()) && name.bytes().all(plain)
}
