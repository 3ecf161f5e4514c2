//! Reads that are made together: what several items ask for, each by itself, becomes one request, and its answer is cut into theirs. Which reads go together is a rule of
//! the plugin's manifest. A part that the answer does not have is read by itself, so that nobody is given a guess.

use crate::reach::Fetched;
use reqwest::Url;
use serde_json::{Map, Value, value::RawValue};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tidegate_model::outcome::{Answer, Request};
use tokio::sync::oneshot;

/// How long the first of a batch waits for others.
const LINGER: Duration = Duration::from_millis(20);
/// Stands for the id in the path of a read of one.
const ID: &str = "{id}";

/// Which reads go together, and how. Paths are of the host that is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRule {
    /// Path of a read of one, with `{id}` as one of its parts: `/crm/v3/objects/contacts/{id}`.
    pub get: String,
    /// Path of the read of several, a POST: `/crm/v3/objects/contacts/batch/read`.
    pub post: String,
    /// Most ids of one request.
    pub most: usize,
    /// Member of the body that is the list of ids.
    pub ids: String,
    /// Member of each element of that list that is the id; without it the elements are the ids.
    pub id_member: Option<String>,
    /// Parameters of the read of one that become members of the body, as lists of what commas part. A read with any other parameter is made by itself.
    pub lists: Vec<String>,
    /// Member of the answer that is the list of its parts.
    pub answers: String,
    /// Member of each part that is its id. The part itself is what a read of one would answer.
    pub answer_id: String,
}

/// What reads have in common that are made together.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    /// Place of the rule.
    rule: usize,
    /// Of the batch, without parameters.
    url: String,
    headers: Vec<(String, String)>,
    /// Lists of the body, in the order of the parameters.
    lists: Vec<(String, Vec<String>)>,
}

/// What waits to be read together, for one connection.
#[derive(Debug, Default)]
pub(crate) struct Batches {
    rules: Vec<BatchRule>,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    open: Vec<Open>,
    /// Number of the last that was opened.
    last: u64,
}

/// A batch that is joined until it is made.
#[derive(Debug)]
struct Open {
    number: u64,
    group: Group,
    parts: Vec<(String, oneshot::Sender<Option<Fetched>>)>,
}

/// How requests are made.
pub(crate) trait Make: Sync {
    /// Makes one, at the connection's pace.
    fn make(&self, request: &Request) -> impl Future<Output = Fetched> + Send;
    /// Waits until one could be made at once.
    fn room(&self) -> impl Future<Output = ()> + Send;
}

impl Batches {
    pub(crate) const fn new(rules: Vec<BatchRule>) -> Self {
        Self { rules, waiting: Mutex::new(Waiting { open: Vec::new(), last: 0 }) }
    }

    /// Whether a rule applies to a request.
    pub(crate) fn takes(&self, request: &Request) -> bool {
        self.rules.iter().enumerate().any(|(place, rule)| rule.part(place, request).is_some())
    }

    /// Makes a read, together with others where a rule has it.
    pub(crate) async fn read(&self, request: &Request, by: &impl Make) -> Fetched {
        let mut rules = self.rules.iter().enumerate();
        let Some((rule, (group, id))) = rules.find_map(|(place, rule)| Some((rule, rule.part(place, request)?))) else {
            return by.make(request).await;
        };
        let (leading, answer) = self.join(rule, group, id);
        if let Some(leading) = leading {
            tokio::time::sleep(LINGER).await;
            by.room().await;
            leading.make(rule, by).await;
        }
        // Without an answer for it, or when who was to read for all is gone, it is read by itself.
        match answer.await {
            Ok(Some(fetched)) => fetched,
            Ok(None) | Err(_) => by.make(request).await,
        }
    }

    /// Joins those who wait already, or else leads who will.
    fn join(
        &self,
        rule: &BatchRule,
        group: Group,
        id: String,
    ) -> (Option<Leading<'_>>, oneshot::Receiver<Option<Fetched>>) {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.lock();
        let joined = |held: &&mut Open| held.group == group && held.parts.len() < rule.most;
        if let Some(held) = waiting.open.iter_mut().find(joined) {
            held.parts.push((id, sender));
            return (None, receiver);
        }
        waiting.last += 1;
        let number = waiting.last;
        waiting.open.push(Open { number, group, parts: vec![(id, sender)] });
        (Some(Leading { batches: self, number }), receiver)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who reads for all that join. When it is dropped before, each of them reads by itself.
struct Leading<'b> {
    batches: &'b Batches,
    number: u64,
}

impl Leading<'_> {
    fn take(&self) -> Option<Open> {
        let mut waiting = self.batches.lock();
        let place = waiting.open.iter().position(|held| held.number == self.number)?;
        Some(waiting.open.swap_remove(place))
    }

    /// Reads for all that have joined, and tells each.
    async fn make(&self, rule: &BatchRule, by: &impl Make) {
        let Some(Open { group, parts, .. }) = self.take() else { return };
        let mut ids: Vec<&str> = Vec::new();
        for (id, _) in &parts {
            if !ids.contains(&id.as_str()) {
                ids.push(id);
            }
        }
        // One alone is what was asked for.
        let cut = match ids.as_slice() {
            [] | [_] => Cut::Singly,
            ids => rule.cut(&by.make(&rule.request(&group, ids)).await),
        };
        for (id, sender) in parts {
            // Who does not wait any more needs no answer.
            let _ = sender.send(cut.of(&id));
        }
    }
}

impl Drop for Leading<'_> {
    fn drop(&mut self) {
        drop(self.take());
    }
}

/// What the answer of a batch is to its parts.
enum Cut {
    /// The same for each.
    All(Fetched),
    /// Each its own.
    Each(BTreeMap<String, Fetched>),
    /// Nothing.
    Singly,
}

impl Cut {
    fn of(&self, id: &str) -> Option<Fetched> {
        match self {
            Self::All(fetched) => Some(fetched.clone()),
            Self::Each(found) => found.get(id).cloned(),
            Self::Singly => None,
        }
    }
}

impl BatchRule {
    /// What a request is a part of, and the id that it asks for; `None` when this rule does not apply to it.
    fn part(&self, rule: usize, request: &Request) -> Option<(Group, String)> {
        if request.method != "GET" || request.body.is_some() {
            return None;
        }
        let url = Url::parse(&request.url).ok()?;
        let (mut id, mut own, mut asked) = (None, self.get.split('/'), url.path().split('/'));
        loop {
            match (own.next(), asked.next()) {
                (None, None) => break,
                (Some(ID), Some(found)) if is_id(found) => id = Some(found.to_owned()),
                (Some(own), Some(found)) if own == found => {}
                _ => return None,
            }
        }
        let mut lists: Vec<(String, Vec<String>)> = Vec::new();
        for (name, value) in url.query_pairs() {
            let known = self.lists.iter().any(|list| *list == name) && lists.iter().all(|(held, _)| *held != name);
            if !known {
                return None;
            }
            lists.push((name.into_owned(), value.split(',').map(str::to_owned).collect()));
        }
        let mut whole = url.clone();
        whole.set_path(&self.post);
        whole.set_query(None);
        whole.set_fragment(None);
        let group = Group { rule, url: whole.to_string(), headers: request.headers.clone(), lists };
        Some((group, id?))
    }

    /// The request for several.
    fn request(&self, group: &Group, ids: &[&str]) -> Request {
        let element = |id: &&str| match &self.id_member {
            Some(member) => Value::Object(Map::from_iter([(member.clone(), Value::from(*id))])),
            None => Value::from(*id),
        };
        let mut body = Map::from_iter([(self.ids.clone(), ids.iter().map(element).collect())]);
        body.extend(group.lists.iter().map(|(name, values)| (name.clone(), Value::from(values.clone()))));
        let mut headers = group.headers.clone();
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
        let body = Some(Value::Object(body).to_string());
        Request { method: "POST".to_owned(), url: group.url.clone(), headers, body }
    }

    /// Cuts an answer.
    fn cut(&self, fetched: &Fetched) -> Cut {
        match fetched {
            Fetched::Answer(Answer::Response { status: 200..=299, headers, body }) => {
                self.parts(body).map_or(Cut::Singly, |parts| {
                    let kind = headers.iter().filter(|(name, _)| name == "content-type");
                    let answer = |body: &str| {
                        let (headers, body) = (kind.clone().cloned().collect(), body.to_owned());
                        Fetched::Answer(Answer::Response { status: 200, headers, body })
                    };
                    Cut::Each(parts.into_iter().map(|(id, body)| (id, answer(body))).collect())
                })
            }
            // What is refused for the credentials is refused to each, and what is busy is busy.
            Fetched::Answer(Answer::Response { status: 401 | 403, .. })
            | Fetched::Later { .. }
            | Fetched::Refused(_)
            | Fetched::Unauthorized(_) => Cut::All(fetched.clone()),
            // It may be for one of them.
            Fetched::Answer(_) => Cut::Singly,
        }
    }

    /// The parts of an answer by their ids, each as it was written.
    fn parts<'a>(&self, body: &'a str) -> Option<Vec<(String, &'a str)>> {
        let whole: BTreeMap<String, &'a RawValue> = serde_json::from_str(body).ok()?;
        let list: Vec<&'a RawValue> = serde_json::from_str(whole.get(self.answers.as_str())?.get()).ok()?;
        let part = |part: &&'a RawValue| {
            let members: BTreeMap<String, &'a RawValue> = serde_json::from_str(part.get()).ok()?;
            let id = members.get(self.answer_id.as_str())?.get();
            let id = serde_json::from_str::<String>(id).unwrap_or_else(|_| id.to_owned());
            Some((id, part.get()))
        };
        list.iter().map(part).collect()
    }
}

/// What stands in a URL as it is: no escapes, and nothing that another path is made of.
fn is_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !text.is_empty() && text.bytes().all(plain)
}

#[cfg(test)]
mod tests;
