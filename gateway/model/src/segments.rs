//! Segments of an SMS: how many parts a text is sent and billed in. Pure; which texts a provider takes is not known here.
//!
//! Source: 3GPP TS 23.038, the GSM 7-bit alphabet and its extension table; TS 23.040, six bytes of header in each part of a long text. The national tables are
//! not used: Twilio's own counter does not use them.

use serde::Serialize;

/// Septets in a text of one part, and in each of several.
const SEPTETS: [usize; 2] = [160, 153];
/// Code units of UTF-16 in a text of one part, and in each of several.
const CODE_UNITS: [usize; 2] = [70, 67];

/// Characters of the GSM alphabet that take one septet, besides letters, digits and those of [`ASCII`].
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ ¤¡ÄÖÑÜ§¿äöñüà";
/// Signs of ASCII among them.
const ASCII: &str = "!\"#%&'()*+,-./:;<=>?";
/// Characters of the extension table: an escape and a septet, in one part.
const EXTENSION: &str = "^{}\\[]~|€\u{c}";

/// How a text is written on the air.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Encoding {
    /// The GSM 7-bit alphabet.
    #[serde(rename = "GSM-7")]
    Gsm7,
    /// UCS-2, 16 bits for each code unit: one character outside the GSM alphabet asks for it.
    #[serde(rename = "UCS-2")]
    Ucs2,
}

/// The parts of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Segments {
    /// How it is written.
    pub encoding: Encoding,
    /// Septets, or code units of UTF-16.
    pub units: usize,
    /// Parts, at least one.
    pub segments: usize,
}

/// Counts a text's parts. What takes two units (the extension table, a surrogate pair) is never split over two parts.
pub fn segments(text: &str) -> Segments {
    match text.chars().map(septets).collect::<Option<Vec<_>>>() {
        Some(sizes) => counted(Encoding::Gsm7, &sizes, SEPTETS),
        None => counted(Encoding::Ucs2, &text.chars().map(char::len_utf16).collect::<Vec<_>>(), CODE_UNITS),
    }
}

/// Septets of a character; `None` outside the alphabet.
fn septets(c: char) -> Option<usize> {
    if c.is_ascii_alphanumeric() || ASCII.contains(c) || BASIC.contains(c) {
        return Some(1);
    }
    EXTENSION.contains(c).then_some(2)
}

fn counted(encoding: Encoding, sizes: &[usize], [alone, each]: [usize; 2]) -> Segments {
    let units: usize = sizes.iter().sum();
    if units <= alone {
        return Segments { encoding, units, segments: 1 };
    }
    let (mut segments, mut room) = (1, each);
    for size in sizes {
        if *size > room {
            segments += 1;
            room = each;
        }
        room -= size;
    }
    Segments { encoding, units, segments }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Made with `sms-segments-calculator` 1.3.0 (Twilio Labs), smart encoding off. It counts a pair of surrogates as one unit.
    const VECTORS: &str = include_str!("segments/vectors.json");

    #[test]
    fn texts_have_the_parts_that_twilio_s_own_counter_gives() {
        let vectors: Vec<serde_json::Value> = serde_json::from_str(VECTORS).unwrap();
        assert_eq!(vectors.len(), 26);
        for vector in vectors {
            let text = vector["text"].as_str().unwrap();
            let found = serde_json::to_value(segments(text)).unwrap();
            assert_eq!(
                (&found["encoding"], &found["segments"]),
                (&vector["encoding"], &vector["segments"]),
                "{text:?}"
            );
            if text.chars().all(|c| c.len_utf16() == 1) {
                assert_eq!(found["units"], vector["units"], "{text:?}");
            }
        }
    }

    #[test]
    fn the_alphabet_has_its_128_places() {
        let known = (0..=0x3ff).filter_map(char::from_u32).filter(|c| septets(*c) == Some(1));
        // One place is the escape to the extension table.
        assert_eq!(known.count(), 127);
        assert_eq!(EXTENSION.chars().filter_map(septets).collect::<Vec<_>>(), [2; 10]);
    }

    proptest! {
        #[test]
        fn parts_hold_the_text_and_no_part_is_wasted(text in "[a-z€^ç😀]{0,400}") {
            let Segments { encoding, units, segments: count } = segments(&text);
            let [alone, each] = if encoding == Encoding::Gsm7 { SEPTETS } else { CODE_UNITS };
            let room = if count == 1 { alone } else { each * count };
            prop_assert!(units <= room);
            // At most one unit of each part stays free.
            prop_assert!(count == 1 || units > (each - 1) * (count - 1));
        }
    }
}
