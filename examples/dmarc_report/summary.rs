//! The merged view as text.

use std::fmt::Write as _;

use crate::case::{NOT_GIVEN, Policy, write_failure};
use crate::merge::{DomainView, Fact, Totals, View};
use examples::cases::count::counted;

/// Returns the text: what fails comes first.
pub(crate) fn text(view: &View<'_>) -> String {
    let mut text = String::new();
    let Totals { messages, passed, .. } = view.totals;
    let _ = write!(
        text,
        "{passed} of {} passed, {}",
        counted(messages, "message"),
        counted(view.reports, "report")
    );
    let inputs = |count| counted(count, "input");
    let unread = view.unread.len() as u64;
    for (count, told) in [
        (view.repeated, format!("{} repeated", view.repeated)),
        (view.failure_reports as u64, counted(view.failure_reports, "failure report")),
        (view.without_report, format!("{} without a report", inputs(view.without_report))),
        (unread, format!("{} not read", inputs(unread))),
    ] {
        if count > 0 {
            let _ = write!(text, ", {told}");
        }
    }
    text.push('\n');
    for domain in &view.domains {
        write_domain(&mut text, domain);
    }
    for unread in &view.unread {
        let _ = writeln!(text, "not read: {}: {}", unread.file, unread.error);
    }
    text
}

fn write_domain(text: &mut String, view: &DomainView<'_>) {
    let Totals { messages, passed, .. } = view.totals;
    let domain = view.domain.unwrap_or(NOT_GIVEN);
    let _ = write!(text, "\n{domain}: {passed} of {} passed", counted(messages, "message"));
    if let (Some(first), Some(last)) = (view.days.first(), view.days.last()) {
        let _ = write!(text, ", {} to {}", first.text, last.text);
    }
    let policy = view.policy.map_or_else(|| NOT_GIVEN.to_owned(), Policy::text);
    let _ = writeln!(text, "\n  policy {policy}");
    let reporters: Vec<_> = view.reporters.iter().map(|reporter| reporter.reporter).collect();
    let _ = writeln!(text, "  reporters {}", reporters.join(", "));
    let width = view.sources.iter().map(|view| view.source.to_string().len()).max().unwrap_or(0);
    let width = width.max(6);
    if !view.sources.is_empty() {
        let name = "source";
        let _ = writeln!(
            text,
            "  {name:<width$}   failed messages     dkim      spf quarantine reject"
        );
    }
    for source in &view.sources {
        let sums = &source.sums;
        let (address, failed) = (source.source.to_string(), sums.failed());
        let _ = writeln!(
            text,
            "  {address:<width$} {failed:>8} {:>8} {:>8} {:>8} {:>10} {:>6}",
            sums.messages, sums.dkim, sums.spf, sums.quarantine, sums.reject
        );
        for fact in Fact::ALL.into_iter().filter(|_| failed > 0) {
            for shown in source.facts(fact) {
                let _ = writeln!(text, "    {}: {shown} ({})", fact.name(), shown.count);
            }
        }
    }
    for odd in &view.odd {
        let _ = writeln!(
            text,
            "  odd: {}, {} by {}, first in {}",
            odd.what,
            counted(odd.count, "time"),
            odd.reporter,
            odd.file
        );
    }
    for failure in &view.failures {
        text.push_str("  ");
        write_failure(text, failure.arrival.as_deref(), failure.failure);
    }
}
