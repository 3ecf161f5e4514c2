//! Appointments of Calendly: booked, rescheduled in either order of the two webhooks, and a retry that comes late.

use crate::bare;
use serde_json::{Value, json};
use tidegate_test_support::{Gateway, Played, Template, calendly, fixture};

const SECRET: &str = "signing-key-of-the-calendar";

/// Tells of bookings, also of those that take another's place.
const TOLD: &str = "
flow: appointments
on: [appointment.booked, appointment.rescheduled]
steps:
  - id: tell
    send:
      template: appointment
      parameters:
        title: \"{{ event.appointment.title }}\"
        start: \"{{ event.appointment.starts_at }}\"
";

async fn calendar() -> Gateway {
    let template = Template::new("appointment", &["title", "start"]).language(
        "en",
        "en_US",
        "Hello, your appointment {{title}} is at {{start}} now. See you there.",
    );
    bare().provider("calendly", SECRET).template(template).flow(TOLD).start().await
}

fn webhook(body: &Value, at_ms: i64) -> Played {
    calendly(body.to_string(), at_ms / 1000, SECRET)
}

fn half(case: &str) -> Value {
    let mut body = fixture("calendly", case);
    body["payload"]["text_reminder_number"] = json!("+39 340 123 4567");
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rescheduling_is_told_once_in_either_order() {
    let (old, new) = ("demo_reschedule_old_half", "demo_reschedule_new_half");
    for order in [[old, new], [new, old]] {
        let gateway = calendar().await;
        let now = gateway.now_ms();
        gateway.post("calendly", &webhook(&half("demo_invitee_created"), now)).await.stored();
        gateway.settle().await;
        for case in order {
            gateway.post("calendly", &webhook(&half(case), now)).await.stored();
            gateway.settle().await;
        }
        assert_eq!(gateway.events_of("appointment.booked").await.len(), 1);
        assert_eq!(gateway.events_of("appointment.rescheduled").await.len(), 1, "{order:?}");
        assert!(gateway.events_of("appointment.cancelled").await.is_empty());
        assert_eq!(gateway.sent().len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_with_an_old_signature_is_taken_once() {
    let gateway = calendar().await;
    let late = webhook(&half("demo_invitee_created"), gateway.now_ms() - 20 * 3_600_000);
    gateway.post("calendly", &late).await.stored();
    gateway.post("calendly", &late).await.stored();
    gateway.settle().await;
    assert_eq!((gateway.events().await.len(), gateway.sent().len()), (1, 1));
    let forged = late.with("calendly-webhook-signature", "t=1,v1=00");
    assert_eq!(gateway.post("calendly", &forged).await.status, 401);
}
