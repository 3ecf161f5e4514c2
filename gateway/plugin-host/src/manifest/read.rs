//! From TOML text to the manifest's fields, and from serde's errors to ours.

use super::{Manifest, ManifestError, Selector, Signature, locate, nearest::nearest};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use tidegate_model::scheme::{SignatureScheme, TokenRule};

/// Reads the fields; what they say is checked elsewhere.
pub(super) fn read(file: &str, text: &str) -> Result<Manifest, ManifestError> {
    toml::from_str(text).map_err(|error| explain(file, text, &error))
}

fn explain(file: &str, text: &str, error: &toml::de::Error) -> ManifestError {
    let message = error.message().lines().next().unwrap_or_default();
    let mut found = ManifestError {
        file: file.to_owned(),
        line: error.span().map(|span| locate::line_at(text, span.start)),
        key: String::new(),
        reason: message.to_owned(),
        nearest: None,
    };
    // A selector's key is an enum's variant to serde, and so is a word that is not in its list.
    let unknown = quoted_after(message, "unknown field ").or_else(|| quoted_after(message, "unknown variant "));
    let place = place(text, error, unknown);
    let is_key = place.as_ref().is_some_and(|place| Some(place.name.as_str()) == unknown);
    if let Some(place) = place {
        found.line = Some(locate::line_at(text, place.key.start));
        found.key = place.path;
    }
    if let Some(unknown) = unknown {
        let known = known_words(message);
        let what = if is_key { "key" } else { "value" };
        found.reason = format!("unknown {what} `{unknown}`, expected one of {}", known.join(", "));
        found.nearest = nearest(unknown, known.iter().copied()).map(str::to_owned);
    } else if let Some(missing) = quoted_after(message, "missing field ") {
        found.key = if found.key.is_empty() { missing.to_owned() } else { format!("{}.{missing}", found.key) };
        // The span of a missing key is the table that lacks it; for the top level that is the whole file.
        found.line = found.line.filter(|_| found.key.contains('.'));
        "this key is required".clone_into(&mut found.reason);
    }
    found
}

/// The key that the error is about: the unknown one inside the error's span, else the innermost one around the span.
fn place(text: &str, error: &toml::de::Error, unknown: Option<&str>) -> Option<locate::Place> {
    let span = error.span()?;
    let places = locate::places(text);
    let named = || places.iter().filter(|place| Some(place.name.as_str()) == unknown);
    if let Some(place) = named().find(|place| span.contains(&place.key.start)).or_else(|| named().next()) {
        return Some(place.clone());
    }
    let around = places.into_iter().filter(|place| place.value.start <= span.start && span.end <= place.value.end);
    around.max_by_key(|place| place.path.len())
}

/// The text in backticks after the given words.
fn quoted_after<'a>(message: &'a str, words: &str) -> Option<&'a str> {
    message.split_once(words)?.1.strip_prefix('`')?.split('`').next()
}

/// The words in backticks that serde says it expected.
fn known_words(message: &str) -> Vec<&str> {
    let expected = message.split_once("expected").map_or("", |(_, rest)| rest);
    expected.split('`').skip(1).step_by(2).collect()
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut table = toml::Table::deserialize(deserializer)?;
        match table.get("scheme") {
            Some(toml::Value::String(scheme)) if scheme == "token" => {
                table.remove("scheme");
                let rule = TokenRule::deserialize(table).map_err(|error| de::Error::custom(error.message()))?;
                Ok(Self::Token(rule))
            }
            Some(toml::Value::String(scheme)) if scheme == "basic" && table.len() == 1 => {
                Ok(Self::Token(TokenRule::basic()))
            }
            Some(toml::Value::String(scheme)) if table.len() == 1 => Ok(Self::Named { scheme: scheme.clone() }),
            Some(toml::Value::String(_)) => Err(de::Error::custom(
                "give either `scheme` with a name, or all parts of a scheme; the keys beside `scheme` would be ignored",
            )),
            Some(_) => Err(de::Error::custom("`scheme` must be the name of a scheme, in quotes")),
            None => SignatureScheme::deserialize(table)
                .map(Self::Scheme)
                .map_err(|error| de::Error::custom(error.message())),
        }
    }
}

/// Writes a token's rule as it is read: with its scheme.
pub(super) fn token<S: Serializer>(rule: &TokenRule, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Written<'r> {
        scheme: &'static str,
        #[serde(flatten)]
        rule: Option<&'r TokenRule>,
    }
    let is_basic = *rule == TokenRule::basic();
    let scheme = if is_basic { "basic" } else { "token" };
    Written { scheme, rule: (!is_basic).then_some(rule) }.serialize(serializer)
}

/// One selector, or a list of them.
pub(super) fn one_or_several<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Selector>, D::Error> {
    struct Selectors;

    impl<'de> de::Visitor<'de> for Selectors {
        type Value = Vec<Selector>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a selector, or a list of selectors")
        }

        fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            Ok(vec![Selector::deserialize(de::value::MapAccessDeserializer::new(map))?])
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
            Vec::deserialize(de::value::SeqAccessDeserializer::new(list))
        }
    }

    deserializer.deserialize_any(Selectors)
}

/// A JSON Schema, written as JSON text or as a TOML table.
pub(super) mod schema {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
    use serde_json::Value;

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
        let value = match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => serde_json::from_str(&text)
                .map_err(|error| de::Error::custom(format_args!("expected a JSON Schema as JSON text: {error}")))?,
            table @ toml::Value::Table(_) => serde_json::to_value(table).map_err(de::Error::custom)?,
            other => {
                return Err(de::Error::custom(format_args!(
                    "expected a JSON Schema as a table or as JSON text, found {other}"
                )));
            }
        };
        Ok(Some(value))
    }

    pub(in super::super) fn serialize<S: Serializer>(schema: &Option<Value>, serializer: S) -> Result<S::Ok, S::Error> {
        schema.serialize(serializer)
    }
}
