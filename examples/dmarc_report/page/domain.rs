//! The section of a domain.

use std::fmt::Write as _;

use super::{time_line, write_totals};
use crate::case::{NOT_GIVEN, Policy};
use crate::merge::{DomainView, Fact, FailureView, Odd, SourceView};
use examples::cases::count::counted;
use examples::cases::escaped::Escaped;

/// The most sources of a domain; those that fail most come first.
const MAX_SOURCES: usize = 200;
/// The most reporters, deviations and failure reports of a domain.
const MAX_OTHERS: usize = 100;

/// The name of the domain, or a mark where reports do not give it.
pub(super) fn name<'v>(view: &DomainView<'v>) -> &'v str {
    view.domain.unwrap_or(NOT_GIVEN)
}

pub(super) fn write(page: &mut String, at: usize, view: &DomainView<'_>) {
    let name = Escaped(name(view));
    let _ = writeln!(page, "<section class=\"domain\" id=\"d{at}\">\n<h2>{name}</h2>");
    if let Some(policy) = view.policy {
        let _ = writeln!(page, "<p>policy {}</p>", Escaped(&Policy::text(policy)));
    }
    page.push_str("<dl class=\"totals\">\n");
    write_totals(page, view.totals);
    page.push_str("</dl>\n");
    time_line::write(page, &view.days);
    write_sources(page, &view.sources);
    write_reporters(page, view);
    write_odd(page, &view.odd);
    write_failures(page, &view.failures);
    page.push_str("</section>\n");
}

fn write_sources(page: &mut String, sources: &[SourceView<'_>]) {
    if sources.is_empty() {
        return;
    }
    page.push_str(
        "<table class=\"sources\">\n<thead><tr><th>source</th><th class=\"count\">failed</th>\
         <th class=\"count\">messages</th><th class=\"count\">DKIM pass</th>\
         <th class=\"count\">SPF pass</th><th>done</th><th>why</th></tr></thead>\n<tbody>\n",
    );
    for view in sources.iter().take(MAX_SOURCES) {
        write_source(page, view);
    }
    page.push_str("</tbody>\n</table>\n");
    let rest = sources.get(MAX_SOURCES..).unwrap_or_default();
    if !rest.is_empty() {
        let sum =
            |count: fn(&SourceView<'_>) -> u64| rest.iter().map(count).fold(0, u64::saturating_add);
        let (messages, failed) = (sum(|view| view.sums.messages), sum(|view| view.sums.failed()));
        let _ = writeln!(
            page,
            "<p class=\"soft\">{} with {}, {failed} failed: --format csv has all</p>",
            counted(rest.len(), "more source"),
            counted(messages, "message"),
        );
    }
}

fn write_source(page: &mut String, view: &SourceView<'_>) {
    let sums = &view.sums;
    let failed = sums.failed();
    let class = if failed > 0 { "count fail" } else { "count" };
    let _ = write!(
        page,
        "<tr><td data-label=\"\">{}<br/><span class=\"soft\">{} to {}, {} reporters</span></td>\
         <td class=\"{class}\" data-label=\"failed\">{failed}</td>\
         <td class=\"count\" data-label=\"messages\">{}</td>\
         <td class=\"count\" data-label=\"DKIM pass\">{}</td>\
         <td class=\"count\" data-label=\"SPF pass\">{}</td><td data-label=\"done\">",
        view.source, view.first, view.last, view.reporters, sums.messages, sums.dkim, sums.spf
    );
    let none = sums.messages.saturating_sub(sums.quarantine).saturating_sub(sums.reject);
    let done = [("reject", sums.reject), ("quarantine", sums.quarantine), ("none", none)];
    let done = done.iter().filter(|(_, count)| *count > 0);
    let done: Vec<_> = done.map(|(word, count)| format!("{word} {count}")).collect();
    let _ = write!(page, "{}</td><td data-label=\"why\"><ul>", done.join(", "));
    for (fact, label) in [
        (Fact::Reason, "override"),
        (Fact::Signature, "DKIM"),
        (Fact::Spf, "SPF"),
        (Fact::EnvelopeFrom, "envelope from"),
        (Fact::HeaderFrom, "from"),
    ] {
        let facts = view.facts(fact);
        if facts.is_empty() {
            continue;
        }
        let texts: Vec<_> = facts.iter().map(|fact| format!("{fact} ({})", fact.count)).collect();
        let _ = write!(page, "<li><b>{label}</b> {}</li>", Escaped(&texts.join(", ")));
    }
    page.push_str("</ul></td></tr>\n");
}

fn write_reporters(page: &mut String, view: &DomainView<'_>) {
    if view.reporters.is_empty() {
        return;
    }
    page.push_str("<h3>Reporters</h3>\n<ul class=\"list reporters\">\n");
    for reporter in view.reporters.iter().take(MAX_OTHERS) {
        let (name, totals) = (Escaped(reporter.reporter), reporter.totals);
        let _ = writeln!(
            page,
            "<li>{name}: {}, {} failed</li>",
            counted(totals.messages, "message"),
            totals.failed
        );
    }
    page.push_str("</ul>\n");
    write_more(page, view.reporters.len());
}

fn write_odd(page: &mut String, odd: &[Odd<'_>]) {
    if odd.is_empty() {
        return;
    }
    page.push_str("<h3>Odd in the reports</h3>\n<ul class=\"list odd\">\n");
    for Odd { what, reporter, count, file } in odd.iter().take(MAX_OTHERS) {
        let (what, reporter, file) = (Escaped(what), Escaped(reporter), Escaped(file));
        let count = counted(*count, "time");
        let _ = writeln!(
            page,
            "<li><span class=\"note\">{what}</span>, {count} by {reporter}, \
             <span class=\"soft\">first in {file}</span></li>"
        );
    }
    page.push_str("</ul>\n");
    write_more(page, odd.len());
}

fn write_failures(page: &mut String, failures: &[FailureView<'_>]) {
    if failures.is_empty() {
        return;
    }
    page.push_str(
        "<h3>Failure reports</h3>\n<table class=\"failures\">\n<thead><tr><th>arrival</th><th>source</th>\
         <th>failure</th><th>not aligned</th><th>delivery</th><th>message</th></tr></thead>\n<tbody>\n",
    );
    for FailureView { arrival, failure, .. } in failures.iter().take(MAX_OTHERS) {
        let cell = |page: &mut String, label: &str, value: &str| {
            let _ = write!(page, "<td data-label=\"{label}\">{}</td>", Escaped(value));
        };
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| NOT_GIVEN.to_owned());
        page.push_str("<tr>");
        cell(page, "arrival", arrival.as_deref().unwrap_or(NOT_GIVEN));
        let source = failure.source.map(|source| source.to_string());
        cell(page, "source", &text(&source));
        cell(page, "failure", &text(&failure.auth_failure));
        cell(page, "not aligned", &text(&failure.identity_alignment));
        cell(page, "delivery", &text(&failure.delivery_result));
        let mut message = Vec::new();
        for (label, value) in [
            ("from", &failure.header_from),
            ("envelope from", &failure.envelope_from),
            ("subject", &failure.subject),
            ("DKIM", &failure.dkim_domain),
            ("selector", &failure.dkim_selector),
            ("SPF", &failure.spf_dns),
            ("by", &failure.reporter),
        ] {
            message.extend(value.as_ref().map(|value| format!("{label} {value}")));
        }
        message.extend(failure.deviations.iter().map(|odd| format!("odd: {odd}")));
        cell(page, "message", &message.join("; "));
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n</table>\n");
    write_more(page, failures.len());
}

fn write_more(page: &mut String, count: usize) {
    if let Some(more) = count.checked_sub(MAX_OTHERS).filter(|more| *more > 0) {
        let _ = writeln!(page, "<p class=\"soft\">{more} more: --format json has all</p>");
    }
}
