//! The custom section of a component that holds the plugin's manifest. Reads section headers only: no byte of code is looked at.

/// Name of the custom section that holds the manifest's text.
pub const MANIFEST_SECTION: &str = "tidegate:manifest";

/// Name of the custom section that holds signatures; always the last one.
pub const SIGNATURE_SECTION: &str = "tidegate:signature";

/// What every component starts with: `\0asm`, version 13, layer 1 (a core module has version 1, layer 0).
const COMPONENT_PREAMBLE: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];
const CORE_MODULE_PREAMBLE: [u8; 8] = [0, b'a', b's', b'm', 1, 0, 0, 0];
const CUSTOM_SECTION: u8 = 0;

/// Why a component's sections can't be read. Trying again does not help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SectionError {
    /// The bytes are no WebAssembly.
    NotWasm,
    /// The bytes are a core module, which was not made into a component.
    CoreModule,
    /// A section claims more bytes than there are.
    Truncated {
        /// Where the section starts, in bytes from the start of the file.
        offset: usize,
    },
    /// The component has no manifest section.
    NoManifest,
    /// The manifest is not UTF-8.
    NotText,
    /// Something follows the signatures.
    BehindSignatures {
        /// Where it starts, in bytes from the start of the file.
        offset: usize,
    },
}

impl std::fmt::Display for SectionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotWasm => f.write_str("expected a WebAssembly component, found something else (the file does not start with `\\0asm`)"),
            Self::CoreModule => f.write_str(
                "expected a WebAssembly component, found a core module: build it for wasm32-wasip2, or run `wasm-tools component new`",
            ),
            Self::Truncated { offset } => write!(f, "the component is cut off: its section at byte {offset} is longer than the file"),
            Self::NoManifest => {
                write!(f, "the component has no manifest (custom section `{MANIFEST_SECTION}`): pack it with `tidegate plugin pack`")
            }
            Self::BehindSignatures { offset } => {
                write!(f, "something follows the signatures of the component, at byte {offset}: it was changed after it was signed; sign it again")
            }
            Self::NotText => write!(f, "the manifest in custom section `{MANIFEST_SECTION}` is not UTF-8 text"),
        }
    }
}

impl std::error::Error for SectionError {}

/// The component with this manifest inside, in place of one it may have had. Signatures are left out: they were for other bytes.
///
/// # Errors
/// When the bytes are no component.
pub fn embed(component: &[u8], manifest: &str) -> Result<Vec<u8>, SectionError> {
    let mut packed = Vec::with_capacity(component.len() + manifest.len() + 64);
    packed.extend_from_slice(&COMPONENT_PREAMBLE);
    for section in sections(component)? {
        let section = section?;
        if !section.is_manifest() && !section.is_signature() {
            packed.extend_from_slice(section.whole);
        }
    }
    append(&mut packed, MANIFEST_SECTION, manifest.as_bytes());
    Ok(packed)
}

/// Appends a custom section.
pub(crate) fn append(component: &mut Vec<u8>, name: &str, content: &[u8]) {
    component.push(CUSTOM_SECTION);
    write_leb(component, leb_len(name.len()) + name.len() + content.len());
    write_leb(component, name.len());
    component.extend_from_slice(name.as_bytes());
    component.extend_from_slice(content);
}

/// The manifest's text inside a component.
///
/// # Errors
/// When the bytes are no component, or one without a manifest.
pub fn extract(component: &[u8]) -> Result<&str, SectionError> {
    for section in sections(component)? {
        let section = section?;
        if section.is_manifest() {
            return std::str::from_utf8(section.content).map_err(|_| SectionError::NotText);
        }
    }
    Err(SectionError::NoManifest)
}

/// One section of a component.
pub(crate) struct Section<'a> {
    /// With its header.
    pub(crate) whole: &'a [u8],
    /// Name of a custom section.
    custom: Option<&'a [u8]>,
    /// Without header and name.
    pub(crate) content: &'a [u8],
}

impl Section<'_> {
    fn is_manifest(&self) -> bool {
        self.custom == Some(MANIFEST_SECTION.as_bytes())
    }

    pub(crate) fn is_signature(&self) -> bool {
        self.custom == Some(SIGNATURE_SECTION.as_bytes())
    }
}

/// The top-level sections, in order.
pub(crate) fn sections(component: &[u8]) -> Result<Sections<'_>, SectionError> {
    let preamble = component.get(..8).ok_or(SectionError::NotWasm)?;
    if preamble == CORE_MODULE_PREAMBLE {
        return Err(SectionError::CoreModule);
    }
    if preamble != COMPONENT_PREAMBLE {
        return Err(SectionError::NotWasm);
    }
    Ok(Sections { bytes: component, at: 8 })
}

pub(crate) struct Sections<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Sections<'a> {
    /// The section at the current offset; `None` when it is longer than the file.
    fn read(&self) -> Option<Section<'a>> {
        let rest = &self.bytes[self.at..];
        let (&id, after_id) = rest.split_first()?;
        let (size, after_size) = read_leb(after_id)?;
        let content = after_size.get(..size)?;
        let whole = &rest[..rest.len() - after_size.len() + size];
        if id != CUSTOM_SECTION {
            return Some(Section { whole, custom: None, content });
        }
        let (name_len, named) = read_leb(content)?;
        Some(Section { whole, custom: Some(named.get(..name_len)?), content: &named[name_len..] })
    }
}

impl<'a> Iterator for Sections<'a> {
    type Item = Result<Section<'a>, SectionError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let Some(section) = self.read() else {
            let offset = std::mem::replace(&mut self.at, self.bytes.len());
            return Some(Err(SectionError::Truncated { offset }));
        };
        self.at += section.whole.len();
        Some(Ok(section))
    }
}

/// Reads an unsigned LEB128 number of at most 32 bits, and what follows it.
fn read_leb(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0u32;
    for (place, &byte) in bytes.iter().take(5).enumerate() {
        let bits = u32::from(byte & 0x7f);
        if place == 4 && bits > 0x0f {
            return None;
        }
        value |= bits << (7 * place);
        if byte & 0x80 == 0 {
            return Some((value as usize, &bytes[place + 1..]));
        }
    }
    None
}

fn write_leb(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let bits = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(bits);
            return;
        }
        out.push(bits | 0x80);
    }
}

fn leb_len(value: usize) -> usize {
    let mut scratch = Vec::with_capacity(5);
    write_leb(&mut scratch, value);
    scratch.len()
}

#[cfg(test)]
mod tests;
