//! The conformance list on both engines.

use super::*;
use crate::{
    memory::Memory,
    sled::{SledOptions, open},
};

mod histories;

struct InMemory(Option<Memory>);

impl Harness for InMemory {
    fn engine(&self) -> Arc<dyn Engine> {
        self.0.as_ref().expect("open").engine()
    }

    fn reopen(&mut self) {
        self.0 = self.0.take().map(Memory::reopen);
    }
}

/// A store in a directory of its own.
struct OnDisk {
    dir: tempfile::TempDir,
    engine: Option<Arc<dyn Engine>>,
}

impl OnDisk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let engine = Some(open(&SledOptions::new(dir.path())).unwrap());
        Self { dir, engine }
    }
}

impl Harness for OnDisk {
    fn engine(&self) -> Arc<dyn Engine> {
        Arc::clone(self.engine.as_ref().expect("open"))
    }

    fn reopen(&mut self) {
        self.engine = None;
        self.engine = Some(open(&SledOptions::new(self.dir.path())).unwrap());
    }
}

macro_rules! run_both {
    ($($module:ident: $name:ident,)*) => {
        mod memory {
            $(#[test]
            fn $name() {
                super::super::$name(&mut super::InMemory(Some(crate::memory::Memory::new())));
            })*
        }

        mod sled {
            $(#[test]
            fn $name() {
                super::super::$name(&mut super::OnDisk::new());
            })*
        }
    };
}
crate::foreach_conformance_check!(run_both);
