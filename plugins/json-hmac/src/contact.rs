//! Who an event is about.

use crate::reading::{Reading, scalar, truth};
use tidegate_json_mapping::{Consent as ConsentMapping, Filling, Source};
use tidegate_plugin_sdk::{Consent, ContactInfo, Error};

/// What an item tells about a person.
pub(crate) fn read(reading: &Reading<'_, '_>) -> Result<ContactInfo, Error> {
    let country = reading.text("country")?;
    let code = country.as_deref().filter(|text| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic()));
    let mut info = ContactInfo {
        name: reading.text("name")?,
        first_name: reading.text("first_name")?,
        last_name: reading.text("last_name")?,
        language: reading.text("language")?,
        time_zone: reading.text("time_zone")?,
        ..ContactInfo::default()
    };
    info.add_phone(reading.text("phone")?.as_deref(), code.or(reading.mapping.country.as_deref()));
    let digits = |id: String| id.chars().filter(char::is_ascii_digit).collect::<String>();
    info.add_whatsapp_id(reading.text("whatsapp_id")?.map(digits).as_deref());
    info.add_email(reading.text("email")?.as_deref());
    info.add_external_id(reading.text("external_id")?.as_deref());
    info.country = country;
    if reading.fillings.get("tags").is_some() {
        info.tags = Some(reading.texts("tags")?);
    }
    if let Some(Filling::Named(fields)) = reading.fillings.get("fields") {
        for (name, source) in fields {
            info.add_field(name, field(reading, name, source)?.as_deref());
        }
    }
    if let Some(Filling::Consents(consents)) = reading.fillings.get("consents") {
        for consent in consents {
            info.consents.extend(statement(reading, consent)?);
        }
    }
    Ok(info)
}

/// A field of one's own: what is no text is kept as JSON.
fn field<'a>(reading: &Reading<'_, 'a>, name: &str, source: &'a Source) -> Result<Option<String>, Error> {
    let found = reading.find(name, source)?;
    Ok(found.map(|found| scalar(&found).unwrap_or_else(|| found.write())))
}

/// A statement about consent; none where the webhook says nothing.
fn statement<'a>(reading: &Reading<'_, 'a>, consent: &'a ConsentMapping) -> Result<Option<Consent>, Error> {
    let Some(found) = reading.find("consents", &consent.state)? else { return Ok(None) };
    let state = match (truth(&found), scalar(&found).as_deref()) {
        (Some(true), _) | (None, Some("granted")) => "granted",
        (Some(false), _) | (None, Some("denied")) => "denied",
        (None, Some("pending")) => "pending",
        (None, Some("unknown")) => "unknown",
        _ => {
            let expected = "true, false, granted, denied, pending or unknown";
            return Err(reading.wrong("consents", Some(&consent.state), expected, Some(&found)));
        }
    };
    let at = consent.at.as_ref().map_or(Ok(None), |source| reading.instant_of("consents", source))?;
    let method = consent.method.as_ref().map_or(Ok(None), |source| reading.text_of("consents", source))?;
    Ok(Some(Consent {
        channel: consent.channel.clone(),
        scope: consent.scope.clone(),
        state: state.to_owned(),
        at,
        method,
    }))
}
