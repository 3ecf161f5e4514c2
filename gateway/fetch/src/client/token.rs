//! A request to a token endpoint: where it may go is judged as of every request, it is never led elsewhere, and its answer is given to nobody but who asked.

use super::{Fetcher, causes};
use crate::{
    answer::{self, Unread},
    oauth::{TokenFault, TokenRequest},
    rules::Rules,
};
use tidegate_model::outcome::Request;

/// Largest answer: a token has a few hundred bytes.
const ANSWER_BYTES: usize = 64 << 10;

impl Fetcher {
    /// Status and body.
    ///
    /// # Errors
    /// It may not be asked, or did not answer.
    pub(crate) async fn ask_token(&self, rules: &Rules, asked: &TokenRequest) -> Result<(u16, String), TokenFault> {
        let way = rules.way(&asked.url).map_err(|refusal| TokenFault::Refused(refusal.to_string()))?;
        let mut headers = vec![
            ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
            ("accept".to_owned(), "application/json".to_owned()),
        ];
        headers.extend(asked.authorization.iter().map(|value| ("authorization".to_owned(), value.expose().to_owned())));
        let request = Request {
            method: "POST".to_owned(),
            url: asked.url.to_string(),
            headers,
            body: Some(asked.body.expose().to_owned()),
        };
        let whole = async {
            let response = self
                .send(way, &[], &request, &asked.url)
                .await
                .map_err(|error| TokenFault::Later(format!("it could not be reached: {}", causes(&error))))?;
            let status = response.status().as_u16();
            let body = answer::read(response, ANSWER_BYTES).await.map_err(|unread| match unread {
                Unread::Unfit(reason) => TokenFault::Refused(reason),
                Unread::Broken(error) => {
                    TokenFault::Later(format!("its answer broke off: {}", causes(&error.without_url())))
                }
            })?;
            Ok((status, body))
        };
        let late = || TokenFault::Later(format!("no whole answer came within {} s", self.total.as_secs()));
        tokio::time::timeout(self.total, whole).await.unwrap_or_else(|_| Err(late()))
    }
}
