//! Bodies against snapshots, and their shape against Meta's own examples.

use super::*;
use tidegate_model::{MessageId, phone::E164};

fn outgoing(content: Content) -> Outgoing {
    Outgoing {
        id: MessageId::derive(1_780_000_000_000, &[b"request"]),
        to: WhatsappAddress::Phone(E164::parse("+16505551234", None).unwrap()),
        content,
    }
}

fn template(parameters: &[(Option<&str>, &str)]) -> Content {
    Content::Template {
        name: "welcome_discount_template".to_owned(),
        language: "en_US".to_owned(),
        parameters: parameters
            .iter()
            .map(|(name, value)| Parameter { name: name.map(str::to_owned), value: (*value).to_owned() })
            .collect(),
        text: "as the person reads it: not sent".to_owned(),
    }
}

fn text(text: &str) -> Content {
    Content::Text { text: text.to_owned() }
}

#[test]
fn bodies_look_as_meta_documents_them() {
    let named = template(&[
        (Some("first_name"), "Jessica"),
        (Some("discount_code"), "WELCOME25"),
        (Some("discount_amount"), "25%"),
    ]);
    insta::assert_json_snapshot!("text", request_body(&outgoing(text("Ciao ☀"))).unwrap());
    insta::assert_json_snapshot!("template_named", request_body(&outgoing(named)).unwrap());
    insta::assert_json_snapshot!(
        "template_positional",
        request_body(&outgoing(template(&[(None, "Pablo"), (None, "860198-230332")]))).unwrap()
    );
    insta::assert_json_snapshot!("template_without_parameters", request_body(&outgoing(template(&[]))).unwrap());
    let to_user =
        Outgoing { to: WhatsappAddress::UserId("US.13491208655302741918".to_owned()), ..outgoing(text("Hello")) };
    insta::assert_json_snapshot!("text_to_user_id", request_body(&to_user).unwrap());
}

#[test]
fn a_named_template_is_metas_own_example_but_for_header_and_callback_data() {
    // Source: Meta, "Custom marketing templates", by way of yvfl/api-whatsapp-docs@6afd6858.
    let example: Value = serde_json::from_str(include_str!("tests/meta_send_template_marketing_named.json")).unwrap();
    let content = template(&[
        (Some("first_name"), "Jessica"),
        (Some("discount_code"), "WELCOME25"),
        (Some("discount_amount"), "25%"),
    ]);
    let mut ours = request_body(&outgoing(content)).unwrap();
    let ours = ours.as_object_mut().unwrap();
    assert!(ours.remove("biz_opaque_callback_data").is_some());
    assert_eq!(ours["to"], "+16505551234", "with its plus, which the example omits");
    for key in ["messaging_product", "recipient_type", "type"] {
        assert_eq!(ours[key], example[key], "{key}");
    }
    let example = &example["template"];
    assert_eq!(ours["template"]["name"], example["name"]);
    assert_eq!(ours["template"]["language"], example["language"]);
    assert_eq!(ours["template"]["components"][0], example["components"][1]);
}

#[test]
fn the_callback_data_is_our_id_and_fits() {
    let sent = outgoing(text("x"));
    let body = request_body(&sent).unwrap();
    let data = body["biz_opaque_callback_data"].as_str().unwrap();
    assert_eq!(data.parse::<MessageId>().unwrap(), sent.id);
    assert!(data.len() <= 512);
}

#[test]
fn what_meta_would_refuse_is_refused_before_it_leaves() {
    let check = |content, expected| {
        assert_eq!(request_body(&outgoing(content)).unwrap_err(), expected);
    };
    check(text("  "), ContentError::EmptyText);
    check(text(&"ä".repeat(MAX_TEXT_CHARS + 1)), ContentError::LongText { chars: MAX_TEXT_CHARS + 1 });
    check(template(&[(None, "a"), (Some("b"), "c")]), ContentError::MixedParameters);
    check(
        Content::Received { message_type: "text".to_owned(), text: None, reply_id: None, media: None },
        ContentError::Received,
    );
    assert!(request_body(&outgoing(text(&"ä".repeat(MAX_TEXT_CHARS)))).is_ok());
}
