//! The Graph API as a judge of requests: what it takes, and the error it gives for the rest. Pure: a request in, a verdict out.

pub(crate) mod error;
mod interactive;
mod other;
pub(crate) mod request;
mod shape;
mod template;
pub(crate) mod text;

/// Oldest and newest version that answer (<https://developers.facebook.com/docs/graph-api/changelog>, 2026).
const VERSIONS: std::ops::RangeInclusive<u32> = 21..=26;

/// Whether a path's first part is a version that answers.
pub(crate) fn is_version(part: &str) -> bool {
    part.strip_prefix('v')
        .and_then(|part| part.strip_suffix(".0"))
        .and_then(|major| major.parse::<u32>().ok())
        .is_some_and(|major| VERSIONS.contains(&major))
}

#[cfg(test)]
mod tests;
