//! Collecting what one webhook tells about a person. Absent and blank values are left out, so that a plugin passes on what it finds.

use crate::{ContactInfo, ContactKey, Field, Phone};

impl ContactInfo {
    /// The person's full name, for a provider that has only that.
    #[must_use]
    pub fn with_name(mut self, name: Option<&str>) -> Self {
        self.name = crate::json::filled(name).map(str::to_owned);
        self
    }

    /// As [`add_phone`](Self::add_phone), in one expression.
    #[must_use]
    pub fn with_phone(mut self, number: Option<&str>, region: Option<&str>) -> Self {
        self.add_phone(number, region);
        self
    }

    /// As [`add_email`](Self::add_email), in one expression.
    #[must_use]
    pub fn with_email(mut self, address: Option<&str>) -> Self {
        self.add_email(address);
        self
    }

    /// As [`add_external_id`](Self::add_external_id), in one expression.
    #[must_use]
    pub fn with_external_id(mut self, id: Option<&str>) -> Self {
        self.add_external_id(id);
        self
    }

    /// As [`add_field`](Self::add_field), in one expression.
    #[must_use]
    pub fn with_field(mut self, name: &str, value: Option<&str>) -> Self {
        self.add_field(name, value);
        self
    }

    /// Adds a phone number, free text; `region` is the country to assume when it has no country code.
    pub fn add_phone(&mut self, number: Option<&str>, region: Option<&str>) {
        self.add(number, |number| ContactKey::Phone(Phone { number, region: region.map(str::to_owned) }));
    }

    /// Adds a WhatsApp id: digits without `+`.
    pub fn add_whatsapp_id(&mut self, id: Option<&str>) {
        self.add(id, ContactKey::WhatsappId);
    }

    /// Adds a business-scoped WhatsApp user id.
    pub fn add_whatsapp_user_id(&mut self, id: Option<&str>) {
        self.add(id, ContactKey::WhatsappUserId);
    }

    /// Adds an email address.
    pub fn add_email(&mut self, address: Option<&str>) {
        self.add(address, ContactKey::Email);
    }

    /// Adds the person's id at the provider.
    pub fn add_external_id(&mut self, id: Option<&str>) {
        self.add(id, ContactKey::ExternalId);
    }

    /// Adds a further field, when it has a value.
    pub fn add_field(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = crate::json::filled(value) {
            self.fields.push(Field { name: name.to_owned(), value: Some(value.to_owned()) });
        }
    }

    fn add(&mut self, value: Option<&str>, key: impl FnOnce(String) -> ContactKey) {
        let Some(value) = crate::json::filled(value) else { return };
        let key = key(value.to_owned());
        if !self.keys.contains(&key) {
            self.keys.push(key);
        }
    }
}
