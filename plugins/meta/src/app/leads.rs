//! Leads that no webhook told: those of each active form since a moment, as the webhooks would have brought them.
//!
//! Sources: <https://developers.facebook.com/docs/graph-api/reference/page/leadgen_forms/>,
//! <https://developers.facebook.com/documentation/ads-commerce/marketing-api/guides/lead-ads/retrieving>.

use super::{Refusal, done};
use serde::Deserialize;
use tidegate_plugin_sdk::{
    Calls, Error, FoundItem, Report, Request, Response, Span, json::Instant, json::Object, json::Text, time, url,
};

/// Forms whose leads are asked for together.
const FORMS: usize = 25;
/// Leads of a form on a page.
const LEADS: usize = 100;

#[derive(Deserialize)]
struct Listed<'a, T> {
    data: Vec<T>,
    #[serde(borrow)]
    paging: Option<Paging<'a>>,
}

#[derive(Deserialize)]
struct Paging<'a> {
    #[serde(borrow)]
    cursors: Option<Cursors<'a>>,
    /// There is another page. The address itself holds a token.
    #[serde(borrow)]
    next: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Cursors<'a> {
    #[serde(borrow)]
    after: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Form<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    status: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Lead<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    created_time: Option<Instant<'a>>,
    #[serde(borrow)]
    ad_id: Option<Text<'a>>,
}

impl<T> Listed<'_, T> {
    /// What the next page is asked for with.
    fn next(&self) -> Option<&str> {
        let paging = self.paging.as_ref().filter(|paging| paging.next.is_some())?;
        paging.cursors.as_ref()?.after.as_deref()
    }
}

/// Where a reading goes on: with these forms' next leads, then with the forms behind a cursor.
#[derive(Debug, Default, PartialEq, Eq)]
struct Place {
    forms_after: Option<String>,
    open: Vec<(String, String)>,
}

impl Place {
    /// The forms' cursor (`-` for none), then each form with its own, parted by spaces. Neither holds one.
    fn of(cursor: Option<&str>) -> Result<Self, Error> {
        let Some(cursor) = cursor else { return Ok(Self::default()) };
        let mut words = cursor.split(' ');
        let forms_after = words.next().filter(|word| *word != "-").map(str::to_owned);
        let mut open = Vec::new();
        while let Some(form) = words.next() {
            let after = words.next().ok_or_else(|| Error::new("expected a cursor that this plugin gave"))?;
            open.push((form.to_owned(), after.to_owned()));
        }
        Ok(Self { forms_after, open })
    }

    /// `None` at the end.
    fn cursor(&self) -> Option<String> {
        if self.forms_after.is_none() && self.open.is_empty() {
            return None;
        }
        let mut cursor = self.forms_after.clone().unwrap_or_else(|| "-".to_owned());
        for (form, after) in &self.open {
            cursor.extend([" ", form, " ", after]);
        }
        Some(cursor)
    }
}

/// A page of leads: of up to 25 forms, each from where it was left.
pub(super) fn page(calls: &mut Calls<'_>, graph: &str, page: &str, span: &Span) -> Result<Report, Error> {
    let since_ms = time::unix_ms(&span.since).ok_or_else(|| Error::new("expected a moment to read from"))?;
    let Place { mut forms_after, open } = Place::of(span.cursor.as_deref())?;
    let asked: Vec<(String, Option<String>)> = if open.is_empty() {
        let after = forms_after.as_deref().map(after).unwrap_or_default();
        let url = format!("{graph}/{page}/leadgen_forms?fields=id,status&limit={FORMS}{after}");
        let forms: Listed<'_, Form<'_>> = done(calls.call(Request::get(url))?)?.json()?;
        forms_after = forms.next().map(str::to_owned);
        let is_active = |form: &Form<'_>| form.status.as_deref().is_none_or(|status| status == "ACTIVE");
        forms.data.into_iter().filter(is_active).map(|form| (form.id.into_string(), None)).collect()
    } else {
        open.into_iter().map(|(form, after)| (form, Some(after))).collect()
    };
    let answers: Vec<_> = asked
        .iter()
        .map(|(form, from)| calls.call(Request::get(leads_url(graph, form, since_ms, from.as_deref()))))
        .collect();
    let (mut found, mut open) = (Vec::new(), Vec::new());
    for ((form, _), answer) in asked.into_iter().zip(answers) {
        let response = answer?;
        if is_gone(response) {
            continue;
        }
        let leads: Listed<'_, Lead<'_>> = done(response)?.json()?;
        if let Some(after) = leads.next() {
            open.push((form.clone(), after.to_owned()));
        }
        for lead in leads.data {
            let created_ms = lead.created_time.as_ref().map_or(since_ms, Instant::unix_ms);
            found.push((created_ms, told(page, &form, &lead, created_ms.div_euclid(1_000))));
        }
    }
    found.sort_by_key(|(created_ms, _)| *created_ms);
    let items = found.into_iter().map(|(_, item)| item).collect();
    Ok(Report { items, cursor: Place { forms_after, open }.cursor(), ..Report::default() })
}

fn leads_url(graph: &str, form: &str, since_ms: i64, from: Option<&str>) -> String {
    // "Greater" does not include the second itself.
    let greater = since_ms.div_euclid(1_000) - 1;
    let filter = format!("[{{\"field\":\"time_created\",\"operator\":\"GREATER_THAN\",\"value\":{greater}}}]");
    let after = from.map(after).unwrap_or_default();
    format!(
        "{graph}/{form}/leads?fields=id,created_time,ad_id&filtering={}&limit={LEADS}{after}",
        url::escaped(&filter)
    )
}

fn after(cursor: &str) -> String {
    format!("&after={}", url::escaped(cursor))
}

/// A form that was deleted since it was listed.
fn is_gone(response: &Response) -> bool {
    !response.is_success() && Refusal::of(response).code == "100"
}

/// The webhook that did not come.
fn told(page: &str, form: &str, lead: &Lead<'_>, created_s: i64) -> FoundItem {
    let created = created_s.to_string();
    let value = Object::new()
        .text("leadgen_id", Some(lead.id.as_str()))
        .text("page_id", Some(page))
        .text("form_id", Some(form))
        .text("ad_id", lead.ad_id.as_deref())
        .raw("created_time", Some(&created));
    let change = Object::new().text("field", Some(super::LEADGEN)).object("value", value).finish();
    let entry = Object::new().text("id", Some(page)).raw("time", Some(&created));
    let entry = entry.raw("changes", Some(&format!("[{change}]"))).finish();
    let body = Object::new().text("object", Some("page")).raw("entry", Some(&format!("[{entry}]"))).finish();
    FoundItem::new(&[("content-type", "application/json")], body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_says_where_to_go_on() {
        let check = |place: Place| assert_eq!(Place::of(place.cursor().as_deref()).unwrap(), place);
        let open = vec![("12".to_owned(), "QVFIUm".to_owned()), ("13".to_owned(), "QVFIUn".to_owned())];
        check(Place::default());
        check(Place { forms_after: Some("MTIz".to_owned()), open: Vec::new() });
        check(Place { forms_after: None, open: open.clone() });
        check(Place { forms_after: Some("MTIz".to_owned()), open });
        assert!(Place::of(Some("- 12")).is_err());
    }
}
