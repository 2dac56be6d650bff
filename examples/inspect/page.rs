//! The inspections as one self-contained page.

use std::fmt::Write as _;
use std::io::{self, Write};

use examples::cases::certificates::written;
use examples::cases::escaped::Escaped;
use examples::cases::published::PublishedText;
use examples::cases::spf_review::ReviewedRecord;
use rustls::pki_types::UnixTime;

use crate::domains::UnreadLine;
use crate::inspection::{Defect, Inspection, severity_word};
use crate::summary::Summary;

/// Writes the page. The browser is told to fetch and run nothing.
pub(crate) fn write(
    inspections: &[Inspection],
    unread: &[UnreadLine],
    summary: &Summary,
    out: &mut impl Write,
) -> io::Result<()> {
    out.write_all(HEAD.as_bytes())?;
    out.write_all(include_bytes!("../cases/page.css"))?;
    out.write_all(include_bytes!("page.css"))?;
    out.write_all(b"</style>\n</head>\n<body>\n<h1>Mail of domains</h1>\n")?;
    let mut page = format!("<p class=\"soft\" id=\"date\">{}</p>\n", written(UnixTime::now()));
    write_totals(&mut page, summary);
    if inspections.len() > 1 {
        write_overview(&mut page, inspections);
    }
    write_unread(&mut page, unread);
    out.write_all(page.as_bytes())?;
    for (at, inspection) in inspections.iter().enumerate() {
        page.clear();
        write_domain(&mut page, at, inspection);
        out.write_all(page.as_bytes())?;
    }
    out.write_all(b"</body>\n</html>\n")
}

const HEAD: &str = "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<title>Mail of domains</title>
<style>
";

fn write_totals(page: &mut String, summary: &Summary) {
    page.push_str("<dl class=\"totals\" id=\"totals\">\n");
    for (name, label, value) in [
        ("domains", "domains", summary.domains),
        ("with_dane", "with DANE", summary.with_dane),
        ("with_problems", "with problems", summary.with_problems),
        ("with_failures", "with failed lookups", summary.with_failures),
    ] {
        // Writing to a String cannot fail.
        let _ = writeln!(page, "<div><dt>{label}</dt><dd data-name=\"{name}\">{value}</dd></div>");
    }
    if summary.unread > 0 {
        let unread = summary.unread;
        let _ = writeln!(
            page,
            "<div><dt>lines not read</dt><dd data-name=\"unread\">{unread}</dd></div>"
        );
    }
    page.push_str("</dl>\n");
}

fn write_unread(page: &mut String, unread: &[UnreadLine]) {
    if unread.is_empty() {
        return;
    }
    page.push_str("<section id=\"unread\">\n<h2>Lines not read</h2>\n<ul>\n");
    for line in unread {
        let _ = writeln!(page, "<li class=\"fail\">{}</li>", Escaped(&line.told()));
    }
    page.push_str("</ul>\n</section>\n");
}

fn write_overview(page: &mut String, inspections: &[Inspection]) {
    page.push_str(
        "<table>\n<thead><tr><th>domain</th><th class=\"count\">problems</th>\
         <th class=\"count\">warnings</th><th class=\"count\">failed lookups</th></tr></thead>\n<tbody>\n",
    );
    for (at, inspection) in inspections.iter().enumerate() {
        let count = |word: &str| {
            let defects = inspection.defects.iter();
            defects.filter(|defect| severity_word(defect.severity) == word).count()
        };
        let failures = inspection.lookups.iter().filter(|line| line.failure.is_some()).count();
        let _ = write!(
            page,
            "<tr><td data-label=\"\"><a href=\"#d{at}\">{}</a></td>",
            Escaped(&inspection.domain)
        );
        for (label, count) in [
            ("problems", count("problem")),
            ("warnings", count("warning")),
            ("failed lookups", failures),
        ] {
            let class = if count > 0 && label != "warnings" { "count fail" } else { "count" };
            let _ = write!(page, "<td class=\"{class}\" data-label=\"{label}\">{count}</td>");
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n</table>\n");
}

fn write_domain(page: &mut String, at: usize, inspection: &Inspection) {
    let domain = Escaped(&inspection.domain);
    let _ = writeln!(page, "<section class=\"domain\" id=\"d{at}\">\n<h2>{domain}</h2>");
    write_defects(page, &inspection.defects);
    page.push_str("<h3>Mail hosts</h3>\n<ul class=\"hosts\">\n");
    if let (Some(action), Some(reason)) = (inspection.mail.action, &inspection.mail.reason) {
        let _ = writeln!(page, "<li class=\"fail\">{action}: {}</li>", Escaped(reason));
    }
    for host in &inspection.mail.hosts {
        let _ = writeln!(page, "<li>{}<ul>", Escaped(&host.policy.line()));
        if !host.policy.addresses().is_empty() {
            let addresses = host.policy.addresses().join(" ");
            let _ = writeln!(page, "<li class=\"soft\">addresses {}</li>", Escaped(&addresses));
        }
        for record in host.policy.tlsa() {
            let _ = writeln!(page, "<li class=\"soft\">TLSA {}</li>", Escaped(record));
        }
        for server in &host.servers {
            let class = if server.error.is_some() { "fail" } else { "server" };
            let _ = writeln!(page, "<li class=\"{class}\">{}</li>", Escaped(&server.line()));
        }
        page.push_str("</ul></li>\n");
    }
    page.push_str("</ul>\n");
    let _ = writeln!(page, "<h3>SPF: {}</h3>", Escaped(&inspection.spf.result()));
    write_tree(page, &inspection.spf.records);
    if inspection.spf.is_absent() {
        page.push_str("<p class=\"soft\">no record</p>\n");
    }
    let _ = writeln!(page, "<h3>DMARC: {}</h3>", Escaped(&inspection.dmarc.result()));
    if let Some(org) = inspection.dmarc.org_domain() {
        let _ = writeln!(page, "<p class=\"soft\">organizational domain {}</p>", Escaped(org));
    }
    page.push_str("<ul class=\"tree\">\n");
    for walked in &inspection.dmarc.names {
        let name = Escaped(&walked.name);
        for (state, text) in walked.texts() {
            let _ = write!(page, "<li>{name}{state}: ");
            write_published(page, text);
            page.push_str("</li>\n");
        }
        if let Some(why) = walked.without_text() {
            let _ = writeln!(page, "<li>{name}: {}</li>", Escaped(&why));
        }
    }
    page.push_str("</ul>\n<details><summary>All lookups</summary>\n<ul class=\"lookups\">\n");
    for lookup in &inspection.lookups {
        let class = if lookup.failure.is_some() { "fail" } else { "soft" };
        let _ = writeln!(page, "<li class=\"{class}\">{}</li>", Escaped(&lookup.line()));
    }
    page.push_str("</ul>\n</details>\n</section>\n");
}

fn write_defects(page: &mut String, defects: &[Defect]) {
    if defects.is_empty() {
        page.push_str("<p class=\"pass\">no defect found</p>\n");
        return;
    }
    page.push_str("<ul class=\"defects\">\n");
    for Defect { severity, about, text, section, sentence } in defects {
        let word = severity_word(*severity);
        let _ = write!(
            page,
            "<li class=\"{word}\"><b>{word}</b> {}: {}",
            Escaped(about),
            Escaped(text)
        );
        if let (Some(section), Some(sentence)) = (section, sentence) {
            let _ = write!(
                page,
                "<blockquote>{} <cite>{}</cite></blockquote>",
                Escaped(sentence),
                Escaped(section)
            );
        }
        page.push_str("</li>\n");
    }
    page.push_str("</ul>\n");
}

/// Writes a published text, with its faults marked.
fn write_published(page: &mut String, text: &PublishedText) {
    page.push_str("<code>");
    for (piece, is_marked) in text.pieces() {
        let tags = if is_marked { ["<mark>", "</mark>"] } else { ["", ""] };
        let _ = write!(page, "{}{}{}", tags[0], Escaped(&piece), tags[1]);
    }
    page.push_str("</code>");
}

/// Draws the tree of SPF records: each list is in the record that refers to its items.
fn write_tree(page: &mut String, records: &[ReviewedRecord]) {
    let mut open = 0;
    for record in records {
        let depth = &record.depth;
        // A review goes one level down at a time.
        if open > *depth {
            (*depth + 1..open).for_each(|_| page.push_str("</li></ul>\n"));
            page.push_str("</li>\n");
            open = depth + 1;
        } else {
            page.push_str("<ul class=\"tree\">\n");
            open += 1;
        }
        let _ = write!(
            page,
            "<li><span class=\"name\">{}</span> <span class=\"soft\">({})</span> ",
            Escaped(&record.domain),
            record.state()
        );
        write_published(page, &record.text);
    }
    (0..open).for_each(|_| page.push_str("</li></ul>\n"));
}
