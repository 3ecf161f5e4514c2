//! Senders of each channel, made of their sections, and whether flows name those that there are.

use super::{CatalogFault, Loader, fault, secret};
use crate::{
    catalog::{Sender, Workspace},
    config,
};
use sha2::{Digest, Sha256};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tidegate_channels::{Channel, Credentials, Token, TwilioConfig, TwilioSender, WhatsappConfig, WhatsappSender};
use tidegate_flows::{Action, Step};
use tidegate_model::message::ChannelKind;
use tidegate_store::records::Named;

/// How a section's channel is reached.
struct Made {
    channel: Arc<dyn Channel>,
    provider_id: String,
    also: Option<String>,
    /// Whom the provider refuses together with it; of its credentials where that is not known.
    account: Option<String>,
}

impl Loader<'_> {
    pub(super) fn senders(&mut self) -> Result<Vec<Arc<Sender>>, CatalogFault> {
        let sections = &self.config.senders;
        sections.iter().map(|section| self.sender(section)).collect()
    }

    /// A sender that has not changed is the same one, with what it knows of its provider.
    fn sender(&mut self, section: &config::Sender) -> Result<Arc<Sender>, CatalogFault> {
        let key = format!("senders.{}", section.name);
        let subject = format!("sender {}", section.name);
        self.facts.note(subject.clone(), section);
        let (mut secrets, mut all) = (HashMap::new(), String::new());
        for (name, text) in section.secrets() {
            let text = secret(&key, name, text)?;
            self.facts.note_hidden(subject.clone(), name, &text);
            all.push_str(text.trim());
            secrets.insert(name, text);
        }
        let callback = section.endpoint.as_ref().map(|name| format!("{}/in/{name}", self.config.public_url()));
        if let Some(callback) = &callback {
            self.facts.note_text(subject.clone(), "callbacks", callback);
        }
        if let Some(previous) = self.previous
            && self.facts.same(previous.facts(), &subject)
            && let Some(held) = previous.senders.iter().find(|held| held.name == section.name)
        {
            return Ok(Arc::clone(held));
        }
        // An account's auth token or API key, or an app's token: all senders with it fail alike.
        let app = hex::encode(&Sha256::digest(&all)[..8]);
        let made = match section.channel {
            ChannelKind::Whatsapp => self.whatsapp(section, &key, &secrets),
            ChannelKind::Sms => self.twilio(section, &key, &secrets, callback.unwrap_or_default()),
        }?;
        Ok(Arc::new(Sender {
            name: section.name.clone(),
            number: self.number(Named::Sender, &section.name)?,
            workspace: self.number(Named::Workspace, &section.workspace)?,
            provider_id: made.provider_id,
            also: made.also,
            kind: section.channel,
            account: made.account.unwrap_or_else(|| format!("of-app-{app}")),
            app,
            channel: made.channel,
            meter: self.metrics.sender(&section.name),
        }))
    }

    fn whatsapp(
        &self,
        section: &config::Sender,
        key: &str,
        secrets: &HashMap<&str, String>,
    ) -> Result<Made, CatalogFault> {
        let token = secrets.get("access_token").map_or("", String::as_str);
        let provider_id = section.phone_number_id.clone().unwrap_or_default();
        let settings = WhatsappConfig {
            name: section.name.clone(),
            phone_number_id: provider_id.clone(),
            access_token: Token::new(token).map_err(|error| fault(key, error))?,
            base_url: section.base_url.clone(),
            graph_version: section.graph_version.clone().unwrap_or_default(),
            timeout: Duration::from_secs(section.timeout_s),
        };
        let channel = WhatsappSender::new(self.client.clone(), settings).map_err(|error| fault(key, error))?;
        Ok(Made { channel: Arc::new(channel), provider_id, also: None, account: section.account.clone() })
    }

    fn twilio(
        &self,
        section: &config::Sender,
        key: &str,
        secrets: &HashMap<&str, String>,
        status_callback: String,
    ) -> Result<Made, CatalogFault> {
        let account = section.account_sid.clone().unwrap_or_default();
        let (user, secret) = match (&section.api_key, secrets.get("api_secret")) {
            (Some(user), Some(secret)) => (user, secret.as_str()),
            _ => (&account, secrets.get("auth_token").map_or("", String::as_str)),
        };
        let settings = TwilioConfig {
            name: section.name.clone(),
            account_sid: account.clone(),
            credentials: Credentials::new(user, secret).map_err(|error| fault(key, error))?,
            from: section.from.clone(),
            messaging_service: section.messaging_service.clone(),
            status_callback,
            validity_s: section.validity_s,
            base_url: section.base_url.clone(),
            timeout: Duration::from_secs(section.timeout_s),
        };
        let channel = TwilioSender::new(self.client.clone(), settings).map_err(|error| fault(key, error))?;
        let (provider_id, also) = match (section.messaging_service.clone(), section.from.clone()) {
            (Some(service), from) => (service, from),
            (None, from) => (from.unwrap_or_default(), None),
        };
        Ok(Made { channel: Arc::new(channel), provider_id, also, account: Some(account) })
    }

    /// The SMS sender that a workspace names, else the one that it has.
    pub(super) fn default_sms_sender(&self, workspace: &str) -> Option<String> {
        let named = self.config.workspaces.get(workspace).and_then(|held| held.default_sms_sender.clone());
        let mut own = self
            .config
            .senders
            .iter()
            .filter(|sender| sender.workspace == workspace && sender.channel == ChannelKind::Sms);
        named.or_else(|| match (own.next(), own.next()) {
            (Some(only), None) => Some(only.name.clone()),
            _ => None,
        })
    }
}

/// Steps must name senders of their workspace, each for its channel.
pub(super) fn check_flows(workspaces: &HashMap<u32, Workspace>, senders: &[Arc<Sender>]) -> Result<(), CatalogFault> {
    for (number, workspace) in workspaces {
        for flow in workspace.flows.iter() {
            for finding in tidegate_flows::check(flow, &workspace.templates, &tidegate_flows::Limits::default()) {
                let step = finding.step.as_deref().unwrap_or("-");
                match finding.severity {
                    tidegate_flows::Severity::Error => {
                        let problem = format!("step {step}: {}", finding.message);
                        return Err(fault(format!("flow {}", flow.name()), problem));
                    }
                    tidegate_flows::Severity::Warning => {
                        tracing::warn!(flow = flow.name(), step, "{}", finding.message);
                    }
                }
            }
            for sends in sends(&flow.definition().steps) {
                let own = senders.iter().filter(|sender| sender.workspace == *number);
                if let Some(problem) = sends.mistake(own, workspace) {
                    return Err(fault(format!("flow {}", flow.name()), problem));
                }
            }
        }
    }
    Ok(())
}

/// What a step says about who sends.
struct Sends<'f> {
    step: &'f str,
    channel: ChannelKind,
    sender: Option<&'f str>,
}

impl Sends<'_> {
    fn mistake<'a>(&self, mut own: impl Iterator<Item = &'a Arc<Sender>>, workspace: &Workspace) -> Option<String> {
        let Self { step, channel, sender } = self;
        let Some(name) = sender else {
            // Without a default for WhatsApp each message says so: that is how a flow is tried before there is a number.
            let lacks = *channel == ChannelKind::Sms && workspace.default_sms_sender.is_none();
            let name = &workspace.name;
            return lacks.then(|| {
                format!("step {step} sends by SMS: name its sender, or give workspaces.{name} a default_sms_sender")
            });
        };
        match own.find(|held| held.name == *name) {
            Some(held) if held.kind == *channel => None,
            Some(held) => Some(format!("step {step} sends by {channel}, and the sender {name:?} by {}", held.kind)),
            None => Some(format!("there is no sender {name:?} in the workspace {}", workspace.name)),
        }
    }
}

/// Every step that sends, also inside branches.
fn sends(steps: &[Step]) -> Vec<Sends<'_>> {
    steps
        .iter()
        .flat_map(|step| {
            let of = |channel, sender| vec![Sends { step: &step.id, channel, sender }];
            match &step.action {
                Action::Send(send) => of(ChannelKind::Whatsapp, send.sender.as_deref()),
                Action::Sms(sms) => of(ChannelKind::Sms, sms.sender.as_deref()),
                inner => inner.branches().into_iter().flat_map(|(_, steps)| sends(steps)).collect(),
            }
        })
        .collect()
}
