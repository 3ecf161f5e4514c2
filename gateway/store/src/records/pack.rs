//! Compression, as bodies and long records use it.

use std::cell::RefCell;
use zstd::bulk::{Compressor, Decompressor};

const ZSTD_LEVEL: i32 = 1;

thread_local! {
    /// A context of zstd is some hundred KiB and costs more to make than a body of a webhook costs to compress: each thread keeps its own.
    static PACKER: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static UNPACKER: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Compresses; `None` when zstd can't.
pub(super) fn pack(bytes: &[u8]) -> Option<Vec<u8>> {
    PACKER.with_borrow_mut(|held| {
        if held.is_none() {
            *held = Compressor::new(ZSTD_LEVEL).ok();
        }
        held.as_mut()?.compress(bytes).ok()
    })
}

/// Unpacks at most the stored length, whatever the bytes claim; `None` when they are broken, or more.
pub(super) fn unpack(bytes: &[u8], length: usize) -> Option<Vec<u8>> {
    UNPACKER.with_borrow_mut(|held| {
        if held.is_none() {
            *held = Decompressor::new().ok();
        }
        held.as_mut()?.decompress(bytes, length).ok()
    })
}
