//! All reports as a self-contained page.

mod domain;
mod time_line;

use std::fmt::Write as _;
use std::io::{self, Write};

use examples::cases::escaped::Escaped;

use crate::merge::{DomainView, Totals, Unread, View};
use examples::cases::count::counted;

/// Writes the page. The browser is told to fetch and run nothing.
pub(crate) fn write(view: &View<'_>, out: &mut impl Write) -> io::Result<()> {
    out.write_all(HEAD.as_bytes())?;
    out.write_all(include_bytes!("../cases/page.css"))?;
    out.write_all(b"</style>\n</head>\n<body>\n<h1>DMARC reports</h1>\n")?;
    let mut page = String::new();
    write_overview(&mut page, view);
    out.write_all(page.as_bytes())?;
    for (at, domain) in view.domains.iter().take(MAX_DOMAINS).enumerate() {
        page.clear();
        domain::write(&mut page, at, domain);
        out.write_all(page.as_bytes())?;
    }
    page.clear();
    write_unread(&mut page, &view.unread);
    out.write_all(page.as_bytes())?;
    out.write_all(b"</body>\n</html>\n")
}

const HEAD: &str = "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<title>DMARC reports</title>
<style>
";
/// The most domains with a section of their own.
const MAX_DOMAINS: usize = 200;
/// The most inputs that are told of.
const MAX_UNREAD: usize = 500;

fn write_overview(page: &mut String, view: &View<'_>) {
    if let (Some(first), Some(last)) = (view.days.first(), view.days.last()) {
        let _ = writeln!(page, "<p class=\"soft\">{} to {}</p>", first.text, last.text);
    }
    page.push_str("<dl class=\"totals\" id=\"totals\">\n");
    write_totals(page, view.totals);
    let count = |page: &mut String, name: &str, label: &str, value: u64| {
        let _ = writeln!(page, "<div><dt>{label}</dt><dd data-name=\"{name}\">{value}</dd></div>");
    };
    count(page, "reports", "reports", view.reports as u64);
    count(page, "failure_reports", "failure reports", view.failure_reports as u64);
    for (name, label, value) in [
        ("repeated", "repeated reports", view.repeated),
        ("without_report", "inputs without a report", view.without_report),
        ("unread", "inputs not read", view.unread.len() as u64),
    ] {
        if value > 0 {
            count(page, name, label, value);
        }
    }
    page.push_str("</dl>\n");
    time_line::write(page, &view.days);
    if view.domains.len() > 1 {
        write_domains(page, &view.domains);
    }
}

/// Writes the numbers of messages.
fn write_totals(page: &mut String, totals: Totals) {
    for (name, class, value) in [
        ("messages", "", totals.messages),
        ("failed", if totals.failed > 0 { "fail" } else { "" }, totals.failed),
        ("passed", "pass", totals.passed),
    ] {
        let _ = writeln!(
            page,
            "<div><dt>{name}</dt><dd class=\"{class}\" data-name=\"{name}\">{value}</dd></div>"
        );
    }
}

fn write_domains(page: &mut String, domains: &[DomainView<'_>]) {
    page.push_str(
        "<table>\n<thead><tr><th>domain</th><th class=\"count\">failed</th>\
         <th class=\"count\">messages</th><th>policy</th></tr></thead>\n<tbody>\n",
    );
    for (at, view) in domains.iter().take(MAX_DOMAINS).enumerate() {
        let name = Escaped(domain::name(view));
        let policy = view.policy.map(crate::case::Policy::text).unwrap_or_default();
        let Totals { messages, failed, .. } = view.totals;
        let class = if failed > 0 { "count fail" } else { "count" };
        let _ = writeln!(
            page,
            "<tr><td data-label=\"\"><a href=\"#d{at}\">{name}</a></td>\
             <td class=\"{class}\" data-label=\"failed\">{failed}</td>\
             <td class=\"count\" data-label=\"messages\">{messages}</td>\
             <td data-label=\"policy\">{}</td></tr>",
            Escaped(&policy)
        );
    }
    page.push_str("</tbody>\n</table>\n");
    if let Some(more) = domains.len().checked_sub(MAX_DOMAINS).filter(|more| *more > 0) {
        let more = counted(more, "more domain");
        let _ = writeln!(page, "<p class=\"note\">{more}: --format json has all</p>");
    }
}

fn write_unread(page: &mut String, unread: &[Unread<'_>]) {
    if unread.is_empty() {
        return;
    }
    page.push_str("<section id=\"unread\">\n<h2>Inputs not read</h2>\n<ul class=\"list\">\n");
    for Unread { file, error } in unread.iter().take(MAX_UNREAD) {
        let _ = writeln!(
            page,
            "<li>{}: <span class=\"note\">{}</span></li>",
            Escaped(file),
            Escaped(error)
        );
    }
    page.push_str("</ul>\n");
    if let Some(more) = unread.len().checked_sub(MAX_UNREAD).filter(|more| *more > 0) {
        let more = counted(more, "more input");
        let _ = writeln!(page, "<p class=\"note\">{more}: --format json has all</p>");
    }
    page.push_str("</section>\n");
}
