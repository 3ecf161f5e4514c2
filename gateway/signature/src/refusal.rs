//! Why a delivery is not taken as authentic.

use crate::SchemeError;

/// Why a delivery is not taken as authentic.
///
/// Sending the same request again never helps (a stale one gets older); the answer to the sender is 401 without details.
/// Messages are for the operator's log: they name the header and what to do, and contain nothing of a secret, of a signature or of the body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request is not signed.
    #[error(
        "the header `{header}` is missing: the request was not signed by the provider, or a proxy removed the header"
    )]
    Missing {
        /// The header that was looked for.
        header: String,
    },
    /// The header came more than once, and one could be believed where the other is shown.
    #[error("the header `{header}` comes more than once: look for a proxy that adds it; a provider sends one")]
    Repeated {
        /// The header.
        header: String,
    },
    /// The header is there, but not in its form.
    #[error(
        "the header `{header}` is not {expected}: the request does not come from this provider, or the endpoint names another provider's scheme"
    )]
    Malformed {
        /// The header.
        header: String,
        /// What was expected.
        expected: Expected,
    },
    /// No live secret makes this signature.
    #[error(
        "no live secret of this endpoint makes the signature in `{header}`: compare the secret with the provider's, and see that no proxy changes the body"
    )]
    Mismatch {
        /// The signature's header.
        header: String,
    },
    /// No live secret is the one that was sent.
    #[error(
        "the secret in `{header}` is none of this endpoint's: compare them, and see that no proxy changes the header"
    )]
    Token {
        /// The header.
        header: String,
    },
    /// The delivery is authentic, but was signed too long ago, or in the future.
    #[error(
        "the time in `{header}` is {} the time of receipt, {tolerance_s} s are allowed: a replay or a late retry; if this befalls every delivery, set the machine's clock",
        distance(*.age_ms)
    )]
    Stale {
        /// The timestamp's header.
        header: String,
        /// How long before the time of receipt it was signed, in milliseconds; negative when after.
        age_ms: i64,
        /// How far off it may be, in seconds.
        tolerance_s: u32,
    },
    /// The scheme itself protects nothing.
    #[error(transparent)]
    Scheme(#[from] SchemeError),
}

/// The form a header should have had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// A signature in the scheme's prefix, encoding and length.
    Signature,
    /// At most [`MAX_SIGNATURES`](crate::MAX_SIGNATURES) signatures.
    FewSignatures,
    /// A whole number of Unix seconds or milliseconds.
    UnixTime,
    /// A secret behind its prefix.
    Token,
    /// The named fields that are signed, each once.
    Fields,
    /// A version of the scheme.
    Version,
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Signature => "a signature of the form that the scheme describes",
            Self::FewSignatures => "a short list of signatures",
            Self::UnixTime => "a Unix time in digits",
            Self::Token => "a secret in the form that the endpoint describes",
            Self::Fields => "a list of the fields that the scheme signs, each of them once",
            Self::Version => "a version that the scheme knows",
        })
    }
}

fn distance(age_ms: i64) -> String {
    let seconds = age_ms.unsigned_abs().div_ceil(1000);
    if age_ms < 0 { format!("{seconds} s after") } else { format!("{seconds} s before") }
}
