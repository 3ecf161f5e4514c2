//! Where the webhooks of a WhatsApp account's numbers go. A number may have an address of its own, and else has the account's; what is left goes to the app's.
//!
//! Source: <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/override/>.

use super::{Account, FIELDS_UNSEEN, UNSEEN, by_hand, done, fields_by_hand};
use crate::graph::Refusal;
use serde::Deserialize;
use tidegate_plugin_sdk::{Calls, Error, Report, Request, Severity, Target, json, json::Text};

/// Most numbers that are looked at: more than an account has.
const NUMBERS: u32 = 100;

#[derive(Deserialize)]
struct Listed<'a> {
    #[serde(borrow)]
    data: Vec<Number<'a>>,
}

#[derive(Deserialize)]
struct Number<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    display_phone_number: Option<Text<'a>>,
    #[serde(borrow)]
    webhook_configuration: Option<Configured<'a>>,
}

/// The addresses that were set. The account's is told by the list of its apps, too.
#[derive(Deserialize)]
struct Configured<'a> {
    #[serde(borrow)]
    phone_number: Option<Text<'a>>,
    #[serde(borrow)]
    application: Option<Text<'a>>,
}

/// The addresses of an account's numbers; none where they are not seen.
#[derive(Default)]
pub(super) struct Addresses<'a> {
    numbers: Vec<Number<'a>>,
}

impl<'a> Addresses<'a> {
    /// Asks for them. A token that may not see them is no reason to tell nothing.
    pub(super) fn of(calls: &mut Calls<'a>, graph: &str, account: &str) -> Result<Self, Error> {
        let fields = "id,display_phone_number,webhook_configuration";
        let url = format!("{graph}/{account}/phone_numbers?fields={fields}&limit={NUMBERS}");
        let response = calls.call(Request::get(url))?;
        if !response.is_success() && !Refusal::of(response).is_busy() {
            return Ok(Self::default());
        }
        let listed: Listed<'a> = done(response)?.json()?;
        Ok(Self { numbers: listed.data })
    }

    /// The app's address, which all numbers tell.
    fn app(&self) -> Option<&str> {
        let configured = self.numbers.iter().filter_map(|number| number.webhook_configuration.as_ref());
        configured.filter_map(|addresses| json::filled(addresses.application.as_deref())).next()
    }

    /// The app's address, when it is another one than the target.
    pub(super) fn app_elsewhere(&self, target: &Target) -> Option<&str> {
        self.app().filter(|url| *url != target.url)
    }

    /// What is to be known of an account that is heard.
    pub(super) fn report(&self, report: Report, account: &Account<'_>, target: &Target) -> Report {
        let report = self.numbers.iter().fold(report, |report, number| number.report(report, target));
        let Some(app) = self.app() else {
            return report.with_finding(Severity::Note, UNSEEN, &by_hand(account.kind, target, ""));
        };
        let report = match (app == target.url, account.own()) {
            (true, _) => report,
            (false, Some(_)) => report.with_finding(
                Severity::Note,
                format!(
                    "only {} come here: Meta sends the other fields to the app's address, {app}, whatever address the account has",
                    account.heard(target).join(" and ")
                ),
                "have the gateway there hear of them, or set the app's callback URL to this one",
            ),
            (false, None) => report.with_finding(
                Severity::Problem,
                format!("the app's webhooks go to {app}, and not here"),
                &by_hand(
                    account.kind,
                    target,
                    "; or, for the messages of this account alone, set `own_address = true` in the connection's settings, and subscribe it",
                ),
            ),
        };
        report.with_finding(Severity::Note, FIELDS_UNSEEN, &fields_by_hand(target))
    }
}

impl Number<'_> {
    fn report(&self, report: Report, target: &Target) -> Report {
        let own = self.webhook_configuration.as_ref().and_then(|addresses| addresses.phone_number.as_deref());
        let Some(url) = json::filled(own).filter(|url| *url != target.url) else { return report };
        let (id, shown) = (self.id.as_str(), self.display_phone_number.as_ref().unwrap_or(&self.id).as_str());
        report.with_finding(
            Severity::Warning,
            format!("messages of the number {shown} go to {url}, and not here"),
            &format!(
                "if no other gateway is to have them, take the number's own address away: POST /{id} with {{\"webhook_configuration\": {{\"override_callback_uri\": \"\"}}}}"
            ),
        )
    }
}
