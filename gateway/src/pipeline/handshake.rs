//! Handshake: some providers check a URL before they use it. The manifest says by which parameters, the configuration holds the token.

use crate::{
    catalog::Endpoint,
    http::{Code, Problem},
};
use std::collections::HashMap;
use subtle::ConstantTimeEq;

/// The challenge to send back.
///
/// # Errors
/// 400 when a parameter is missing, 403 when the token is another.
pub(crate) fn handshake(endpoint: &Endpoint, query: &HashMap<String, String>) -> Result<String, Problem> {
    let malformed = |detail: String| Problem::new(Code::HandshakeMalformed, detail);
    let rule = endpoint.manifest.handshake.as_ref().ok_or_else(|| {
        malformed(format!("the plugin {} has no handshake: webhooks are sent by POST", endpoint.manifest.id))
    })?;
    let parameter = |name: &str| {
        query
            .get(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| malformed(format!("the parameter {name} is missing")))
    };
    let mode = parameter(&rule.mode)?;
    if *mode != rule.mode_value {
        return Err(malformed(format!("the parameter {} must be {:?}", rule.mode, rule.mode_value)));
    }
    let (token, challenge) = (parameter(&rule.token)?, parameter(&rule.challenge)?);
    let Some(expected) = &endpoint.verify_token else {
        return Err(Problem::new(Code::HandshakeRefused, "the endpoint has no verify_token in the configuration"));
    };
    if bool::from(expected.expose().as_bytes().ct_eq(token.as_bytes())) {
        Ok(challenge.clone())
    } else {
        Err(Problem::new(Code::HandshakeRefused, format!("{} is not the endpoint's verify_token", rule.token)))
    }
}
