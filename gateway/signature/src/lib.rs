//! Verifies and makes webhook signatures. The schemes are data (`tidegate_model::scheme`); this package carries them out on raw bytes, in constant time, and fails
//! closed. It knows no endpoint, no configuration and no clock: the time of receipt is an argument.

mod builtin;
mod calendly;
mod content;
mod fields;
mod form;
mod headers;
mod html;
mod hubspot;
mod meta;
mod proof;
mod refusal;
mod secret;
mod shopify;
mod sign;
mod soundness;
mod standard_webhooks;
mod twilio;
mod verify;
mod woocommerce;

pub use builtin::{SCHEME_NAMES, scheme};
pub use content::Target;
pub use proof::prove;
pub use refusal::{Expected, Refusal};
pub use secret::{MAX_SECRETS, Secret, SecretError, Secrets};
pub use sign::{Outgoing, SignError, sign, sign_request};
pub use soundness::{SchemeError, check_scheme};
pub use verify::{MAX_SIGNATURES, Verified, verify, verify_request};
