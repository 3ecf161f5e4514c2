//! What CRMs, calendars and forms tell.

use crate::worlds::v0_1::{
    bindings::tidegate::plugin::types as wit,
    read::{Read, each, maybe_instant, maybe_money, optional, required},
};
use tidegate_model::event::{Answer, Appointment, ContactChange, Deal, Form, Lead};

pub(super) fn contact_change(change: wit::ContactChange) -> ContactChange {
    ContactChange {
        merged_ids: change.merged_ids,
        order_ids: change.order_ids,
        request_id: optional(change.request_id),
    }
}

pub(super) fn lead(lead: wit::Lead) -> Read<Lead> {
    Ok(Lead {
        id: required("id", lead.id)?,
        form_id: optional(lead.form_id),
        campaign: optional(lead.campaign),
        ad_id: optional(lead.ad_id),
        answers: answers(lead.answers)?,
        test: lead.test,
    })
}

pub(super) fn deal(deal: wit::Deal) -> Read<Deal> {
    Ok(Deal {
        id: required("id", deal.id)?,
        name: optional(deal.name),
        pipeline: optional(deal.pipeline),
        stage: optional(deal.stage),
        previous_stage: optional(deal.previous_stage),
        amount: maybe_money("amount", deal.amount)?,
        owner: optional(deal.owner),
    })
}

pub(super) fn appointment(appointment: wit::Appointment) -> Read<Appointment> {
    Ok(Appointment {
        id: required("id", appointment.id)?,
        title: optional(appointment.title),
        starts_at: maybe_instant("starts-at", appointment.starts_at)?,
        ends_at: maybe_instant("ends-at", appointment.ends_at)?,
        time_zone: optional(appointment.time_zone),
        location: optional(appointment.location),
        hosts: appointment.hosts,
        cancel_url: optional(appointment.cancel_url),
        reschedule_url: optional(appointment.reschedule_url),
        previous_id: optional(appointment.previous_id),
        previous_starts_at: maybe_instant("previous-starts-at", appointment.previous_starts_at)?,
        cancel_reason: optional(appointment.cancel_reason),
        answers: answers(appointment.answers)?,
    })
}

pub(super) fn form(form: wit::Form) -> Read<Form> {
    Ok(Form {
        id: required("id", form.id)?,
        form_id: optional(form.form_id),
        name: optional(form.name),
        answers: answers(form.answers)?,
    })
}

fn answers(answers: Vec<wit::Field>) -> Read<Vec<Answer>> {
    each("answers", answers, |answer| {
        Ok(Answer { name: required("name", answer.name)?, value: optional(answer.value) })
    })
}
