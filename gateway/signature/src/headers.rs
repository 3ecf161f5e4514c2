//! Looks a header up in a list of pairs: any case, exactly once.

use crate::Refusal;

/// The value of the header `name`.
///
/// A header that comes twice is refused: a proxy and the gateway could read different ones.
pub(crate) fn only<'a, N, V>(headers: &'a [(N, V)], name: &str) -> Result<&'a [u8], Refusal>
where
    N: AsRef<str>,
    V: AsRef<[u8]>,
{
    let mut values =
        headers.iter().filter(|(known, _)| known.as_ref().eq_ignore_ascii_case(name)).map(|(_, value)| value.as_ref());
    let header = || name.to_owned();
    match (values.next(), values.next()) {
        (None, _) => Err(Refusal::Missing { header: header() }),
        (Some(value), None) => Ok(value),
        (Some(_), Some(_)) => Err(Refusal::Repeated { header: header() }),
    }
}
