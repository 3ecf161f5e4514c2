//! The schemes known by name.

use tidegate_model::scheme::SignatureScheme;

use crate::{calendly, hubspot, meta, shopify, standard_webhooks, twilio, woocommerce};

/// The names that [`scheme`] knows, for the message that lists them.
pub const SCHEME_NAMES: [&str; 7] =
    ["calendly", "hubspot", "meta", "shopify", "standard-webhooks", "twilio", "woocommerce"];

/// The built-in scheme of this name, or `None` when there is none (see [`SCHEME_NAMES`]).
#[must_use]
pub fn scheme(name: &str) -> Option<SignatureScheme> {
    match name {
        "calendly" => Some(calendly::scheme()),
        "hubspot" => Some(hubspot::scheme()),
        "meta" => Some(meta::scheme()),
        "shopify" => Some(shopify::scheme()),
        "standard-webhooks" => Some(standard_webhooks::scheme()),
        "twilio" => Some(twilio::scheme()),
        "woocommerce" => Some(woocommerce::scheme()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{SCHEME_NAMES, scheme};
    use crate::check_scheme;

    #[test]
    fn every_listed_name_is_a_sound_scheme_and_no_other_name_is_known() {
        for name in SCHEME_NAMES {
            let scheme = scheme(name).unwrap();
            assert_eq!(check_scheme(&scheme), Ok(()), "{name}");
        }
        assert_eq!(scheme("Shopify"), None);
        assert_eq!(scheme(""), None);
    }
}
