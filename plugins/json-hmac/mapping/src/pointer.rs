//! JSON pointers (RFC 6901) into a tree. Without `*`: lists are gone through by `each`.

use crate::Json;

/// A JSON pointer: `/customer/phone`, `/lines/0/sku`. The empty one is the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    text: String,
    steps: Vec<String>,
}

impl Pointer {
    /// Reads a pointer.
    ///
    /// # Errors
    /// What was expected instead.
    pub fn new(text: &str) -> Result<Self, String> {
        let steps = match text.strip_prefix('/') {
            None if text.is_empty() => Vec::new(),
            None => return Err(format!("expected a JSON pointer such as /customer/phone, found {text:?}")),
            Some(rest) => rest.split('/').map(step).collect::<Option<Vec<_>>>().ok_or_else(|| {
                format!("in a JSON pointer `~` is written ~0, and `/` inside a name ~1: found {text:?}")
            })?,
        };
        if steps.iter().any(|step| step == "*") {
            return Err(format!(
                "a pointer leads to one place: {text:?} has `*`; name one element by its number, or go through a list by `each`"
            ));
        }
        Ok(Self { text: text.to_owned(), steps })
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What it leads to. `pay` is told how much there is to look through at each step, and may end the search.
    pub(crate) fn find<'j, 'a, E>(
        &self,
        root: &'j Json<'a>,
        pay: impl Fn(usize) -> Result<(), E>,
    ) -> Result<Option<&'j Json<'a>>, E> {
        let mut value = root;
        for step in &self.steps {
            let (looked, next) = match value {
                Json::List(items) => (1, step.parse::<usize>().ok().and_then(|place| items.get(place))),
                other => (other.len(), other.member(step)),
            };
            pay(looked)?;
            match next {
                Some(next) => value = next,
                None => return Ok(None),
            }
        }
        Ok(Some(value))
    }
}

/// One step without its escapes; `None` when an escape is none.
fn step(text: &str) -> Option<String> {
    let good = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    good.then(|| text.replace("~1", "/").replace("~0", "~"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_lead_to_members_and_elements() {
        let json = Json::parse(r#"{"a": {"b/c": [10, {"~": "x"}]}, "": 1}"#).unwrap();
        let check = |pointer: &str, expected: Option<&str>| {
            let found = Pointer::new(pointer).unwrap().find(&json, |_| Ok::<_, ()>(())).unwrap();
            assert_eq!(found.map(Json::write).as_deref(), expected, "{pointer}");
        };
        check("/a/b~1c/0", Some("10"));
        check("/a/b~1c/1/~0", Some("\"x\""));
        check("/", Some("1"));
        check("/a/b", None);
        check("/a/b~1c/2", None);
        check("/a/b~1c/x", None);
        assert_eq!(Pointer::new("").unwrap().find(&json, |_| Err(())), Ok(Some(&json)));
        assert_eq!(Pointer::new("/a").unwrap().find(&json, Err), Err(2), "two members are looked through");
    }

    #[test]
    fn what_is_no_pointer_is_told() {
        for (text, word) in [("a/b", "such as"), ("/a~2", "~0"), ("/a/*/b", "each")] {
            assert!(Pointer::new(text).unwrap_err().contains(word), "{text}");
        }
    }
}
