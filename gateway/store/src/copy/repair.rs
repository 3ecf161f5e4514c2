//! Repair: the best that can be salvaged takes the place of a damaged store, which is kept beside it.

use super::{CopyError, Home, Salvaged, Tell, Variant, salvage, store_bytes};
use crate::{engine::OpenError, sled::DirLock};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The name of a damaged store that was kept, before its number.
const KEPT: &str = "store.damaged";
/// Copies of the store that lie beside it for a while: its files, and what was salvaged of them each way.
const COPIES: u64 = 3;

/// What a repair did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repaired {
    /// What was read, and what is lost.
    pub salvaged: Salvaged,
    /// Where the damaged store is now; none when there was nothing to repair.
    pub kept: Option<PathBuf>,
    /// Ways of reading that gave nothing, and why.
    pub failed: Vec<String>,
}

/// Salvages the store of a data directory or backup each way, and puts the better result in its place; a sound store stays as it is. The
/// damaged one is not written to: it is moved aside, as it is.
///
/// # Errors
/// Nothing at all can be read, or the disk refuses.
pub fn repair(dir: &Path, tell: Tell<'_>) -> Result<Repaired, CopyError> {
    let home = Home::of_a_store(dir)?;
    let store = home.store();
    let lock = DirLock::take(&store, None)?;
    home.needs(store_bytes(dir)?.saturating_mul(COPIES), None)?;
    let (mut best, mut failed, mut last): (Option<(Salvaged, PathBuf)>, Vec<String>, Option<CopyError>) =
        Default::default();
    for (variant, name) in [(Variant::WithSnapshot, "with-snapshot"), (Variant::WithoutSnapshot, "without-snapshot")] {
        let place = home.place(name);
        match salvage(&store, &home.place(&format!("{name}.files")), &place, variant, tell) {
            Ok(salvaged) if salvaged.is_whole() && salvaged.refused.is_none() => {
                return Ok(Repaired { salvaged, kept: None, failed });
            }
            Ok(salvaged) => {
                if best.as_ref().is_none_or(|(held, _)| held.worth() < salvaged.worth()) {
                    best = Some((salvaged, place));
                }
            }
            Err(error @ (CopyError::Stopped | CopyError::Open(OpenError::NewerFormat { .. }))) => return Err(error),
            Err(error) => {
                failed.push(format!("{name}: {error}"));
                last = Some(error);
            }
        }
    }
    let Some((salvaged, place)) = best else {
        return Err(last.unwrap_or_else(|| CopyError::Unreadable("sled opens it in no way".to_owned())));
    };
    home.exchange(&place)?;
    let kept = home.keep(&place, KEPT)?;
    drop(lock);
    Ok(Repaired { salvaged, kept: Some(kept), failed })
}
