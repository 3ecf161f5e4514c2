//! Templates: Meta's rules, the choice of a language, and the message that comes out.

use super::*;

fn definition(body: &str) -> TemplateDefinition {
    let language = |code: &str| Language { code: code.to_owned(), body: body.to_owned() };
    TemplateDefinition {
        template: "order_confirmation".to_owned(),
        category: Category::Utility,
        parameters: vec!["first_name".to_owned(), "number".to_owned()],
        format: ParameterFormat::Positional,
        default_language: "en".to_owned(),
        languages: [("en", "en_US"), ("it", "it"), ("pt-br", "pt_BR")]
            .map(|(key, code)| (key.to_owned(), language(code)))
            .into(),
    }
}

const BODY: &str = "Hi {{first_name}}, we got order {{ number }}.";

#[test]
fn a_template_that_breaks_a_rule_is_refused_with_the_rule() {
    let check = |change: &dyn Fn(&mut TemplateDefinition), expected: &str| {
        let mut definition = definition(BODY);
        change(&mut definition);
        let error = Template::new(definition).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    let body = |text: &'static str| {
        move |it: &mut TemplateDefinition| it.languages.get_mut("it").unwrap().body = text.to_owned()
    };
    check(&|it| it.template = "Order-Confirmation".to_owned(), "Meta allows a-z, 0-9 and _");
    check(&|it| it.category = Category::Service, "marketing, utility or authentication");
    check(&|it| it.parameters.push("number".to_owned()), "parameters[2]: number is there twice");
    check(&|it| it.parameters.push("total".to_owned()), "does not use total");
    check(&|it| it.default_language = "fr".to_owned(), "expected one of the languages (en, it, pt-br), found \"fr\"");
    check(
        &|it| it.languages.get_mut("en").unwrap().code = "en-US".to_owned(),
        "languages.en.code: expected Meta's code",
    );
    check(
        &body("{{first_name}}, we got {{number}}."),
        "languages.it.body: Meta refuses a body that begins or ends with a variable",
    );
    check(&body("Hi {{first_name}}, we got {{number}}\n"), "begins or ends with a variable");
    check(&body("Hi {{first_name}}{{number}}."), "two variables touch each other");
    check(&body("Hi {{firstname}}, {{number}}."), "no parameter \"firstname\" (did you mean first_name?");
    check(&body("Hi {{first_name}, {{number."), "not closed");
    check(&body(""), "a body needs a text");
    check(
        &|it| it.languages.get_mut("it").unwrap().body = format!("{BODY}{}", "é".repeat(1_024)),
        "1024 characters, this one has 1053",
    );
    check(
        &|it| {
            it.format = ParameterFormat::Named;
            it.parameters[1] = "number1".to_owned();
        },
        "Meta allows a-z and _",
    );
}

#[test]
fn the_language_is_the_contacts_or_its_first_part_or_the_default() {
    let template = Template::new(definition(BODY)).unwrap();
    let check =
        |contact: Option<&str>, expected: &str| assert_eq!(template.language_for(contact), expected, "{contact:?}");
    check(Some("it"), "it");
    check(Some("it-CH"), "it");
    check(Some("pt_BR"), "pt-br");
    check(Some("pt"), "en");
    check(Some("fr"), "en");
    check(Some(""), "en");
    check(None, "en");
}

#[test]
fn the_message_has_the_values_in_order_and_the_text_as_it_is_read() {
    let check = |format: ParameterFormat, names: [Option<&str>; 2]| {
        let template = Template::new(TemplateDefinition { format, ..definition(BODY) }).unwrap();
        let content = template.content("en", vec!["Ada".to_owned(), "#1".to_owned()]).unwrap();
        let Content::Template { name, language, parameters, text } = content else { panic!("{content:?}") };
        assert_eq!((name.as_str(), language.as_str()), ("order_confirmation", "en_US"));
        assert_eq!(text, "Hi Ada, we got order #1.");
        assert_eq!(parameters.iter().map(|p| p.name.as_deref()).collect::<Vec<_>>(), names);
        assert_eq!(parameters.iter().map(|p| p.value.as_str()).collect::<Vec<_>>(), ["Ada", "#1"]);
    };
    check(ParameterFormat::Positional, [None, None]);
    check(ParameterFormat::Named, [Some("first_name"), Some("number")]);
}

#[test]
fn a_value_is_put_on_one_line() {
    let check = |value: &str, expected: &str| assert_eq!(on_one_line(value), expected, "{value:?}");
    check(" Ada ", "Ada");
    check("Ada\nLovelace\t!", "Ada Lovelace !");
    check("a     b", "a b");
    check("a    b", "a    b");
    check(" \n", "");
}

#[test]
fn two_templates_of_one_name_are_refused() {
    let template = Template::new(definition(BODY)).unwrap();
    assert!(TemplateSet::new([template.clone()]).unwrap().get("order_confirmation").is_some());
    assert!(TemplateSet::new([template.clone(), template]).is_err());
}
