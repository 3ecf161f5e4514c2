//! The fields of one record: what their sources find, as the contract has it. Every error names the field of the event, the place in the item, what was expected and
//! what was found; never the value, which may be personal.

use crate::instant;
use tidegate_json_mapping::{ExpressionError, Filling, Fillings, Found, Json, Mapping, Scope, Source};
use tidegate_plugin_sdk::{Error, Money, decimal, json::Object};

/// Reads the fields of a record.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'r, 'a> {
    pub(crate) mapping: &'a Mapping,
    pub(crate) scope: Scope<'a>,
    pub(crate) fillings: &'a Fillings,
    /// The record in the settings: `events.0.order`.
    pub(crate) path: &'r str,
    /// Where pointers begin in the item: nothing, or an element of a list.
    pub(crate) base: &'r str,
}

impl<'a> Reading<'_, 'a> {
    /// The source of a field that has one.
    fn source(&self, name: &str) -> Option<&'a Source> {
        match self.fillings.get(name)? {
            Filling::One(source) => Some(source),
            _ => None,
        }
    }

    /// What a source finds; a blank text is nothing.
    pub(crate) fn find(&self, name: &str, source: &'a Source) -> Result<Option<Found<'a>>, Error> {
        let found = source.find(&self.scope).map_err(|error| self.no_value(name, source, &error))?;
        Ok(found.filter(|found| !matches!(&**found, Json::Text(text) if text.trim().is_empty())))
    }

    fn no_value(&self, name: &str, source: &Source, error: &ExpressionError) -> Error {
        let expression = source.expression().map(|text| format!("the expression {text:?}: ")).unwrap_or_default();
        Error::new(format!("{}.{name}: {expression}{error}", self.path))
    }

    /// A field that is not as expected.
    pub(crate) fn wrong(&self, name: &str, source: Option<&Source>, expected: &str, found: Option<&Json<'_>>) -> Error {
        let found = found.map_or("nothing", Json::name);
        let reason = format!("{}.{name}: expected {expected}, found {found}", self.path);
        match source.and_then(Source::pointer) {
            Some(pointer) => Error::field([self.base, pointer].concat(), reason),
            None => Error::new(reason),
        }
    }

    /// A text that may be absent.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Error> {
        self.source(name).map_or(Ok(None), |source| self.text_of(name, source))
    }

    /// A text that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<String, Error> {
        self.text(name)?.ok_or_else(|| self.wrong(name, self.source(name), "a text or a number", None))
    }

    pub(crate) fn text_of(&self, name: &str, source: &'a Source) -> Result<Option<String>, Error> {
        let Some(found) = self.find(name, source)? else { return Ok(None) };
        let text = scalar(&found).ok_or_else(|| self.wrong(name, Some(source), "a text or a number", Some(&found)))?;
        Ok(Some(text))
    }

    /// One of these words.
    pub(crate) fn word(&self, name: &str, words: &[&str]) -> Result<Option<String>, Error> {
        let Some(source) = self.source(name) else { return Ok(None) };
        let Some(found) = self.find(name, source)? else { return Ok(None) };
        let text = scalar(&found).filter(|text| words.contains(&text.as_str()));
        let expected = || format!("one of {}", words.join(", "));
        text.map(Some).ok_or_else(|| self.wrong(name, Some(source), &expected(), Some(&found)))
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool, Error> {
        let Some(source) = self.source(name) else { return Ok(false) };
        let Some(found) = self.find(name, source)? else { return Ok(false) };
        truth(&found).ok_or_else(|| self.wrong(name, Some(source), "true or false", Some(&found)))
    }

    pub(crate) fn instant(&self, name: &str) -> Result<Option<String>, Error> {
        self.source(name).map_or(Ok(None), |source| self.instant_of(name, source))
    }

    pub(crate) fn instant_of(&self, name: &str, source: &'a Source) -> Result<Option<String>, Error> {
        let Some(found) = self.find(name, source)? else { return Ok(None) };
        let read = instant::read(&found, self.mapping.time_zone.as_deref());
        read.map(Some).map_err(|expected| self.wrong(name, Some(source), expected, Some(&found)))
    }

    pub(crate) fn decimal(&self, name: &str) -> Result<Option<String>, Error> {
        self.source(name).map_or(Ok(None), |source| self.decimal_of(name, source))
    }

    fn decimal_of(&self, name: &str, source: &'a Source) -> Result<Option<String>, Error> {
        let Some(found) = self.find(name, source)? else { return Ok(None) };
        let digits = match &*found {
            Json::Number(text) | Json::Text(text) => decimal::canonical(text),
            _ => None,
        };
        let digits = digits.map(|digits| Some(digits.into_owned()));
        digits.ok_or_else(|| self.wrong(name, Some(source), "a decimal such as 10.00", Some(&found)))
    }

    /// A currency, in upper case.
    pub(crate) fn currency(&self) -> Result<Option<String>, Error> {
        self.source("currency").map_or(Ok(None), |source| self.currency_of("currency", source))
    }

    fn currency_of(&self, name: &str, source: &'a Source) -> Result<Option<String>, Error> {
        let Some(found) = self.find(name, source)? else { return Ok(None) };
        let code = scalar(&found).filter(|code| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_alphabetic()));
        let code = code.map(|code| Some(code.to_ascii_uppercase()));
        code.ok_or_else(|| self.wrong(name, Some(source), "a currency of three letters", Some(&found)))
    }

    /// An amount, in its own currency or in the record's.
    pub(crate) fn money(&self, name: &str, records: Option<&str>) -> Result<Option<Money>, Error> {
        let Some(Filling::Money { amount, currency }) = self.fillings.get(name) else { return Ok(None) };
        let Some(found) = self.decimal_of(name, amount)? else { return Ok(None) };
        let own = currency.as_ref().map_or(Ok(None), |source| self.currency_of(name, source))?;
        let Some(currency) = own.or_else(|| records.map(str::to_owned)) else {
            let expected = format!("a currency of three letters, for {name}");
            return Err(self.wrong("currency", self.source("currency"), &expected, None));
        };
        Ok(Some(Money { amount: found, currency }))
    }

    /// Several texts. A list that is found is several.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, Error> {
        let Some(Filling::Texts(sources)) = self.fillings.get(name) else { return Ok(Vec::new()) };
        let mut texts = Vec::new();
        for source in sources {
            let Some(found) = self.find(name, source)? else { continue };
            let items = if let Json::List(items) = &*found { items.as_slice() } else { std::slice::from_ref(&*found) };
            for item in items.iter().filter(|item| **item != Json::Null) {
                let text =
                    scalar(item).ok_or_else(|| self.wrong(name, Some(source), "texts or numbers", Some(item)))?;
                texts.extend(Some(text).filter(|text| !text.is_empty()));
            }
        }
        Ok(texts)
    }

    /// Values by name, as a JSON object. What is not there is left out.
    pub(crate) fn named(&self, named: &'a [(String, Source)]) -> Result<Object, Error> {
        named.iter().try_fold(Object::new(), |object, (name, source)| {
            let found = self.find(name, source)?;
            Ok(object.raw(name, found.map(|found| found.write()).as_deref()))
        })
    }
}

/// A text, a number or a truth as text, without blanks around it.
pub(crate) fn scalar(json: &Json<'_>) -> Option<String> {
    match json {
        Json::Text(text) => Some(text.trim().to_owned()),
        Json::Number(digits) => Some(digits.to_string()),
        Json::Bool(holds) => Some(holds.to_string()),
        Json::Null | Json::List(_) | Json::Object(_) => None,
    }
}

/// Truth, as tools write it.
pub(crate) fn truth(json: &Json<'_>) -> Option<bool> {
    match json {
        Json::Bool(holds) => Some(*holds),
        Json::Number(digits) | Json::Text(digits) => match digits.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(true),
            "false" | "no" | "off" | "0" => Some(false),
            _ => None,
        },
        Json::Null | Json::List(_) | Json::Object(_) => None,
    }
}
