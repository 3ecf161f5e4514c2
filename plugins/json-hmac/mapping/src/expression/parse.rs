//! From words to the tree, and what an expression may not be: too deep, too many loops, names that are none.

use super::{
    ROOTS,
    lex::{Token, words},
    node::{Binary, FUNCTIONS, Function, LOOPS, Loop, Node},
};
use crate::settings::did_you_mean;

/// Deepest nesting, of brackets and of operators.
const MAX_DEPTH: usize = 32;
/// Deepest nesting of loops.
const MAX_LOOPS: usize = 2;

type Parsed = Result<Node, String>;

/// Operators by how strongly they bind; `&&`, `||` and `?:` bind less.
const OPERATORS: [&[(&str, Binary)]; 3] = [
    &[
        ("==", Binary::Equal),
        ("!=", Binary::Unequal),
        ("<", Binary::Less),
        ("<=", Binary::AtMost),
        (">", Binary::Greater),
        (">=", Binary::AtLeast),
    ],
    &[("+", Binary::Add), ("-", Binary::Subtract)],
    &[("*", Binary::Multiply), ("/", Binary::Divide), ("%", Binary::Remainder)],
];

/// Reads an expression.
pub(super) fn parse(source: &str) -> Parsed {
    let mut parser = Parser { words: words(source)?, at: 0, depth: 0, bound: Vec::new() };
    let node = parser.expression()?;
    match parser.words.get(parser.at) {
        None if depth(&node) > MAX_DEPTH => Err(too_deep()),
        None => Ok(node),
        Some((word, column)) => Err(format!("expected an operator, found {} (column {column})", shown(word))),
    }
}

struct Parser {
    words: Vec<(Token, usize)>,
    at: usize,
    depth: usize,
    /// Names that loops have given.
    bound: Vec<String>,
}

impl Parser {
    fn expression(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(too_deep());
        }
        let condition = self.or()?;
        let node = if self.takes("?") {
            let then = self.expression()?;
            self.needs(":")?;
            Node::Choice(Box::new([condition, then, self.expression()?]))
        } else {
            condition
        };
        self.depth -= 1;
        Ok(node)
    }

    fn or(&mut self) -> Parsed {
        let mut node = self.and()?;
        while self.takes("||") {
            node = Node::Or(Box::new(node), Box::new(self.and()?));
        }
        Ok(node)
    }

    fn and(&mut self) -> Parsed {
        let mut node = self.binary(0)?;
        while self.takes("&&") {
            node = Node::And(Box::new(node), Box::new(self.binary(0)?));
        }
        Ok(node)
    }

    fn binary(&mut self, strength: usize) -> Parsed {
        let Some(operators) = OPERATORS.get(strength) else { return self.unary() };
        let mut node = self.binary(strength + 1)?;
        while let Some(operator) = self.operator(operators) {
            node = Node::Binary(operator, Box::new(node), Box::new(self.binary(strength + 1)?));
        }
        Ok(node)
    }

    fn operator(&mut self, operators: &[(&str, Binary)]) -> Option<Binary> {
        let found = match &self.words.get(self.at)?.0 {
            Token::Sign(sign) => operators.iter().find(|(held, _)| held == sign)?.1,
            Token::Name(name) if name == "in" && operators[0].1 == Binary::Equal => Binary::In,
            _ => return None,
        };
        self.at += 1;
        Some(found)
    }

    fn unary(&mut self) -> Parsed {
        let negate: fn(Box<Node>) -> Node = if self.takes("!") {
            Node::Not
        } else if self.takes("-") {
            if let Some((Token::Int(digits), _)) = self.words.get(self.at)
                && *digits == i64::MIN.unsigned_abs()
            {
                self.at += 1;
                return Ok(Node::Int(i64::MIN));
            }
            Node::Negative
        } else {
            return self.chain();
        };
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(too_deep());
        }
        let node = self.unary()?;
        self.depth -= 1;
        Ok(negate(Box::new(node)))
    }

    /// A value, and the members, indexes and calls behind it.
    fn chain(&mut self) -> Parsed {
        let mut node = self.primary()?;
        loop {
            if self.takes("[") {
                let index = self.expression()?;
                self.needs("]")?;
                node = Node::Index(Box::new(node), Box::new(index));
            } else if self.takes(".") {
                let name = self.name("a name after the dot")?;
                node = if self.takes("(") { self.method(node, &name)? } else { Node::Member(Box::new(node), name) };
            } else {
                return Ok(node);
            }
        }
    }

    fn primary(&mut self) -> Parsed {
        let (word, column) = self.words.get(self.at).cloned().ok_or("something is missing at the end")?;
        self.at += 1;
        match word {
            Token::Int(digits) => i64::try_from(digits)
                .map(Node::Int)
                .map_err(|_| format!("the number {digits} is too large (column {column})")),
            Token::Double(number) => Ok(Node::Double(number)),
            Token::Text(text) => Ok(Node::Text(text)),
            Token::Sign("(") => {
                let node = self.expression()?;
                self.needs(")")?;
                Ok(node)
            }
            Token::Sign("[") => self.list("]").map(Node::List),
            Token::Name(name) => self.named(name),
            Token::Sign("{") => {
                Err(format!("an expression makes no objects (column {column}); name each value in the mapping"))
            }
            other @ Token::Sign(_) => Err(format!("expected a value, found {} (column {column})", shown(&other))),
        }
    }

    fn named(&mut self, name: String) -> Parsed {
        match name.as_str() {
            "null" => return Ok(Node::Null),
            "true" | "false" => return Ok(Node::Bool(name == "true")),
            _ if self.takes("(") => return self.function(&name),
            _ => {}
        }
        if ROOTS.contains(&name.as_str()) || self.bound.contains(&name) {
            return Ok(Node::Name(name));
        }
        let near = did_you_mean(&name, ROOTS.iter().copied());
        Err(format!("there is no variable {name:?}{near}; the variables are {}", ROOTS.join(", ")))
    }

    /// `f(…)`, behind its bracket.
    fn function(&mut self, name: &str) -> Parsed {
        if name == "has" {
            let node = self.expression()?;
            self.needs(")")?;
            return match node {
                Node::Member(..) | Node::Index(..) => Ok(Node::Has(Box::new(node))),
                _ => Err("has() takes a member, as in has(body.customer)".to_owned()),
            };
        }
        let values = self.list(")")?;
        call(name, values, Writing::Alone)
    }

    /// `a.f(…)`, behind its bracket.
    fn method(&mut self, target: Node, name: &str) -> Parsed {
        if let Some((_, kind)) = LOOPS.iter().find(|(held, _)| *held == name) {
            return self.looped(*kind, target);
        }
        let mut values = vec![target];
        values.extend(self.list(")")?);
        call(name, values, Writing::Behind)
    }

    fn looped(&mut self, kind: Loop, target: Node) -> Parsed {
        if self.bound.len() == MAX_LOOPS {
            return Err(format!("loops (all, exists, map, filter) are nested at most {MAX_LOOPS} deep"));
        }
        let name = self.name("the loop's name for an element, as in body.lines.exists(line, line.sku == 'a')")?;
        self.needs(",")?;
        self.bound.push(name.clone());
        let body = self.expression()?;
        self.bound.pop();
        self.needs(")")?;
        Ok(Node::Loop(kind, Box::new(target), name, Box::new(body)))
    }

    /// Values between commas, up to the bracket.
    fn list(&mut self, end: &str) -> Result<Vec<Node>, String> {
        let mut nodes = Vec::new();
        while !self.takes(end) {
            if !nodes.is_empty() {
                self.needs(",")?;
            }
            nodes.push(self.expression()?);
        }
        Ok(nodes)
    }

    fn name(&mut self, what: &str) -> Result<String, String> {
        match self.words.get(self.at) {
            Some((Token::Name(name), _)) => {
                self.at += 1;
                Ok(name.clone())
            }
            _ => Err(format!("expected {what}{}", self.found())),
        }
    }

    fn takes(&mut self, sign: &str) -> bool {
        let found = matches!(self.words.get(self.at), Some((Token::Sign(held), _)) if *held == sign);
        self.at += usize::from(found);
        found
    }

    fn needs(&mut self, sign: &str) -> Result<(), String> {
        if self.takes(sign) { Ok(()) } else { Err(format!("expected `{sign}`{}", self.found())) }
    }

    fn found(&self) -> String {
        match self.words.get(self.at) {
            Some((word, column)) => format!(", found {} (column {column})", shown(word)),
            None => " at the end".to_owned(),
        }
    }
}

/// How a function is written.
#[derive(Clone, Copy, PartialEq)]
enum Writing {
    /// `f(a)`
    Alone,
    /// `a.f()`
    Behind,
}

fn call(name: &str, values: Vec<Node>, writing: Writing) -> Parsed {
    let Some((_, function, count)) = FUNCTIONS.iter().find(|(held, ..)| *held == name) else {
        let near = did_you_mean(name, FUNCTIONS.iter().map(|(held, ..)| *held).chain(["has"]));
        return Err(format!("there is no function {name}(){near}"));
    };
    let right = match writing {
        Writing::Alone => function.stands_alone(),
        Writing::Behind => !function.stands_alone() || *function == Function::Size,
    };
    if !right || values.len() != *count {
        let form = if function.stands_alone() { format!("{name}(value)") } else { method_form(name, *count) };
        return Err(format!("{name}() is written {form}"));
    }
    Ok(Node::Call(*function, values))
}

fn method_form(name: &str, count: usize) -> String {
    format!("value.{name}({})", ["", "text", "text, text"].get(count.saturating_sub(1)).unwrap_or(&""))
}

fn shown(word: &Token) -> String {
    match word {
        Token::Name(name) => format!("`{name}`"),
        Token::Int(number) => number.to_string(),
        Token::Double(number) => number.to_string(),
        Token::Text(_) => "a text".to_owned(),
        Token::Sign(sign) => format!("`{sign}`"),
    }
}

fn too_deep() -> String {
    format!("an expression is nested at most {MAX_DEPTH} deep; split it")
}

/// How deep a tree is: what evaluating it takes of the stack. It has as many nodes as the expression has words, so this ends.
fn depth(node: &Node) -> usize {
    let deepest = |nodes: &[Node]| nodes.iter().map(depth).max().unwrap_or(0);
    1 + match node {
        Node::Null | Node::Bool(_) | Node::Int(_) | Node::Double(_) | Node::Text(_) | Node::Name(_) => 0,
        Node::List(nodes) | Node::Call(_, nodes) => deepest(nodes),
        Node::Member(node, _) | Node::Has(node) | Node::Not(node) | Node::Negative(node) => depth(node),
        Node::Index(a, b) | Node::And(a, b) | Node::Or(a, b) | Node::Binary(_, a, b) | Node::Loop(_, a, _, b) => {
            depth(a).max(depth(b))
        }
        Node::Choice(nodes) => deepest(nodes.as_slice()),
    }
}
