//! JSON text as a tree that keeps the digits of its numbers: an amount read through a float is another amount. Bounded in depth and in values, so that no body fills
//! the memory or the stack.

use std::borrow::Cow;

/// Deepest nesting of objects and arrays.
const MAX_DEPTH: usize = 64;
/// Most values of one text.
const MAX_VALUES: usize = 100_000;

/// A JSON value. Texts without escapes and numbers are borrowed.
#[derive(Debug, Clone, PartialEq)]
pub enum Json<'a> {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number, as it is written.
    Number(Cow<'a, str>),
    /// A text.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Json<'a>>),
    /// An object, in its order.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

/// Why a text is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// It is no JSON.
    #[error("expected JSON: {expected} at line {line} column {column}")]
    Syntax {
        /// What was expected there.
        expected: &'static str,
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
    },
    /// It is nested too deep.
    #[error("the JSON is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// It holds too many values.
    #[error("the JSON holds more than {MAX_VALUES} values; cut it into items by `items.each`")]
    TooMany,
}

impl<'a> Json<'a> {
    /// Reads a text.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(text: &'a str) -> Result<Self, JsonError> {
        let mut reader = Reader { text, at: 0, values: 0 };
        let value = reader.value(0)?;
        reader.blanks();
        if reader.at < text.len() { Err(reader.expected("the end")) } else { Ok(value) }
    }

    /// The member of an object with this name; of several the last, as JSON parsers have it.
    pub fn member(&self, name: &str) -> Option<&Json<'a>> {
        match self {
            Self::Object(members) => members.iter().rev().find(|(held, _)| held == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// What a person would call it, for errors.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// How many values an array or object holds; 0 for others.
    pub const fn len(&self) -> usize {
        match self {
            Self::List(items) => items.len(),
            Self::Object(members) => members.len(),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => 0,
        }
    }

    /// Whether it holds no values.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its JSON text.
    pub fn write(&self) -> String {
        let mut text = String::new();
        self.write_to(&mut text);
        text
    }

    fn write_to(&self, text: &mut String) {
        match self {
            Self::Null => text.push_str("null"),
            Self::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
            Self::Number(digits) => text.push_str(digits),
            Self::Text(value) => quote(text, value),
            Self::List(items) => {
                text.push('[');
                for (place, item) in items.iter().enumerate() {
                    if place > 0 {
                        text.push(',');
                    }
                    item.write_to(text);
                }
                text.push(']');
            }
            Self::Object(members) => {
                text.push('{');
                for (place, (name, value)) in members.iter().enumerate() {
                    if place > 0 {
                        text.push(',');
                    }
                    quote(text, name);
                    text.push(':');
                    value.write_to(text);
                }
                text.push('}');
            }
        }
    }
}

impl From<&serde_json::Value> for Json<'static> {
    /// A value of the settings.
    fn from(value: &serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Number(Cow::Owned(number.to_string())),
            Value::String(text) => Self::Text(Cow::Owned(text.clone())),
            Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Object(members) => Self::Object(
                members.iter().map(|(name, value)| (Cow::Owned(name.clone()), Self::from(value))).collect(),
            ),
        }
    }
}

fn quote(text: &mut String, value: &str) {
    text.push_str(&serde_json::Value::from(value).to_string());
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    values: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Result<Json<'a>, JsonError> {
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(JsonError::TooMany);
        }
        self.blanks();
        match self.peek() {
            Some(b'{' | b'[') if depth == MAX_DEPTH => Err(JsonError::TooDeep),
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.list(depth + 1),
            Some(b'"') => self.text().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ if self.word("null") => Ok(Json::Null),
            _ if self.word("true") => Ok(Json::Bool(true)),
            _ if self.word("false") => Ok(Json::Bool(false)),
            _ => Err(self.expected("a value")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json<'a>, JsonError> {
        self.at += 1;
        let mut members = Vec::new();
        if self.is_next(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.blanks();
            if self.peek() != Some(b'"') {
                return Err(self.expected("a name in quotes"));
            }
            let name = self.text()?;
            if !self.is_next(b':') {
                return Err(self.expected("`:`"));
            }
            members.push((name, self.value(depth)?));
            if self.is_next(b'}') {
                return Ok(Json::Object(members));
            }
            if !self.is_next(b',') {
                return Err(self.expected("`,` or `}`"));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Json<'a>, JsonError> {
        self.at += 1;
        let mut items = Vec::new();
        if self.is_next(b']') {
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value(depth)?);
            if self.is_next(b']') {
                return Ok(Json::List(items));
            }
            if !self.is_next(b',') {
                return Err(self.expected("`,` or `]`"));
            }
        }
    }

    fn text(&mut self) -> Result<Cow<'a, str>, JsonError> {
        let (start, bytes, mut escaped) = (self.at, self.text.as_bytes(), false);
        self.at += 1;
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b'"' => {
                    self.at += 1;
                    let quoted = &self.text[start..self.at];
                    if !escaped {
                        return Ok(Cow::Borrowed(&quoted[1..quoted.len() - 1]));
                    }
                    return serde_json::from_str(quoted)
                        .map(Cow::Owned)
                        .map_err(|_| self.expected("a text with good escapes"));
                }
                b'\\' => {
                    escaped = true;
                    self.at += 2;
                }
                0..0x20 => return Err(self.expected("no control characters in a text")),
                _ => self.at += 1,
            }
        }
        self.at = self.text.len();
        Err(self.expected("the end of a text"))
    }

    fn number(&mut self) -> Result<Json<'a>, JsonError> {
        let start = self.at;
        self.is_byte(b'-');
        let whole = self.digits();
        let leading_zero = whole > 1 && self.text.as_bytes()[self.at - whole] == b'0';
        let mut good = whole > 0 && !leading_zero;
        if self.is_byte(b'.') {
            good &= self.digits() > 0;
        }
        if self.is_byte(b'e') || self.is_byte(b'E') {
            if !self.is_byte(b'+') {
                self.is_byte(b'-');
            }
            good &= self.digits() > 0;
        }
        if good { Ok(Json::Number(Cow::Borrowed(&self.text[start..self.at]))) } else { Err(self.expected("a number")) }
    }

    fn digits(&mut self) -> usize {
        let rest = &self.text.as_bytes()[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self.text.as_bytes()[self.at..].starts_with(word.as_bytes());
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Takes this byte, when it comes next.
    fn is_byte(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Takes this byte, when it comes next after blanks.
    fn is_next(&mut self, byte: u8) -> bool {
        self.blanks();
        self.is_byte(byte)
    }

    #[cold]
    fn expected(&self, expected: &'static str) -> JsonError {
        let before = &self.text.as_bytes()[..self.at.min(self.text.len())];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let column = 1 + before.iter().rev().take_while(|byte| **byte != b'\n').count();
        JsonError::Syntax { expected, line, column }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            (-1e9..1e9).prop_map(Into::into),
            "[a\"\\\\\u{0}-\u{1f}é😀]{0,6}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
                prop::collection::vec(("[a-c\"/~]{0,3}", inner), 0..5)
                    .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_as_itself(value in any_json()) {
            for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
                prop_assert_eq!(Json::parse(&text).unwrap().write(), value.to_string());
            }
        }

        #[test]
        fn text_is_json_here_when_it_is_json_elsewhere(text in "[\\[\\]{}\":,0-9.eE+ntrufalse -]{0,16}") {
            let elsewhere = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
            prop_assert_eq!(Json::parse(&text).is_ok(), elsewhere, "{}", text);
        }
    }

    #[test]
    fn numbers_keep_their_digits() {
        let text = r#"{"a": 10.10, "b": 12345678901234567890.123, "b": 1e2}"#;
        let read = Json::parse(text).unwrap();
        assert_eq!(read.member("a"), Some(&Json::Number("10.10".into())));
        assert_eq!(read.member("b"), Some(&Json::Number("1e2".into())), "of several members the last counts");
    }

    #[test]
    fn what_is_no_json_is_told_with_its_place() {
        let check = |text: &str, expected: &str| assert_eq!(Json::parse(text).unwrap_err().to_string(), expected);
        check("", "expected JSON: a value at line 1 column 1");
        check("{\n  \"a\" 1}", "expected JSON: `:` at line 2 column 7");
        check("[1 2]", "expected JSON: `,` or `]` at line 1 column 4");
        check("{} x", "expected JSON: the end at line 1 column 4");
        check("\"a", "expected JSON: the end of a text at line 1 column 3");
        check(&"[".repeat(100_000), "the JSON is nested deeper than 64 levels");
        let many = format!("[{}0]", "0,".repeat(MAX_VALUES));
        assert_eq!(Json::parse(&many), Err(JsonError::TooMany));
    }
}
