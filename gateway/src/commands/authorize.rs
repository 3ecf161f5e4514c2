//! Authorizations: a person says yes at the provider, in a browser; what the provider leads back with is exchanged for tokens, which are sealed.

use super::connection::{named, shown};
use crate::{
    app::App,
    connecting::{self, Subject},
    http::{Code, Problem},
    vault::random,
};
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tidegate_fetch::{Attempt, CallbackFault, Keeper, NotAuthorized, RANDOM_BYTES, TokenFault};

/// Where the provider is to lead back to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Authorize {
    /// An URL that the app at the provider has among its redirect URLs.
    pub redirect: String,
}

/// What the provider led back with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Callback {
    /// The query of the URL. It holds a code, which is a secret.
    pub query: String,
}

/// Begins an authorization: gives the URL that a person opens.
///
/// # Errors
/// 404 for an unknown connection, 409 for one that nobody authorizes, 400 for an address that is none to lead back to.
pub(crate) fn authorize_connection(app: &App, name: &str, asked: &Authorize) -> Result<Value, Problem> {
    let subject = named(app, name)?;
    let keeper = keeper(&subject)?;
    let redirect = redirect(&asked.redirect).map_err(|problem| Problem::new(Code::ParameterInvalid, problem))?;
    let mut bytes = [0; RANDOM_BYTES];
    random(&mut bytes).map_err(|fault| Problem::internal(&fault))?;
    let attempt = Attempt::new(&bytes, redirect);
    let Some(url) = attempt.url(&keeper.provider, &keeper.client) else { return Err(nobody_is_asked(&subject)) };
    app.connecting().begin(subject.connection.number, attempt);
    Ok(json!({ "url": url.as_str() }))
}

/// Ends an authorization: its code is exchanged, and the tokens are kept. What waited for them goes on.
///
/// # Errors
/// 404 for an unknown connection, 409 when nothing was begun or the provider gives nothing, 400 for an answer that does not belong to it, 503 when the provider is out
/// of reach.
pub(crate) async fn end_authorization(app: &Arc<App>, name: &str, callback: &Callback) -> Result<Value, Problem> {
    let subject = named(app, name)?;
    let (keeper, number) = (keeper(&subject)?, subject.connection.number);
    let Some(attempt) = app.connecting().begun(number) else {
        let problem = format!("no authorization of {name} was begun: `tidegate connection authorize {name}`");
        return Err(Problem::new(Code::Conflict, problem));
    };
    let code = attempt.code(&callback.query);
    // What somebody else sent must not end it.
    if matches!(code, Ok(_) | Err(CallbackFault::Denied(_))) {
        app.connecting().end(number, &attempt);
    }
    keeper.exchange(&attempt, &code?).await?;
    tracing::info!(connection = name, "the connection is authorized");
    let app_of = Arc::clone(app);
    let armed = tokio::task::spawn_blocking(move || connecting::arm(&app_of, &subject)).await;
    armed.map_err(|error| Problem::internal(&error))??;
    shown(app, &named(app, name)?).await
}

fn keeper(subject: &Subject) -> Result<&Keeper, Problem> {
    let connection = &subject.connection;
    let Some(keeper) = connection.keeper() else {
        let manifest = connection.interpreter.plugin.manifest();
        let app = manifest.auth.iter().find(|auth| auth.needs_person());
        let problem = match app.and_then(|auth| Some((auth.user.as_ref()?, &auth.secret))) {
            Some((id, secret)) => format!(
                "the connection {} has no app: put {id} and {secret} under [connections.credentials] in place of a token, and `tidegate reload`",
                connection.name
            ),
            None => format!("connections of the plugin {} are not authorized by a person", manifest.id),
        };
        return Err(Problem::new(Code::Conflict, problem));
    };
    if keeper.needs_person() { Ok(keeper) } else { Err(nobody_is_asked(subject)) }
}

fn nobody_is_asked(subject: &Subject) -> Problem {
    let problem = format!("the app of the connection {} asks for its tokens by itself", subject.connection.name);
    Problem::new(Code::Conflict, problem)
}

/// An address that a code may be sent to: this machine, or by https.
fn redirect(text: &str) -> Result<&str, String> {
    let wrong = || format!("redirect: expected an https URL, or http://localhost with a port, found {text:?}");
    let url = Url::parse(text).map_err(|_| wrong())?;
    let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let fits = url.scheme() == "https" || (url.scheme() == "http" && is_here);
    if fits && url.fragment().is_none() && url.username().is_empty() { Ok(text) } else { Err(wrong()) }
}

impl From<CallbackFault> for Problem {
    fn from(fault: CallbackFault) -> Self {
        let code = match fault {
            CallbackFault::Foreign | CallbackFault::NoCode => Code::ParameterInvalid,
            CallbackFault::Denied(_) => Code::Conflict,
        };
        Self::new(code, fault.to_string())
    }
}

impl From<NotAuthorized> for Problem {
    fn from(fault: NotAuthorized) -> Self {
        let code = match fault {
            NotAuthorized::Refused(TokenFault::Later(_)) => Code::Unavailable,
            NotAuthorized::Refused(_) | NotAuthorized::Lost(_) => Code::Conflict,
        };
        Self::new(code, fault.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::redirect;

    #[test]
    fn a_code_is_sent_to_this_machine_or_by_https() {
        let check = |text: &str, expected: bool| assert_eq!(redirect(text).is_ok(), expected, "{text}");
        check("http://localhost:8976/callback", true);
        check("http://127.0.0.1:8976/callback", true);
        check("http://[::1]:8976/callback", true);
        check("https://agency.example/oauth?of=tidegate", true);
        check("http://agency.example/oauth", false);
        check("http://localhost.agency.example/oauth", false);
        check("https://agency.example/oauth#here", false);
        check("https://somebody@agency.example/oauth", false);
        check("javascript:alert(1)", false);
        check("", false);
    }
}
