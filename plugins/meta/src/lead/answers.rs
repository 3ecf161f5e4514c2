//! What somebody answered in the form of an advertisement: Meta's own questions by their names, others by what the settings say of them.

use super::Settings;
use serde::Deserialize;
use tidegate_plugin_sdk::{ContactInfo, Field, json, json::Text};

/// One question with its answers.
#[derive(Deserialize)]
pub(crate) struct Answered<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    values: Vec<Text<'a>>,
}

impl Answered<'_> {
    fn value(&self) -> Option<String> {
        let values: Vec<&str> = self.values.iter().filter_map(|value| json::filled(Some(value))).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }
}

/// Who answered.
pub(crate) struct Person {
    pub(crate) contact: ContactInfo,
    /// An answer is one of those that Meta's testing tool writes.
    pub(crate) is_test: bool,
}

/// The person, from the questions whose meaning is known. Answers of the testing tool are nobody's.
pub(crate) fn person(answers: &[Answered<'_>], settings: &Settings) -> Person {
    let mut person = Person { contact: ContactInfo::default(), is_test: false };
    for answered in answers {
        let Some(value) = answered.value() else { continue };
        if is_dummy(&value) {
            person.is_test = true;
            continue;
        }
        // As Meta names the question, or as the event does, where an operator sees it.
        let told = settings.meaning(&answered.name).or_else(|| settings.meaning(&slug(&answered.name)?));
        let meaning = told.or_else(|| standard(&answered.name));
        if let Some(meaning) = meaning {
            add(&mut person.contact, meaning, &value, settings);
        }
    }
    person
}

/// Every answer, the testing tool's too.
pub(crate) fn all(answers: &[Answered<'_>]) -> Vec<Field> {
    let field = |answered: &Answered<'_>| Some(Field { name: slug(&answered.name)?, value: answered.value() });
    answers.iter().filter_map(field).collect()
}

/// Meta's own questions. `phone_number` is most often E.164, but people may type.
fn standard(question: &str) -> Option<&str> {
    match question {
        "phone_number" | "work_phone_number" => Some("phone"),
        "email" | "work_email" => Some("email"),
        "full_name" | "first_name" | "last_name" | "country" | "city" | "company_name" | "job_title" => Some(question),
        _ => None,
    }
}

fn add(contact: &mut ContactInfo, meaning: &str, value: &str, settings: &Settings) {
    let text = || Some(value.to_owned());
    match meaning {
        "phone" => contact.add_phone(Some(value), settings.country()),
        "email" => contact.add_email(Some(value)),
        "full_name" => contact.name = text(),
        "first_name" => contact.first_name = text(),
        "last_name" => contact.last_name = text(),
        "language" => contact.language = text(),
        // A country is a code here; what people write is a field.
        "country" if value.len() == 2 => contact.country = text(),
        other => contact.add_field(other, Some(value)),
    }
}

/// What the testing tool writes where nobody typed.
fn is_dummy(value: &str) -> bool {
    value.starts_with("<test lead: dummy data for") || matches!(value, "test@fb.com" | "test@meta.com")
}

/// The name of a question as words joined by `_`; `None` when it has no letters or digits.
fn slug(name: &str) -> Option<String> {
    let words: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    (!words.is_empty()).then(|| words.join("_").to_lowercase())
}
