//! `answers.json`: what a provider answers to what a plugin asks for. Requests are matched by method, URL and, where one is given, body.

use crate::case::CaseError;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use std::{collections::BTreeMap, path::Path};
use tidegate_model::outcome::{Answer, Request};

/// The answers of a case.
#[derive(Debug, Default)]
pub struct Answers {
    entries: Vec<(Entry, Used)>,
}

/// Whether an entry answered something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Used {
    Yes,
    NotYet,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    request: Asked,
    #[serde(default)]
    response: Option<Given>,
    #[serde(default)]
    failed: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default = "get")]
    method: String,
    url: String,
    #[serde(default)]
    body: Option<Box<RawValue>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<Box<RawValue>>,
}

fn get() -> String {
    "GET".to_owned()
}

const fn ok() -> u16 {
    200
}

impl Answers {
    /// The `answers.json` of a case; none when there is no such file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of_case(folder: &Path) -> Result<Self, CaseError> {
        let path = folder.join("answers.json");
        if path.exists() { Self::parse(&crate::case::read(&path)?) } else { Ok(Self::default()) }
    }

    /// Reads `answers.json`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, CaseError> {
        let wrong = |reason: String| CaseError::NoAnswers { reason };
        let entries: Vec<Entry> = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        if let Some(entry) = entries.iter().find(|entry| entry.response.is_some() == entry.failed.is_some()) {
            return Err(wrong(format!("expected either `response` or `failed` for {}", entry.request.told())));
        }
        Ok(Self { entries: entries.into_iter().map(|entry| (entry, Used::NotYet)).collect() })
    }

    /// The answers to requests, in their order.
    ///
    /// # Errors
    /// What to put into `answers.json`, when a request is not answered there.
    pub(crate) fn to(&mut self, requests: &[Request]) -> Result<Vec<Answer>, CaseError> {
        let answers: Vec<Option<Answer>> = requests.iter().map(|request| self.one(request)).collect();
        if answers.contains(&None) {
            let open = requests.iter().zip(&answers).filter(|(_, answer)| answer.is_none());
            return Err(CaseError::Unanswered { skeleton: skeleton(open.map(|(request, _)| request)) });
        }
        Ok(answers.into_iter().flatten().collect())
    }

    fn one(&mut self, request: &Request) -> Option<Answer> {
        let (entry, used) = self.entries.iter_mut().find(|(entry, _)| entry.request.is(request))?;
        *used = Used::Yes;
        Some(match (&entry.response, &entry.failed) {
            (Some(given), _) => Answer::Response {
                status: given.status,
                headers: given.headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect(),
                body: given.body.as_deref().map(text).unwrap_or_default(),
            },
            (None, why) => Answer::Failed(why.clone().unwrap_or_default()),
        })
    }

    /// That every entry answered something.
    ///
    /// # Errors
    /// The first that did not.
    pub(crate) fn all_used(&self) -> Result<(), CaseError> {
        match self.entries.iter().find(|(_, used)| *used == Used::NotYet) {
            Some((entry, _)) => Err(CaseError::Unasked { request: entry.request.told() }),
            None => Ok(()),
        }
    }
}

impl Asked {
    fn is(&self, request: &Request) -> bool {
        let same_body = || match (&self.body, &request.body) {
            (None, _) => true,
            (Some(expected), Some(found)) => same(&text(expected), found),
            (Some(_), None) => false,
        };
        self.method.eq_ignore_ascii_case(&request.method) && self.url == request.url && same_body()
    }

    fn told(&self) -> String {
        format!("{} {}", self.method, self.url)
    }
}

/// A text that is written as JSON text stands for itself; any other JSON for how it is written.
fn text(raw: &RawValue) -> String {
    serde_json::from_str::<String>(raw.get()).unwrap_or_else(|_| raw.get().to_owned())
}

/// Whether two bodies say the same: JSON may be written in more than one way.
fn same(expected: &str, found: &str) -> bool {
    let value = |text: &str| serde_json::from_str::<Value>(text).ok();
    expected == found || value(expected).is_some_and(|expected| Some(expected) == value(found))
}

fn skeleton<'r>(requests: impl Iterator<Item = &'r Request>) -> String {
    let entry = |request: &Request| {
        let mut asked = json!({"method": request.method, "url": request.url});
        if let (Some(fields), Some(body)) = (asked.as_object_mut(), &request.body) {
            let body = serde_json::from_str(body).unwrap_or_else(|_| Value::String(body.clone()));
            fields.insert("body".to_owned(), body);
        }
        json!({"request": asked, "response": {"status": 200, "body": {}}})
    };
    let entries: Vec<Value> = requests.map(entry).collect();
    serde_json::to_string_pretty(&entries).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWERS: &str = r#"[
        {"request": {"url": "https://a.example/1"}, "response": {"headers": {"ETag": "x"}, "body": {"n": 1.10}}},
        {"request": {"method": "POST", "url": "https://a.example/2", "body": {"ids": [1, 2]}}, "response": {"status": 404, "body": "none"}},
        {"request": {"url": "https://a.example/3"}, "failed": "no route"}
    ]"#;

    fn request(method: &str, url: &str, body: Option<&str>) -> Request {
        Request { method: method.to_owned(), url: url.to_owned(), headers: Vec::new(), body: body.map(str::to_owned) }
    }

    #[test]
    fn requests_find_their_answers() {
        let mut answers = Answers::parse(ANSWERS).unwrap();
        let asked = [
            request("GET", "https://a.example/3", None),
            request("POST", "https://a.example/2", Some("{\"ids\":[1,2]}")),
            request("GET", "https://a.example/1", None),
        ];
        let found = answers.to(&asked).unwrap();
        assert_eq!(found[0], Answer::Failed("no route".to_owned()));
        assert_eq!(found[1], Answer::Response { status: 404, headers: Vec::new(), body: "none".to_owned() });
        let headers = vec![("etag".to_owned(), "x".to_owned())];
        assert_eq!(found[2], Answer::Response { status: 200, headers, body: "{\"n\": 1.10}".to_owned() });
        answers.all_used().unwrap();
    }

    #[test]
    fn what_is_not_answered_is_told_with_what_to_write() {
        let mut answers = Answers::parse(ANSWERS).unwrap();
        let other_body = request("POST", "https://a.example/2", Some("{\"ids\":[3]}"));
        let error = answers.to(&[request("GET", "https://a.example/1", None), other_body]).unwrap_err().to_string();
        assert!(error.contains("https://a.example/2") && error.contains("\"ids\""), "{error}");
        assert!(!error.contains("https://a.example/1"), "{error}");
        let error = answers.all_used().unwrap_err().to_string();
        assert!(error.ends_with("did not ask for: POST https://a.example/2"), "{error}");
    }

    #[test]
    fn a_wrong_file_is_told() {
        let error = |text: &str| Answers::parse(text).unwrap_err().to_string();
        assert!(error(r#"[{"request": {"url": "https://a.example"}}]"#).contains("either `response` or `failed`"));
        assert!(error(r#"[{"request": {"uri": "https://a.example"}}]"#).contains("unknown field `uri`"));
    }
}
