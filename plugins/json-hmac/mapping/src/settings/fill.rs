//! How the fields of a record are filled.

use super::{Reader, join};
use crate::{
    Pointer, Source,
    fields::{ADDRESS, LINE, Record, Shape},
};
use serde_json::Value;

/// How one field is filled.
#[derive(Debug, Clone, PartialEq)]
pub enum Filling {
    /// By one value.
    One(Source),
    /// An amount with a currency of its own.
    Money {
        /// The amount.
        amount: Source,
        /// Its currency; the record's when absent.
        currency: Option<Source>,
    },
    /// Several texts; a list that is found is several.
    Texts(Vec<Source>),
    /// A record: an address.
    Record(Fillings),
    /// Lines, one for each element of a list.
    Lines {
        /// The list.
        each: Pointer,
        /// The line, from the element.
        fields: Fillings,
    },
    /// Questions and answers.
    Answers(Answers),
    /// Values by names of one's own.
    Named(Vec<(String, Source)>),
    /// What the provider says about consent.
    Consents(Vec<Consent>),
}

/// Where answers are.
#[derive(Debug, Clone, PartialEq)]
pub enum Answers {
    /// The members of an object.
    Members(Source),
    /// The elements of a list.
    Each {
        /// The list.
        each: Pointer,
        /// The question's name in an element.
        name: Source,
        /// The answer in an element.
        value: Source,
    },
    /// By names of one's own.
    Named(Vec<(String, Source)>),
}

/// A statement about consent.
#[derive(Debug, Clone, PartialEq)]
pub struct Consent {
    /// `whatsapp`, `sms`, `email`
    pub channel: String,
    /// `transactional`, `marketing`
    pub scope: String,
    /// `granted`, `denied`, `pending`, `unknown`; or true and false.
    pub state: Source,
    /// When it was given or withdrawn.
    pub at: Option<Source>,
    /// How, in the provider's words.
    pub method: Option<Source>,
}

/// The filled fields of a record, by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fillings(Vec<(&'static str, Filling)>);

impl Fillings {
    /// How a field is filled.
    pub fn get(&self, name: &str) -> Option<&Filling> {
        self.0.iter().find(|(held, _)| *held == name).map(|(_, filling)| filling)
    }
}

impl Reader {
    /// The fields of a record.
    pub(crate) fn record(&mut self, key: &str, record: &Record, value: &Value) -> Option<Fillings> {
        self.record_beside(key, record, value, &[])
    }

    /// The fields of a record beside other keys, which somebody else reads.
    fn record_beside(&mut self, key: &str, record: &Record, value: &Value, others: &[&str]) -> Option<Fillings> {
        let known: Vec<&str> = others.iter().copied().chain(record.fields.iter().map(|field| field.name)).collect();
        let table = self.table(key, value, &known)?;
        let mut filled = Vec::new();
        for field in record.fields {
            match table.get(field.name) {
                Some(value) => {
                    let filling = self.filling(&join(key, field.name), field.shape, value);
                    filled.extend(filling.map(|filling| (field.name, filling)));
                }
                None if field.required => {
                    self.wrong::<()>(
                        &join(key, field.name),
                        "this key is required: say where the value is, as in \"/id\"",
                    );
                }
                None => {}
            }
        }
        Some(Fillings(filled))
    }

    fn filling(&mut self, key: &str, shape: Shape, value: &Value) -> Option<Filling> {
        match shape {
            Shape::Text
            | Shape::Country
            | Shape::Currency
            | Shape::Instant
            | Shape::Decimal
            | Shape::Bool
            | Shape::Word(_) => self.source(key, shape, value).map(Filling::One),
            Shape::Money => self.money(key, value),
            Shape::Texts => self.texts(key, value).map(Filling::Texts),
            Shape::Address => self.record(key, &ADDRESS, value).map(Filling::Record),
            Shape::Lines => self.lines(key, value),
            Shape::Answers => self.answers(key, value).map(Filling::Answers),
            Shape::Named => self.named(key, value).map(Filling::Named),
            Shape::Consents => self.consents(key, value).map(Filling::Consents),
        }
    }

    fn money(&mut self, key: &str, value: &Value) -> Option<Filling> {
        if value.get("amount").is_none() {
            return self.source(key, Shape::Money, value).map(|amount| Filling::Money { amount, currency: None });
        }
        let table = self.table(key, value, &["amount", "currency"])?;
        let amount = self.source(&join(key, "amount"), Shape::Money, table.get("amount")?);
        let currency =
            table.get("currency").and_then(|value| self.source(&join(key, "currency"), Shape::Currency, value));
        Some(Filling::Money { amount: amount?, currency })
    }

    fn texts(&mut self, key: &str, value: &Value) -> Option<Vec<Source>> {
        let Value::Array(items) = value else {
            return self.source(key, Shape::Texts, value).map(|source| vec![source]);
        };
        let places = items.iter().enumerate();
        Some(places.filter_map(|(place, item)| self.source(&join(key, place), Shape::Texts, item)).collect())
    }

    fn lines(&mut self, key: &str, value: &Value) -> Option<Filling> {
        let Some(each) = value.get("each") else {
            let problem = "expected a table such as { each = \"/lines\", title = \"/name\", quantity = \"/qty\" }, its pointers beginning at a line";
            return self.wrong(key, problem);
        };
        let each = self.pointer(&join(key, "each"), each);
        let fields = self.record_beside(key, &LINE, value, &["each"]);
        Some(Filling::Lines { each: each?, fields: fields? })
    }

    fn answers(&mut self, key: &str, value: &Value) -> Option<Answers> {
        if let Some(named) = value.get("fields") {
            self.table(key, value, &["fields"])?;
            return self.named(&join(key, "fields"), named).map(Answers::Named);
        }
        let Some(each) = value.get("each") else {
            return self.source(key, Shape::Answers, value).map(Answers::Members);
        };
        let table = self.table(key, value, &["each", "name", "value"])?;
        let each = self.pointer(&join(key, "each"), each);
        let [name, value] = ["name", "value"].map(|field| match table.get(field) {
            Some(value) => self.source(&join(key, field), Shape::Text, value),
            None => self.wrong(&join(key, field), "this key is required beside `each`: a pointer from an element"),
        });
        Some(Answers::Each { each: each?, name: name?, value: value? })
    }

    /// Values by names of one's own.
    pub(crate) fn named(&mut self, key: &str, value: &Value) -> Option<Vec<(String, Source)>> {
        let Some(table) = value.as_object() else {
            return self.wrong(key, "expected a table of names and where their values are, as in { city = \"/city\" }");
        };
        let mut named = Vec::new();
        for (name, value) in table {
            let key = join(key, name);
            if name.trim().is_empty() {
                self.wrong::<()>(&key, "expected a name, found an empty text");
            }
            named.extend(self.source(&key, Shape::Answers, value).map(|source| (name.clone(), source)));
        }
        Some(named)
    }

    fn consents(&mut self, key: &str, value: &Value) -> Option<Vec<Consent>> {
        let items = self.list(key, value)?.iter().enumerate();
        Some(items.filter_map(|(place, item)| self.consent(&join(key, place), item)).collect())
    }

    fn consent(&mut self, key: &str, value: &Value) -> Option<Consent> {
        let table = self.table(key, value, &["channel", "scope", "state", "at", "method"])?;
        let word = |reader: &mut Self, name: &str, words: &[&str]| match table.get(name).and_then(Value::as_str) {
            Some(text) if words.contains(&text) => Some(text.to_owned()),
            _ => reader.wrong(&join(key, name), format!("expected one of {}", words.join(", "))),
        };
        let channel = word(self, "channel", &["whatsapp", "sms", "email"]);
        let scope = word(self, "scope", &["transactional", "marketing"]);
        let state = match table.get("state") {
            Some(value) => self.source(&join(key, "state"), Shape::Text, value),
            None => {
                self.wrong(&join(key, "state"), "this key is required: where the webhook says whether consent is given")
            }
        };
        let at = table.get("at").and_then(|value| self.source(&join(key, "at"), Shape::Instant, value));
        let method = table.get("method").and_then(|value| self.source(&join(key, "method"), Shape::Text, value));
        Some(Consent { channel: channel?, scope: scope?, state: state?, at, method })
    }
}
