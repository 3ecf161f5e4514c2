//! The brittle plugin: built once in a test run, in a version with a defect and a version without.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};
use tidegate_plugin_pack::{Crate, build, embed};

const MANIFEST: &str = r#"
id = "brittle"
name = "Brittle bookings"
version = "VERSION"
signature = { scheme = "shopify" }
items = { topic = { header = "x-shopify-topic" }, dedupe = [{ header = "x-shopify-webhook-id" }] }
limits = { LIMITS }
MORE
"#;
/// What the built component carries, and what the mended version carries in its place.
const DEFECT: (&[u8], &[u8]) = (b"defect:brittle", b"defect:mended.");

/// Limits with time enough for a slow machine.
pub(crate) const LIMITS: &str = "memory_bytes = 16777216, deadline_ms = 10000";

/// Versions of the brittle plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brittle {
    /// Traps at a booking without a name.
    Defective,
    /// Does not.
    Mended,
}

impl Brittle {
    /// The packed plugin.
    ///
    /// # Panics
    /// When it does not build.
    pub fn packed(self, program: &Path) -> Vec<u8> {
        self.packed_with(program, LIMITS)
    }

    /// The packed plugin with more in its manifest, as TOML.
    ///
    /// # Panics
    /// When it does not build.
    pub fn packed_asking(self, program: &Path, more: &str) -> Vec<u8> {
        self.packed_with_both(program, LIMITS, more)
    }

    /// The packed plugin with these limits, as they stand in a manifest.
    ///
    /// # Panics
    /// When it does not build.
    pub fn packed_with(self, program: &Path, limits: &str) -> Vec<u8> {
        self.packed_with_both(program, limits, "")
    }

    /// The packed plugin with these limits, and with these lines of its own in the manifest.
    pub(crate) fn packed_with_both(self, program: &Path, limits: &str, more: &str) -> Vec<u8> {
        let version = match self {
            Self::Defective => "0.1.0",
            Self::Mended => "0.1.1",
        };
        let manifest = MANIFEST.replace("VERSION", version).replace("LIMITS", limits).replace("MORE", more);
        self.packed_from(program, &manifest)
    }

    /// The packed plugin as this version, with these lines at the end of its manifest.
    ///
    /// # Panics
    /// When it does not build.
    pub fn packed_as(self, program: &Path, version: &str, more: &str) -> Vec<u8> {
        let manifest = MANIFEST.replace("VERSION", version).replace("LIMITS", LIMITS).replace("MORE", "");
        self.packed_from(program, &format!("{manifest}{more}\n"))
    }

    fn packed_from(self, program: &Path, manifest: &str) -> Vec<u8> {
        let component = match self {
            Self::Defective => component(program).to_vec(),
            Self::Mended => mended(component(program)),
        };
        embed(&component, manifest).unwrap_or_else(|error| panic!("{error}"))
    }
}

fn component(program: &Path) -> &'static [u8] {
    static COMPONENT: OnceLock<Vec<u8>> = OnceLock::new();
    COMPONENT.get_or_init(|| built(program, "tidegate-brittle-guest", "guests/brittle"))
}

/// Builds a plugin of the tests; the folder is given from this package.
pub(crate) fn built(program: &Path, package: &str, folder: &str) -> Vec<u8> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    // Where the other plugins of this build are made: target/guests, beside target/release/tidegate.
    let target_dir = program.ancestors().nth(2).unwrap_or(program).join("guests");
    build(Crate { package, dir: &dir, target_dir: &target_dir }).unwrap_or_else(|error| panic!("{error}"))
}

fn mended(component: &[u8]) -> Vec<u8> {
    let (defect, repair) = DEFECT;
    let places: Vec<usize> =
        component.windows(defect.len()).enumerate().filter(|(_, part)| *part == defect).map(|(at, _)| at).collect();
    assert_eq!(places.len(), 1, "the component says once which version it is");
    let mut mended = component.to_vec();
    mended[places[0]..places[0] + repair.len()].copy_from_slice(repair);
    mended
}
