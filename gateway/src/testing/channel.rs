//! A channel that sends nothing: it writes down what it is given, and answers as it was told.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tidegate_channels::{Action, Channel, Outgoing, ProviderRefusal, Scope, SendFuture, SendResult, refusal_of};
use tidegate_model::{MessageId, event::ProviderError, message::ChannelKind};

/// What was sent, and what is to be answered next.
#[derive(Default)]
pub(crate) struct Recorder {
    sent: Mutex<Vec<Outgoing>>,
    answers: Mutex<VecDeque<SendResult>>,
    always: Mutex<Option<(MessageId, SendResult)>>,
}

impl Recorder {
    /// Everything that was handed over, in order.
    pub(crate) fn sent(&self) -> Vec<Outgoing> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often this message was handed over.
    pub(crate) fn times(&self, id: MessageId) -> usize {
        self.sent().iter().filter(|outgoing| outgoing.id == id).count()
    }

    /// The next answer that has none; after these every message is accepted.
    pub(crate) fn answer(&self, result: SendResult) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).push_back(result);
    }

    /// The answer to this message, however often it is handed over.
    pub(crate) fn always(&self, id: MessageId, result: SendResult) {
        *self.always.lock().unwrap_or_else(PoisonError::into_inner) = Some((id, result));
    }

    /// Refuses the next message.
    pub(crate) fn refuse(&self, code: &str, action: Action) {
        self.answer(SendResult::Refused(ProviderRefusal {
            code: code.to_owned(),
            title: "refused by the test".to_owned(),
            details: None,
            http_status: Some(400),
            provider_id: None,
            action,
            scope: Scope::Message,
        }));
    }

    /// Refuses the next message as the provider does by this code.
    pub(crate) fn refuse_as(&self, code: &str) {
        let error = ProviderError { code: code.to_owned(), ..ProviderError::default() };
        self.answer(SendResult::Refused(refusal_of(&error)));
    }

    /// Refuses the next message for now.
    pub(crate) fn refuse_for_now(&self, after: Option<Duration>) {
        self.refuse("130429", Action::Retry { after });
    }
}

/// The provider's id of a message, as this channel gives it.
pub(crate) fn provider_id(id: MessageId) -> String {
    format!("wamid.{id}")
}

impl Channel for Recorder {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Whatsapp
    }

    fn send(&self, outgoing: Outgoing) -> SendFuture<'_> {
        Box::pin(async move {
            let accepted =
                SendResult::Accepted { provider_id: provider_id(outgoing.id), wa_id: None, user_id: None, held: None };
            let always = self.always.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let always = always.filter(|(id, _)| *id == outgoing.id);
            self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(outgoing);
            if let Some((_, result)) = always {
                return result;
            }
            self.answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front().unwrap_or(accepted)
        })
    }
}
