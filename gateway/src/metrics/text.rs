//! The text form of figures that every scraper reads (version 0.0.4): that of `OpenMetrics` without its units and its end, and with the whole names of counters in their
//! descriptions.

use prometheus_client::{encoding::text::encode_registry, registry::Registry};

/// The form's content type.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) fn render(registry: &Registry) -> String {
    let mut text = String::new();
    // Writing to a text can't fail.
    let _ = encode_registry(&mut text, registry);
    plain(&text)
}

/// Help comes before the type, so the help of a counter is mended when its type is met.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut help: Option<(&str, &str)> = None;
    for line in text.lines() {
        if let Some(described) = line.strip_prefix("# HELP ") {
            help = described.split_once(' ');
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            let (suffix, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                kind => ("", kind),
            };
            let words = help.take().map_or("", |(_, words)| words);
            out.push_str(&format!("# HELP {name}{suffix} {words}\n# TYPE {name}{suffix} {kind}\n"));
        } else if !line.starts_with("# ") {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_and_infos_are_described_by_their_whole_names() {
        let open = "# HELP a_b Help of it.\n# TYPE a_b counter\na_b_total{x=\"y\"} 1\n# HELP s_seconds Time.\n# TYPE s_seconds gauge\n# UNIT s_seconds seconds\ns_seconds 2.0\n# HELP v V.\n# TYPE v info\nv_info{version=\"1\"} 1\n# EOF\n";
        let expected = "# HELP a_b_total Help of it.\n# TYPE a_b_total counter\na_b_total{x=\"y\"} 1\n# HELP s_seconds Time.\n# TYPE s_seconds gauge\ns_seconds 2.0\n# HELP v_info V.\n# TYPE v_info gauge\nv_info{version=\"1\"} 1\n";
        assert_eq!(plain(open), expected);
    }
}
