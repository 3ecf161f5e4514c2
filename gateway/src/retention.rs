//! Retention: what is old is removed, oldest first, in small commits, and never what something still needs. The rules are pure; a sweep
//! reads slices, asks the rules, and commits. Nothing of a sweep is stored: one that was interrupted begins anew and finds the rest.

mod needed;
mod orphans;
mod pass;
mod removals;
mod rules;
mod slices;

pub(crate) use pass::{Stepped, Sweep};
pub(crate) use rules::{Load, pause};

#[cfg(test)]
mod tests;
