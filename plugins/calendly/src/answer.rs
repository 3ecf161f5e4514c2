//! Questions and answers. Every business words its own questions; an answer is free text, or a list of choices.

use crate::settings::Settings;
use serde::Deserialize;
use tidegate_plugin_sdk::{Field, Phone, json, json::Raw, json::Text};

/// What the words of a question that asks for a phone begin with, in the languages of Calendly's pages.
const PHONE_WORDS: [&str; 14] = [
    "phone",
    "smartphone",
    "mobil",
    "móvil",
    "movil",
    "cell",
    "celular",
    "whatsapp",
    "telef",
    "teléf",
    "téléph",
    "teleph",
    "handy",
    "rufnummer",
];
/// Whole words of such a question.
const SHORT_PHONE_WORDS: [&str; 3] = ["tel", "sms", "gsm"];

/// One question with its answer.
#[derive(Deserialize)]
pub(crate) struct Answer<'a> {
    #[serde(borrow)]
    question: Option<Text<'a>>,
    #[serde(borrow)]
    answer: Option<Raw<'a>>,
}

impl Answer<'_> {
    fn question(&self) -> Option<&str> {
        json::filled(self.question.as_deref())
    }

    /// The answer as text; of several choices a list. `None` when there is none.
    pub(crate) fn text(&self) -> Option<String> {
        let raw = self.answer?;
        if let Ok(text) = raw.parse::<Text<'_>>() {
            return json::string(Some(&text));
        }
        let choices: Vec<Text<'_>> = raw.parse().ok()?;
        let choices: Vec<&str> = choices.iter().filter_map(|choice| json::filled(Some(choice))).collect();
        (!choices.is_empty()).then(|| choices.join(", "))
    }

    /// The canonical answer; `None` when the question has no words.
    pub(crate) fn field(&self) -> Option<Field> {
        Some(Field { name: self.question()?.to_owned(), value: self.text() })
    }

    fn asks_for_phone(&self, settings: &Settings<'_>) -> bool {
        let Some(question) = self.question() else { return false };
        let question = question.to_lowercase();
        match json::filled(settings.phone_question.as_deref()) {
            Some(wanted) => question.contains(&wanted.to_lowercase()),
            None => question.split(|c: char| !c.is_alphanumeric()).any(is_phone_word),
        }
    }

    /// Whether the question, without what is no letter, is one of these.
    fn asks_for(&self, wanted: &[&str]) -> bool {
        let Some(question) = self.question() else { return false };
        let letters = |c: char| c.is_alphanumeric() || c == ' ';
        let question: String = question.to_lowercase().chars().filter(|c| letters(*c)).collect();
        wanted.contains(&question.trim())
    }
}

fn is_phone_word(word: &str) -> bool {
    PHONE_WORDS.iter().any(|start| word.starts_with(start)) || SHORT_PHONE_WORDS.contains(&word)
}

/// The first answer that is a phone number to a question that asks for one.
pub(crate) fn phone(answers: &[Answer<'_>], settings: &Settings<'_>) -> Option<String> {
    let asked = answers.iter().filter(|answer| answer.asks_for_phone(settings));
    asked.filter_map(Answer::text).find(|text| Phone::is_likely(text))
}

/// The first answer that is an email address.
pub(crate) fn email(answers: &[Answer<'_>]) -> Option<String> {
    answers.iter().filter_map(Answer::text).find(|text| is_email(text))
}

/// The answer to one of these questions.
pub(crate) fn to(answers: &[Answer<'_>], questions: &[&str]) -> Option<String> {
    answers.iter().find(|answer| answer.asks_for(questions)).and_then(Answer::text)
}

/// The canonical answers.
pub(crate) fn fields(answers: &[Answer<'_>]) -> Vec<Field> {
    answers.iter().filter_map(Answer::field).collect()
}

fn is_email(text: &str) -> bool {
    let no_blank = !text.contains(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '/' | '<' | '>'));
    let parts = text.split_once('@');
    no_blank
        && parts
            .is_some_and(|(name, host)| !name.is_empty() && !host.contains('@') && host.trim_matches('.').contains('.'))
}
