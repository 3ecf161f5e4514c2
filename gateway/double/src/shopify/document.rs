//! Reads a GraphQL document: one operation, its fields with what is asked of them, and the variables that they name. No directives and no named fragments: nobody sends
//! them.

/// A field, or an inline fragment, that is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// Its name; of a fragment the type.
    pub(super) name: String,
    /// Whether it is `... on Type`.
    pub(super) is_fragment: bool,
    /// Arguments, each with the variable that it is given.
    pub(super) arguments: Vec<(String, String)>,
    /// What is asked of it.
    pub(super) fields: Vec<Self>,
}

/// An operation.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Document {
    /// Whether it writes.
    pub(super) is_mutation: bool,
    /// Variables that it declares.
    pub(super) variables: Vec<String>,
    /// What is asked.
    pub(super) fields: Vec<Field>,
}

struct Reader<'a> {
    words: std::iter::Peekable<std::vec::IntoIter<&'a str>>,
}

/// Reads a document; what is wrong is said in the server's words.
pub(super) fn read(text: &str) -> Result<Document, String> {
    let mut reader = Reader { words: words(text).into_iter().peekable() };
    let is_mutation = match reader.next()? {
        "query" => false,
        "mutation" => true,
        other => return Err(unexpected(other)),
    };
    if reader.words.peek().is_some_and(|word| is_name(word)) {
        reader.next()?;
    }
    let mut variables = Vec::new();
    if reader.takes("(") {
        while !reader.takes(")") {
            match reader.next()? {
                word if word.starts_with('$') => variables.push(word[1..].to_owned()),
                ":" | "!" | "[" | "]" => {}
                word if is_name(word) => {}
                other => return Err(unexpected(other)),
            }
        }
    }
    let fields = reader.fields()?;
    match reader.words.next() {
        None => Ok(Document { is_mutation, variables, fields }),
        Some(more) => Err(unexpected(more)),
    }
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<&'a str, String> {
        self.words.next().ok_or_else(|| "syntax error, unexpected end of file".to_owned())
    }

    fn takes(&mut self, word: &str) -> bool {
        self.words.next_if_eq(&word).is_some()
    }

    fn expect(&mut self, word: &str) -> Result<(), String> {
        let found = self.next()?;
        if found == word { Ok(()) } else { Err(unexpected(found)) }
    }

    fn name(&mut self) -> Result<String, String> {
        let word = self.next()?;
        if is_name(word) { Ok(word.to_owned()) } else { Err(unexpected(word)) }
    }

    fn fields(&mut self) -> Result<Vec<Field>, String> {
        self.expect("{")?;
        let mut fields = Vec::new();
        while !self.takes("}") {
            fields.push(self.field()?);
        }
        Ok(fields)
    }

    fn field(&mut self) -> Result<Field, String> {
        if self.takes("...") {
            self.expect("on")?;
            let name = self.name()?;
            return Ok(Field { name, is_fragment: true, arguments: Vec::new(), fields: self.fields()? });
        }
        let (name, mut arguments) = (self.name()?, Vec::new());
        if self.takes("(") {
            while !self.takes(")") {
                let argument = self.name()?;
                self.expect(":")?;
                let variable = self.next()?;
                let variable = variable.strip_prefix('$').ok_or_else(|| unexpected(variable))?;
                arguments.push((argument, variable.to_owned()));
            }
        }
        let fields = if self.words.peek() == Some(&"{") { self.fields()? } else { Vec::new() };
        Ok(Field { name, is_fragment: false, arguments, fields })
    }
}

fn unexpected(word: &str) -> String {
    format!("syntax error, unexpected {word:?}")
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// Cuts a document into names, variables and marks. Commas and blanks mean nothing.
fn words(text: &str) -> Vec<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let (mut words, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        let begins = if first == '$' { 1 } else { 0 };
        let length = rest[begins..].find(|c: char| !is_part(c)).map_or(rest.len(), |end| begins + end);
        let length = match length {
            0 if rest.starts_with("...") => 3,
            0 => first.len_utf8(),
            length => length,
        };
        let (word, more) = rest.split_at(length);
        words.push(word);
        rest = more.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_read_and_what_is_no_operation_is_not() {
        let read_one = read(
            "query L($first: Int!, $after: String) { hooks(first: $first, after: $after) { id endpoint { ... on Http { url } } } }",
        );
        let document = read_one.unwrap();
        assert_eq!((document.is_mutation, document.variables), (false, vec!["first".to_owned(), "after".to_owned()]));
        let hooks = &document.fields[0];
        assert_eq!(hooks.arguments[1], ("after".to_owned(), "after".to_owned()));
        assert!(hooks.fields[1].fields[0].is_fragment);
        for wrong in ["", "query", "query { a", "query { a } b", "subscribe { a }", "query { a(b: 1) }", "query { {} }"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
