//! What an endpoint's section and its plugin's manifest say together: the manifest at that endpoint, and how its provider shows who it is.

use super::{CatalogFault, load::fault};
use crate::config;
use tidegate_model::scheme::{KeyForm, Proof, SignatureScheme};
use tidegate_plugin_host::{Configured, EndpointPart, Manifest, Plugin, Signature};

/// What the section says in the manifest's place.
pub(super) fn given(section: &config::Endpoint) -> Configured {
    Configured {
        signature: section.signature.clone(),
        items: section.items.clone(),
        response: section.response.clone(),
        handshake: section.handshake.clone(),
    }
}

/// The manifest at the endpoint.
pub(super) fn manifest_of(section: &config::Endpoint, plugin: &Plugin) -> Result<Manifest, CatalogFault> {
    let configured = plugin.manifest().configured(&given(section));
    configured.map_err(|error| fault(format!("endpoints.{}.{}", section.name, error.key), error.reason))
}

/// How deliveries to the endpoint are told to be authentic.
pub(super) fn proof_of(section: &config::Endpoint, manifest: &Manifest) -> Result<Proof, CatalogFault> {
    let key = format!("endpoints.{}", section.name);
    let is_left = manifest.leaves(EndpointPart::Signature);
    if section.unsigned {
        let problem = || format!("the plugin {} says how its provider signs; take `unsigned` out", manifest.id);
        return if is_left { Ok(Proof::Nothing) } else { Err(fault(format!("{key}.unsigned"), problem())) };
    }
    match &manifest.signature {
        Some(Signature::Token(rule)) => Ok(Proof::Token(rule.clone())),
        None if is_left => {
            let problem = format!(
                "the plugin {} leaves it to the endpoint to say how webhooks are signed: add signature = {{ scheme = \"standard-webhooks\" }}, another scheme, or unsigned = true",
                manifest.id
            );
            Err(fault(format!("{key}.signature"), problem))
        }
        _ => scheme_of(manifest).map(Proof::Signature).map_err(|problem| fault(key, problem)),
    }
}

/// How the configured secrets become key bytes.
pub(super) const fn key_form(proof: &Proof) -> &KeyForm {
    match proof {
        Proof::Signature(scheme) => &scheme.key,
        Proof::Token(_) | Proof::Nothing => &KeyForm::Text,
    }
}

/// How a plugin's provider signs.
pub(crate) fn scheme_of(manifest: &Manifest) -> Result<SignatureScheme, String> {
    let id = &manifest.id;
    match &manifest.signature {
        Some(Signature::Named { scheme }) => tidegate_signature::scheme(scheme).ok_or_else(|| {
            let known = tidegate_signature::SCHEME_NAMES.join(", ");
            format!("the plugin {id} names the signature scheme {scheme:?}; this version knows {known}")
        }),
        Some(Signature::Scheme(scheme)) => {
            tidegate_signature::check_scheme(scheme)
                .map_err(|error| format!("the plugin {id}'s signature scheme: {error}"))?;
            Ok(scheme.clone())
        }
        Some(Signature::Token(_)) => Err(format!("the plugin {id} has a static token, and no signature")),
        None => Err(format!("the plugin {id} has no signature scheme, and unsigned webhooks are not taken")),
    }
}
