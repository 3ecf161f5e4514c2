//! The tree of an expression.

/// A part of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// A literal.
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(String),
    /// `[a, b]`
    List(Vec<Node>),
    /// A variable, or what a loop named.
    Name(String),
    /// `a.b`
    Member(Box<Node>, String),
    /// `a[b]`
    Index(Box<Node>, Box<Node>),
    /// `has(a.b)`
    Has(Box<Node>),
    /// `!a`, `-a`
    Not(Box<Node>),
    Negative(Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    /// `a ? b : c`
    Choice(Box<[Node; 3]>),
    Binary(Binary, Box<Node>, Box<Node>),
    /// `list.all(name, body)`
    Loop(Loop, Box<Node>, String, Box<Node>),
    /// `f(a)` and `a.f(b)`, which are one.
    Call(Function, Vec<Node>),
}

/// An operator between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Binary {
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
            Self::In => "in",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

/// A loop over a list, or over the names of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loop {
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
}

/// The loops by name.
pub(super) const LOOPS: [(&str, Loop); 5] = [
    ("all", Loop::All),
    ("exists", Loop::Exists),
    ("exists_one", Loop::ExistsOne),
    ("map", Loop::Map),
    ("filter", Loop::Filter),
];

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Size,
    Contains,
    StartsWith,
    EndsWith,
    Text,
    Int,
    Double,
    Bool,
    LowerAscii,
    UpperAscii,
    Trim,
    Split,
    Join,
    Replace,
}

/// The functions by name, with how many values they take, the one before the dot among them.
pub(super) const FUNCTIONS: [(&str, Function, usize); 14] = [
    ("size", Function::Size, 1),
    ("contains", Function::Contains, 2),
    ("startsWith", Function::StartsWith, 2),
    ("endsWith", Function::EndsWith, 2),
    ("string", Function::Text, 1),
    ("int", Function::Int, 1),
    ("double", Function::Double, 1),
    ("bool", Function::Bool, 1),
    ("lowerAscii", Function::LowerAscii, 1),
    ("upperAscii", Function::UpperAscii, 1),
    ("trim", Function::Trim, 1),
    ("split", Function::Split, 2),
    ("join", Function::Join, 2),
    ("replace", Function::Replace, 3),
];

impl Function {
    pub(super) fn name(self) -> &'static str {
        FUNCTIONS.iter().find(|(_, held, _)| *held == self).map_or("", |(name, ..)| name)
    }

    /// Whether CEL writes it before its value, as in `size(a)`; the others stand behind one, as in `a.trim()`.
    pub(super) const fn stands_alone(self) -> bool {
        matches!(self, Self::Size | Self::Text | Self::Int | Self::Double | Self::Bool)
    }
}
