//! Who is known at each number: ids, profile names, and when somebody last wrote.

use std::{collections::HashMap, sync::Arc};

use crate::{
    graph::request::Person,
    ids::user_id,
    webhook::{Line, Who},
};

/// Length of the customer service window.
const WINDOW_MS: i64 = 24 * 3_600_000;

/// Everybody, at every number.
#[derive(Default)]
pub(crate) struct People {
    /// By the number's id, then by the person's own number or user id.
    known: HashMap<String, HashMap<String, Known>>,
    /// Numbers by user id, for those who have both.
    numbers: HashMap<String, String>,
}

struct Known {
    who: Arc<Who>,
    last_inbound_ms: Option<i64>,
}

impl People {
    /// A person as webhooks name them; known from now on.
    pub(crate) fn who(&mut self, line: &Line, person: &Person) -> Arc<Who> {
        match self.find(line, person) {
            Some(known) => known.who.clone(),
            None => self.learn(line, person, None, None),
        }
    }

    /// A person wrote: opens the window, and tells the name.
    pub(crate) fn wrote(&mut self, line: &Line, person: &Person, name: &str, at_ms: i64) -> Arc<Who> {
        self.learn(line, person, Some(Arc::from(name)), Some(at_ms))
    }

    /// Whether the person's customer service window with the number is open.
    pub(crate) fn window_open(&self, line: &Line, person: &Person, now_ms: i64) -> bool {
        let last = self.find(line, person).and_then(|known| known.last_inbound_ms);
        last.is_some_and(|at_ms| now_ms < at_ms.saturating_add(WINDOW_MS))
    }

    fn find(&self, line: &Line, person: &Person) -> Option<&Known> {
        self.known.get(&line.phone_number_id)?.get(self.key(person))
    }

    /// One key for a person, by whichever id they are named.
    fn key<'a>(&'a self, person: &'a Person) -> &'a str {
        match person {
            Person::User(id) => self.numbers.get(id).unwrap_or(id),
            Person::Phone(number) => number,
        }
    }

    fn learn(
        &mut self,
        line: &Line,
        person: &Person,
        name: Option<Arc<str>>,
        last_inbound_ms: Option<i64>,
    ) -> Arc<Who> {
        let key = self.key(person).to_owned();
        let who = Arc::new(match person {
            Person::User(id) if key == *id => Who { wa_id: None, user_id: id.clone(), name },
            // Whoever has a number has a user id too, since April 2026.
            _ => Who { user_id: user_id(&line.waba_id, &key), wa_id: Some(key.clone()), name },
        });
        if let Some(number) = &who.wa_id {
            self.numbers.insert(who.user_id.clone(), number.clone());
        }
        let known = Known { who: who.clone(), last_inbound_ms };
        self.known.entry(line.phone_number_id.clone()).or_default().insert(key, known);
        who
    }
}
