//! Message templates: reviewed, paused, rated, moved to another category.

use crate::common;
use serde::Deserialize;
use tidegate_plugin_sdk::{
    Error, Event, Interpretation, Item, Template, json, json::Instant, json::Object, json::Text,
};

/// The value of all three fields. Meta's own example of a quality update names the status field, so both are read by what is there.
#[derive(Deserialize)]
struct Value<'a> {
    #[serde(borrow)]
    message_template_id: Option<Text<'a>>,
    #[serde(borrow)]
    message_template_name: Option<Text<'a>>,
    #[serde(borrow)]
    message_template_language: Option<Text<'a>>,
    #[serde(borrow)]
    message_template_category: Option<Text<'a>>,
    #[serde(borrow)]
    event: Option<Text<'a>>,
    #[serde(borrow)]
    reason: Option<Text<'a>>,
    #[serde(borrow)]
    rejection_info: Option<Rejection<'a>>,
    #[serde(borrow)]
    other_info: Option<Other<'a>>,
    #[serde(borrow)]
    disable_info: Option<Disabling<'a>>,
    #[serde(borrow)]
    new_quality_score: Option<Text<'a>>,
    #[serde(borrow)]
    previous_quality_score: Option<Text<'a>>,
    #[serde(borrow)]
    new_category: Option<Text<'a>>,
    #[serde(borrow)]
    previous_category: Option<Text<'a>>,
    #[serde(borrow)]
    correct_category: Option<Text<'a>>,
    #[serde(borrow)]
    category_update_timestamp: Option<Instant<'a>>,
}

#[derive(Deserialize)]
struct Rejection<'a> {
    #[serde(borrow)]
    reason: Option<Text<'a>>,
}

/// Why a template was paused or locked.
#[derive(Deserialize)]
struct Other<'a> {
    #[serde(borrow)]
    title: Option<Text<'a>>,
    #[serde(borrow)]
    description: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Disabling<'a> {
    #[serde(borrow)]
    disable_date: Option<Text<'a>>,
}

/// Status or quality.
pub(crate) fn changed(item: &Item) -> Result<Interpretation, Error> {
    let value: Value<'_> = common::value(item)?;
    let mut template = value.template()?;
    template.status = json::filled(value.event.as_deref()).map(status);
    template.quality =
        json::filled(value.new_quality_score.as_deref()).map(|score| crate::number::quality(score).to_owned());
    template.category = json::filled(value.message_template_category.as_deref()).map(str::to_ascii_lowercase);
    template.reason = value.reason();
    if template.status.is_none() && template.quality.is_none() {
        return Err(Error::field("/value/event", "expected the template's status or its quality, found neither"));
    }
    let extra = Object::new()
        .text("previous_quality", json::filled(value.previous_quality_score.as_deref()).map(crate::number::quality))
        .text("disable_date", value.disable_info.as_ref().and_then(|info| json::filled(info.disable_date.as_deref())));
    event(item, template, extra)
}

/// Category. With `correct_category` the change is announced, and happens at its time.
pub(crate) fn category_changed(item: &Item) -> Result<Interpretation, Error> {
    let value: Value<'_> = common::value(item)?;
    let mut template = value.template()?;
    let lower = |text: Option<&Text<'_>>| json::filled(text.map(Text::as_str)).map(str::to_ascii_lowercase);
    template.category = lower(value.new_category.as_ref());
    let extra = Object::new()
        .text("previous_category", lower(value.previous_category.as_ref()).as_deref())
        .text("category_will_be", lower(value.correct_category.as_ref()).as_deref())
        .text("category_changes_at", value.category_update_timestamp.as_ref().map(Instant::as_str));
    event(item, template, extra)
}

fn event(item: &Item, template: Template, extra: Object) -> Result<Interpretation, Error> {
    let sent = common::sent(item)?;
    let id = template.id.clone().unwrap_or_else(|| template.name.clone());
    let event =
        Event::new("template.status_changed", "template", &sent.at).with_entity("template", &id, Some(&sent.at));
    Ok(event.with_payload(template).with_extra(extra).into())
}

impl Value<'_> {
    fn template(&self) -> Result<Template, Error> {
        let name = json::string(self.message_template_name.as_ref());
        Ok(Template {
            id: json::string(self.message_template_id.as_ref()),
            name: name.ok_or_else(|| {
                Error::field("/value/message_template_name", "expected the template's name, found none")
            })?,
            // The API writes `en_US`, webhooks both `en_US` and `en-US`; a language tag has hyphens.
            language: json::filled(self.message_template_language.as_deref())
                .map(|language| language.replace('_', "-")),
            ..Template::default()
        })
    }

    fn reason(&self) -> Option<String> {
        let code = json::filled(self.reason.as_deref()).filter(|reason| *reason != "NONE");
        let rejected = self.rejection_info.as_ref().and_then(|info| json::filled(info.reason.as_deref()));
        let other = self
            .other_info
            .as_ref()
            .and_then(|info| json::filled(info.description.as_deref()).or_else(|| json::filled(info.title.as_deref())));
        match (code, rejected.or(other)) {
            (Some(code), Some(sentence)) => Some([code, ": ", sentence].concat()),
            (code, sentence) => code.or(sentence).map(str::to_owned),
        }
    }
}

fn status(event: &str) -> String {
    match event {
        "REINSTATED" => "approved".to_owned(),
        other => other.to_ascii_lowercase(),
    }
}
