//! A small writer for the JSON objects that cross the contract as text (`extra`, variables of triggers).

/// A JSON object in the making. Absent values are left out.
///
/// ```
/// use tidegate_plugin_sdk::json::Object;
/// let extra = Object::new().text("source", Some("web")).bool("test", Some(true)).text("note", None);
/// assert_eq!(extra.finish(), r#"{"source":"web","test":true}"#);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Object {
    json: String,
}

impl Object {
    /// An empty object.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text.
    #[must_use]
    pub fn text(mut self, name: &str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            self.name(name);
            push_string(&mut self.json, value);
        }
        self
    }

    /// Adds `true` or `false`.
    #[must_use]
    pub fn bool(self, name: &str, value: Option<bool>) -> Self {
        self.raw(name, value.map(|value| if value { "true" } else { "false" }))
    }

    /// Adds a value that is JSON text already.
    #[must_use]
    pub fn raw(mut self, name: &str, json: Option<&str>) -> Self {
        if let Some(json) = json {
            self.name(name);
            self.json.push_str(json);
        }
        self
    }

    /// Adds an object, unless it is empty.
    #[must_use]
    pub fn object(self, name: &str, object: Self) -> Self {
        if object.is_empty() {
            return self;
        }
        let json = object.finish();
        self.raw(name, Some(&json))
    }

    /// Whether it has no value yet.
    pub fn is_empty(&self) -> bool {
        self.json.is_empty()
    }

    /// The object as JSON text.
    pub fn finish(mut self) -> String {
        if self.json.is_empty() {
            return "{}".to_owned();
        }
        self.json.push('}');
        self.json
    }

    fn name(&mut self, name: &str) {
        self.json.push(if self.json.is_empty() { '{' } else { ',' });
        push_string(&mut self.json, name);
        self.json.push(':');
    }
}

fn push_string(json: &mut String, text: &str) {
    json.push('"');
    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 => {
                json.push_str(&text[plain_from..at]);
                json.push_str("\\u00");
                json.push(char::from(b'0' + (byte >> 4)));
                json.push(char::from(b"0123456789abcdef"[usize::from(byte & 0xf)]));
                plain_from = at + 1;
                continue;
            }
            _ => continue,
        };
        json.push_str(&text[plain_from..at]);
        json.push_str(escape);
        plain_from = at + 1;
    }
    json.push_str(&text[plain_from..]);
    json.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn any_text_is_written_so_that_it_reads_as_itself(name in ".{0,8}", value in "[\\x00-\\x7fé\"\\\\]{0,40}") {
            let json = Object::new().text(&name, Some(&value)).finish();
            let read: std::collections::BTreeMap<String, String> = serde_json::from_str(&json).unwrap();
            proptest::prop_assert_eq!(read.get(&name), Some(&value));
        }
    }

    #[test]
    fn empty_objects_in_objects_are_left_out() {
        assert_eq!(Object::new().object("inner", Object::new().text("x", None)).finish(), "{}");
        assert_eq!(Object::new().object("inner", Object::new().raw("x", Some("1"))).finish(), r#"{"inner":{"x":1}}"#);
    }
}
