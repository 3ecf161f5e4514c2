//! Reads a condition's tree: which values it uses, and whether it stays within its bounds. Evaluates nothing.

use crate::{error::hint, need::Needs};
use cel::{
    IdedExpr,
    common::ast::{ComprehensionExpr, EntryExpr, Expr, LiteralValue, operators},
};

/// Deepest tree: evaluation takes up to 48 KiB of stack for each level.
const MAX_DEPTH: usize = 20;
/// Deepest nesting of loops (`all`, `exists`, `map`, `filter`).
const MAX_LOOPS: usize = 2;

/// Functions a condition may call.
const FUNCTIONS: &[&str] = &[
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "string",
    "int",
    "uint",
    "double",
    "bool",
    "duration",
    "timestamp",
    "getFullYear",
    "getMonth",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getHours",
    "getMinutes",
    "getSeconds",
];

/// Macros, for hints: they are gone from the tree.
const MACROS: &[&str] = &["has", "all", "exists", "exists_one", "map", "filter"];

/// Operators a condition may use.
const OPERATORS: &[&str] = &[
    operators::CONDITIONAL,
    operators::LOGICAL_AND,
    operators::LOGICAL_OR,
    operators::LOGICAL_NOT,
    operators::SUBSTRACT,
    operators::ADD,
    operators::MULTIPLY,
    operators::DIVIDE,
    operators::MODULO,
    operators::EQUALS,
    operators::NOT_EQUALS,
    operators::GREATER_EQUALS,
    operators::LESS_EQUALS,
    operators::GREATER,
    operators::LESS,
    operators::NEGATE,
    operators::INDEX,
    operators::IN,
    operators::NOT_STRICTLY_FALSE,
];

/// The values that a condition reads.
///
/// # Errors
/// Which bound it breaks, in words for its author.
pub(super) fn inspect(expr: &IdedExpr) -> Result<Needs, String> {
    let mut walk = Walk { needs: Needs::default(), bound: Vec::new(), loops: 0 };
    walk.expr(expr, 0)?;
    Ok(walk.needs)
}

struct Walk<'a> {
    needs: Needs,
    /// Names that loops have given.
    bound: Vec<&'a str>,
    loops: usize,
}

impl<'a> Walk<'a> {
    fn expr(&mut self, expr: &'a IdedExpr, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err(format!("a condition is nested at most {MAX_DEPTH} deep; split it into several steps"));
        }
        if let Some(path) = path(expr) {
            if !self.bound.contains(&path[0]) {
                self.needs.insert(&path);
            }
            return Ok(());
        }
        let depth = depth + 1;
        match &expr.expr {
            Expr::Literal(_) | Expr::Ident(_) => Ok(()),
            Expr::Select(select) => self.expr(&select.operand, depth),
            Expr::Call(call) => {
                allowed(&call.func_name)?;
                if call.func_name == "matches" {
                    pattern(call.args.last())?;
                }
                call.target.iter().map(AsRef::as_ref).chain(&call.args).try_for_each(|part| self.expr(part, depth))
            }
            Expr::List(list) => list.elements.iter().try_for_each(|part| self.expr(part, depth)),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => {
                    self.expr(&entry.key, depth).and_then(|()| self.expr(&entry.value, depth))
                }
                EntryExpr::StructField(field) => self.expr(&field.value, depth),
            }),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension, depth),
            Expr::Struct(_) | Expr::Unspecified => Err("a condition can't make objects".to_owned()),
        }
    }

    fn comprehension(&mut self, it: &'a ComprehensionExpr, depth: usize) -> Result<(), String> {
        self.expr(&it.iter_range, depth)?;
        self.expr(&it.accu_init, depth)?;
        if self.loops == MAX_LOOPS {
            return Err(format!("loops (all, exists, map, filter) are nested at most {MAX_LOOPS} deep"));
        }
        let outer = self.bound.len();
        self.loops += 1;
        self.bound.extend([it.iter_var.as_str(), it.accu_var.as_str()]);
        self.bound.extend(it.iter_var2.as_deref());
        [&it.loop_cond, &it.loop_step, &it.result].into_iter().try_for_each(|part| self.expr(part, depth))?;
        self.bound.truncate(outer);
        self.loops -= 1;
        Ok(())
    }
}

/// `a.b.c` as its names. The last may be a test, as in `has(a.b.c)`.
fn path(expr: &IdedExpr) -> Option<Vec<&str>> {
    let mut names = Vec::new();
    let mut expr = expr;
    loop {
        match &expr.expr {
            Expr::Ident(name) => {
                names.push(name.as_str());
                names.reverse();
                return Some(names);
            }
            Expr::Select(select) if names.len() < MAX_DEPTH => {
                names.push(&select.field);
                expr = &select.operand;
            }
            _ => return None,
        }
    }
}

fn allowed(name: &str) -> Result<(), String> {
    if FUNCTIONS.contains(&name) || OPERATORS.contains(&name) {
        return Ok(());
    }
    let known = FUNCTIONS.iter().chain(MACROS).copied();
    Err(format!("there is no function {name}(){}", hint(name, known)))
}

/// A pattern is written in the flow, and must compile: one from an event could be made to be slow.
fn pattern(argument: Option<&IdedExpr>) -> Result<(), String> {
    let Some(IdedExpr { expr: Expr::Literal(LiteralValue::String(pattern)), .. }) = argument else {
        return Err("matches() takes a pattern in quotes, written in the flow".to_owned());
    };
    let mut context = cel::Context::with_env(std::sync::Arc::clone(&super::ENV));
    context.add_variable_from_value("pattern", pattern.inner());
    let tried = super::ENV.compile("''.matches(pattern)").map(|program| program.execute(&context));
    match tried {
        Ok(Ok(_)) => Ok(()),
        _ => Err(format!("{:?} is not a regular expression (or too large a one)", pattern.inner())),
    }
}
