//! What a gateway is started with: its folder with configuration, flows and templates, and the double that stands for the provider.

use crate::{
    ACCESS_TOKEN, Brittle, Gateway, META_SECRET, NUMBER_ID, PUBLIC_URL, SECOND_NUMBER_ID, SECOND_WABA_ID,
    SHOPIFY_SECRET, SMS_NUMBER, SMS_SERVICE, START_MS, TWILIO_ACCOUNT, TWILIO_TOKEN, VERIFY_TOKEN, WABA_ID,
    guest::LIMITS, hostile,
};
use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};
use tidegate_clock::{ClockMode, DomainClock};
use tidegate_double::{Category, Delays, DoubleConfig, Number, Parameters, Service, TwilioAccount};

/// A gateway to be. It has the endpoints `shopify` and `meta`, one workspace, and the sender `shop`.
#[derive(Debug, Clone)]
pub struct Setup {
    pub(crate) program: PathBuf,
    flows: Vec<String>,
    templates: Vec<Template>,
    endpoints: Vec<Endpoint>,
    brittle_limits: String,
    /// More of the brittle plugin's manifest, of its connection, and of the configuration.
    brittle_more: String,
    connection_more: String,
    more: String,
    send_timeout_s: u64,
    pub(crate) second: bool,
    pub(crate) sms: bool,
    /// More of a provider's connection, by its name.
    connected: Vec<(String, String)>,
    pub(crate) clock: Option<DomainClock>,
}

#[derive(Debug, Clone)]
struct Endpoint {
    name: String,
    plugin: String,
    workspace: &'static str,
    secrets: Vec<String>,
    max_body_bytes: Option<usize>,
}

impl Endpoint {
    fn new(name: &str, plugin: &str, secret: &str) -> Self {
        Self {
            name: name.to_owned(),
            plugin: plugin.to_owned(),
            workspace: "main",
            secrets: vec![secret.to_owned()],
            max_body_bytes: None,
        }
    }
}

impl Setup {
    /// For this program: `env!("CARGO_BIN_EXE_tidegate")`.
    pub fn new(program: &str) -> Self {
        let endpoints =
            vec![Endpoint::new("shopify", "shopify", SHOPIFY_SECRET), Endpoint::new("meta", "meta", META_SECRET)];
        Self {
            program: PathBuf::from(program),
            flows: Vec::new(),
            templates: Vec::new(),
            endpoints,
            brittle_limits: LIMITS.to_owned(),
            brittle_more: String::new(),
            connection_more: String::new(),
            more: String::new(),
            send_timeout_s: 10,
            second: false,
            sms: false,
            connected: Vec::new(),
            clock: None,
        }
    }

    /// Adds a flow, as YAML.
    #[must_use]
    pub fn flow(mut self, text: &str) -> Self {
        self.flows.push(text.to_owned());
        self
    }

    /// Adds a template, which the double has approved.
    #[must_use]
    pub fn template(mut self, template: Template) -> Self {
        self.templates.push(template);
        self
    }

    /// Adds the sender `texts` for SMS, and the endpoint `twilio` for its callbacks; the gateway is told that it is at [`PUBLIC_URL`].
    #[must_use]
    pub fn sms(mut self) -> Self {
        self.sms = true;
        self.provider("twilio", TWILIO_TOKEN)
    }

    /// Adds the endpoint `brittle`, whose plugin is in the file `brittle.wasm`; signed as Shopify signs.
    #[must_use]
    pub fn brittle(mut self) -> Self {
        self.endpoints.push(Endpoint::new("brittle", "./brittle.wasm", SHOPIFY_SECRET));
        self
    }

    /// Adds the endpoint `hostile` in the workspace `other`: its plugin, in the file `hostile.wasm`, attacks as the webhook's topic says; signed as Shopify signs.
    #[must_use]
    pub fn hostile(mut self) -> Self {
        let endpoint = Endpoint::new("hostile", "./hostile.wasm", SHOPIFY_SECRET);
        self.endpoints.push(Endpoint { workspace: "other", ..endpoint });
        self.second_business()
    }

    /// Adds an endpoint for a bundled plugin, named as it is.
    #[must_use]
    pub fn provider(mut self, plugin: &str, secret: &str) -> Self {
        self.endpoints.push(Endpoint::new(plugin, plugin, secret));
        self
    }

    /// As [`Setup::provider`], with these secrets, and with more in its connection and at the end of the configuration.
    #[must_use]
    pub fn provider_with(mut self, plugin: &str, secrets: &[&str], connection: &str, config: &str) -> Self {
        self.connected.push((plugin.to_owned(), connection.to_owned()));
        self.more.push_str(config);
        self.provider(plugin, "").secrets(plugin, secrets)
    }

    /// Adds to the connection of an endpoint that is there, and at the end of the configuration.
    #[must_use]
    pub fn connection(mut self, endpoint: &str, connection: &str, config: &str) -> Self {
        self.connected.push((endpoint.to_owned(), connection.to_owned()));
        self.more.push_str(config);
        self
    }

    /// On this clock, which others follow too.
    #[must_use]
    pub fn on(mut self, clock: DomainClock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// As [`Setup::second_business`], with a shop of its own, the endpoint `second`.
    #[must_use]
    pub fn second_shop(mut self) -> Self {
        let endpoint = Endpoint::new("second", "shopify", SHOPIFY_SECRET);
        self.endpoints.push(Endpoint { workspace: "other", ..endpoint });
        self.second_business()
    }

    /// As [`Setup::brittle`], with these limits in the plugin's manifest.
    #[must_use]
    pub fn brittle_with(mut self, limits: &str) -> Self {
        limits.clone_into(&mut self.brittle_limits);
        self.brittle()
    }

    /// As [`Setup::brittle`], with more in the plugin's manifest, in its connection, and at the end of the configuration.
    #[must_use]
    pub fn brittle_asking(mut self, manifest: &str, connection: &str, config: &str) -> Self {
        manifest.clone_into(&mut self.brittle_more);
        connection.clone_into(&mut self.connection_more);
        config.clone_into(&mut self.more);
        self.brittle()
    }

    /// Adds an endpoint for a bundled plugin, named as it is, without a connection; and these sections of the configuration, with its connections.
    #[must_use]
    pub fn endpoint_of(mut self, plugin: &str, secret: &str, sections: &str) -> Self {
        let endpoint = format!("[[endpoints]]\nname = {plugin:?}\nplugin = {plugin:?}\nsecrets = [{secret:?}]\n");
        self.more.push_str(&endpoint);
        self.more.push_str(sections);
        self
    }

    /// Replaces an endpoint's live secrets.
    #[must_use]
    pub fn secrets(mut self, endpoint: &str, secrets: &[&str]) -> Self {
        self.endpoint(endpoint).secrets = secrets.iter().map(|&secret| secret.to_owned()).collect();
        self
    }

    /// Sets an endpoint's size limit.
    #[must_use]
    pub fn max_body_bytes(mut self, endpoint: &str, limit: usize) -> Self {
        self.endpoint(endpoint).max_body_bytes = Some(limit);
        self
    }

    /// Sets how long the gateway waits for the provider's answer, in seconds.
    #[must_use]
    pub fn send_timeout_s(mut self, seconds: u64) -> Self {
        self.send_timeout_s = seconds;
        self
    }

    /// Adds the workspace `other` with the sender `other`, whose number is of another business account.
    #[must_use]
    pub const fn second_business(mut self) -> Self {
        self.second = true;
        self
    }

    /// Starts it.
    pub async fn start(self) -> Gateway {
        Gateway::start(self).await
    }

    fn endpoint(&mut self, name: &str) -> &mut Endpoint {
        let found = self.endpoints.iter_mut().find(|endpoint| endpoint.name == name);
        found.unwrap_or_else(|| panic!("the setup has no endpoint {name}"))
    }

    /// Every secret of it.
    pub(crate) fn all_secrets(&self) -> Vec<&str> {
        let signing = self.endpoints.iter().flat_map(|endpoint| &endpoint.secrets).map(String::as_str);
        // That word is no secret.
        let signing = signing.filter(|secret| *secret != "generated");
        signing.chain([VERIFY_TOKEN, ACCESS_TOKEN]).collect()
    }

    /// Writes everything that the gateway reads. Gives the configuration's path.
    pub(crate) fn write(&self, dir: &Path, double_url: &str) -> PathBuf {
        for (place, flow) in self.flows.iter().enumerate() {
            put(&dir.join(format!("flows/{place}.yaml")), flow.as_bytes());
        }
        for template in &self.templates {
            put(&dir.join(format!("templates/{}.yaml", template.name)), template.yaml().as_bytes());
        }
        for folder in ["flows", "templates"] {
            fs::create_dir_all(dir.join(folder)).expect("a folder can be made");
        }
        if self.endpoints.iter().any(|endpoint| endpoint.plugin == "./brittle.wasm") {
            put(
                &dir.join("brittle.wasm"),
                &Brittle::Defective.packed_with_both(&self.program, &self.brittle_limits, &self.brittle_more),
            );
        }
        if self.endpoints.iter().any(|endpoint| endpoint.plugin == "./hostile.wasm") {
            put(&dir.join("hostile.wasm"), &hostile::packed(&self.program));
        }
        let config = dir.join("tidegate.toml");
        put(&config, self.config(double_url).as_bytes());
        config
    }

    fn config(&self, double_url: &str) -> String {
        let mut text = format!(
            r#"
[server]
listen = "127.0.0.1:0"
drain_s = 10
{}[data]
dir = "data"
cache_mib = 8
reserve_mib = 1
[clock]
mode = "stepped:{START_MS}"
[workspaces.main]
flows = "flows"
templates = "templates"
default_sender = "shop"
[[senders]]
name = "shop"
workspace = "main"
channel = "whatsapp"
phone_number_id = "{NUMBER_ID}"
access_token = "{ACCESS_TOKEN}"
base_url = "{double_url}"
timeout_s = {}
"#,
            if self.sms { format!("public_url = \"{PUBLIC_URL}\"\n") } else { String::new() },
            self.send_timeout_s
        );
        if self.sms {
            let sender = format!(
                "[[senders]]\nname = \"texts\"\nworkspace = \"main\"\nchannel = \"sms\"\naccount_sid = \"{TWILIO_ACCOUNT}\"\nauth_token = \"{TWILIO_TOKEN}\"\n\
                 from = \"{SMS_NUMBER}\"\nendpoint = \"twilio\"\nbase_url = \"{double_url}\"\ntimeout_s = {}\n",
                self.send_timeout_s
            );
            text.push_str(&sender);
        }
        for Endpoint { name, plugin, workspace, secrets, max_body_bytes } in &self.endpoints {
            let limit = max_body_bytes.map(|limit| format!("max_body_bytes = {limit}\n")).unwrap_or_default();
            let section = format!(
                "[[endpoints]]\nname = {name:?}\nplugin = {plugin:?}\nsecrets = {secrets:?}\nverify_token = {VERIFY_TOKEN:?}\n{limit}\
                 [[connections]]\nname = {name:?}\nendpoint = {name:?}\nworkspace = {workspace:?}\n"
            );
            text.push_str(&section);
            if name == "brittle" {
                text.push_str(&self.connection_more);
            }
            let more = self.connected.iter().filter(|(of, _)| of == name);
            more.for_each(|(_, more)| text.push_str(more));
        }
        text.push_str(&self.more);
        if self.second {
            let second = format!(
                "[workspaces.other]\nflows = \"flows\"\ntemplates = \"templates\"\ndefault_sender = \"other\"\n\
                 [[senders]]\nname = \"other\"\nworkspace = \"other\"\nchannel = \"whatsapp\"\nphone_number_id = \"{SECOND_NUMBER_ID}\"\n\
                 account = \"{SECOND_WABA_ID}\"\naccess_token = \"{ACCESS_TOKEN}2\"\nbase_url = \"{double_url}\"\n\
                 [[connections]]\nname = \"other\"\nendpoint = \"meta\"\nworkspace = \"other\"\naccount = \"{SECOND_WABA_ID}\"\n"
            );
            text.push_str(&second);
        }
        text
    }

    /// The double, on a clock of this process.
    pub(crate) fn double(&self, clock: DomainClock) -> DoubleConfig {
        let mut config = DoubleConfig::new(clock);
        config.delays = Delays::default();
        let number = |id: &str, account: &str, number: &str, token: String| Number {
            phone_number_id: id.to_owned(),
            waba_id: account.to_owned(),
            display_phone_number: number.to_owned(),
            access_token: token,
            app_secret: META_SECRET.to_owned(),
            webhook_url: None,
        };
        config.numbers = vec![number(NUMBER_ID, WABA_ID, "15550783881", ACCESS_TOKEN.to_owned())];
        if self.second {
            config.numbers.push(number(SECOND_NUMBER_ID, SECOND_WABA_ID, "15550783882", format!("{ACCESS_TOKEN}2")));
        }
        if self.sms {
            let (service, number) = SMS_SERVICE;
            config.twilio = vec![TwilioAccount {
                account_sid: TWILIO_ACCOUNT.to_owned(),
                auth_token: TWILIO_TOKEN.to_owned(),
                api_key: None,
                numbers: vec![SMS_NUMBER.to_owned(), number.to_owned()],
                services: vec![Service {
                    sid: service.to_owned(),
                    numbers: vec![number.to_owned()],
                    advanced_opt_out: true,
                }],
                inbound_url: Some(format!("{PUBLIC_URL}/in/twilio#rc=5&rp=all")),
                door: None,
            }];
        }
        config.templates = self.templates.iter().flat_map(Template::approved).collect();
        config
    }
}

/// A template: the gateway's file of it, and what the provider approved.
#[derive(Debug, Clone)]
pub struct Template {
    name: String,
    parameters: Vec<String>,
    languages: Vec<(String, String, String)>,
}

impl Template {
    /// A utility template without languages yet, and the names of its parameters in order.
    pub fn new(name: &str, parameters: &[&str]) -> Self {
        let parameters = parameters.iter().map(|&name| name.to_owned()).collect();
        Self { name: name.to_owned(), parameters, languages: Vec::new() }
    }

    /// Adds a language (`en`), its code at the provider (`en_US`) and its body. The first is the default.
    #[must_use]
    pub fn language(mut self, language: &str, code: &str, body: &str) -> Self {
        self.languages.push((language.to_owned(), code.to_owned(), body.to_owned()));
        self
    }

    fn yaml(&self) -> String {
        let mut text = format!("template: {}\ncategory: utility\n", self.name);
        if !self.parameters.is_empty() {
            writeln!(text, "parameters: [{}]", self.parameters.join(", ")).expect("text can be written to");
        }
        let default = self.languages.first().map_or("", |(language, ..)| language);
        writeln!(text, "default_language: {default}\nlanguages:").expect("text can be written to");
        for (language, code, body) in &self.languages {
            writeln!(text, "  {language}: {{ code: {code}, body: {body:?} }}").expect("text can be written to");
        }
        text
    }

    fn approved(&self) -> Vec<tidegate_double::Template> {
        let numbered = |body: &str| {
            let names = self.parameters.iter().enumerate();
            names.fold(body.to_owned(), |body, (place, name)| {
                body.replace(&format!("{{{{{name}}}}}"), &format!("{{{{{}}}}}", place + 1))
            })
        };
        let approved = |(_, code, body): &(String, String, String)| tidegate_double::Template {
            name: self.name.clone(),
            language: code.clone(),
            parameters: Parameters::Positional(self.parameters.len()),
            category: Category::Utility,
            body: numbered(body),
        };
        self.languages.iter().map(approved).collect()
    }
}

/// A clock that stands where every gateway's begins.
///
/// # Panics
/// Never: the moment is in range.
pub fn stepped() -> DomainClock {
    DomainClock::new(ClockMode::Stepped { start_ms: START_MS }).expect("the start is in range")
}

fn put(path: &Path, bytes: &[u8]) {
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    let written = folder.and_then(|()| fs::write(path, bytes));
    written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
