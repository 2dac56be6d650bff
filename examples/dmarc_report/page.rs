//! Reports as a self-contained HTML page.

use std::collections::HashMap;
use std::fmt::{self, Write};

use crate::case::{Case, NOT_GIVEN, Report, ReportResult, word};

/// The page before the reports. The browser is told to fetch and run nothing.
pub(crate) const HEAD: &str = "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<title>DMARC reports</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 64rem; padding: 0 1rem; color: #222 }
h2 { margin: 2rem 0 0 } p { margin: .3rem 0 } .note { color: #a33 }
table { border-collapse: collapse; width: 100%; margin-top: 1rem }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid #ddd }
td.count { text-align: right } .pass { color: #176d37 } .fail { color: #a33 }
svg { width: 100%; height: auto; margin-top: 1rem } text { font: 12px system-ui, sans-serif; fill: #222 }
.bar-pass { fill: #3a9d5d } .bar-fail { fill: #cf5c4d }
</style>
</head>
<body>
<h1>DMARC reports</h1>
";

/// The page after the reports.
pub(crate) const FOOT: &str = "</body>\n</html>\n";

/// The part of the page for one report.
pub(crate) fn section(case: &Case) -> String {
    let mut page = String::from("<section>\n");
    let _ = match &case.outcome {
        ReportResult::Report(report) => write_report(&mut page, report),
        ReportResult::Failed { error, .. } => {
            let file = case.file.as_deref().unwrap_or("standard input");
            writeln!(page, "<h2>{}</h2>\n<p class=\"note\">{}</p>", Escaped(file), Escaped(error))
        }
    };
    page.push_str("</section>\n");
    page
}

fn write_report(page: &mut String, report: &Report) -> fmt::Result {
    let Report { domain, org_name, begin, end, id, .. } = report;
    writeln!(page, "<h2>{}</h2>", Escaped(domain.as_deref().unwrap_or(NOT_GIVEN)))?;
    writeln!(page, "<p>by {}, report {}</p>", Escaped(org_name), Escaped(id))?;
    writeln!(page, "<p>{} to {}</p>", Escaped(begin), Escaped(end))?;
    writeln!(page, "<p>policy {}</p>", Escaped(&report.policy.text()))?;
    writeln!(page, "<p>{} of {} messages passed</p>", report.passed, report.messages)?;
    for deviation in &report.deviations {
        let (at, what) = (deviation.at, Escaped(&deviation.what));
        writeln!(page, "<p class=\"note\">odd at byte {at}: {what}</p>")?;
    }
    write_chart(page, report)?;
    page.push_str(
        "<table>\n<tr><th>source</th><th>messages</th><th>DKIM</th><th>SPF</th>\
         <th>disposition</th><th>from</th></tr>\n",
    );
    for row in &report.rows {
        let (source, count, from) = (Escaped(&row.source), row.count, Escaped(&row.header_from));
        let (dkim, spf) = (word(row.dkim), word(row.spf));
        let done = row.disposition.unwrap_or(NOT_GIVEN);
        writeln!(
            page,
            "<tr><td>{source}</td><td class=\"count\">{count}</td><td class=\"{dkim}\">{dkim}</td>\
             <td class=\"{spf}\">{spf}</td><td>{done}</td><td>{from}</td></tr>"
        )?;
    }
    page.push_str("</table>\n");
    Ok(())
}

/// The sources that most came from, each a bar of what passed and what failed.
fn write_chart(page: &mut String, report: &Report) -> fmt::Result {
    let mut sums: HashMap<&str, (u64, u64)> = HashMap::new();
    for row in &report.rows {
        let (passed, failed) = sums.entry(&row.source).or_default();
        let is_pass = row.dkim == Some(true) || row.spf == Some(true);
        let sum = if is_pass { passed } else { failed };
        *sum = sum.saturating_add(row.count);
    }
    let total = |(passed, failed): (u64, u64)| passed.saturating_add(failed);
    let mut bars: Vec<_> = sums.into_iter().collect();
    bars.sort_by_key(|&(source, sums)| (u64::MAX - total(sums), source));
    bars.truncate(BARS);
    let Some(longest) = bars.first().map(|(_, sums)| total(*sums)).filter(|&sum| sum > 0) else {
        return Ok(());
    };
    let width = |sum: u64| {
        let share = u128::from(sum) * u128::from(WIDTH) / u128::from(longest);
        u64::try_from(share).unwrap_or(WIDTH)
    };
    let height = bars.len() * 22 + 4;
    writeln!(
        page,
        "<svg viewBox=\"0 0 900 {height}\" role=\"img\" aria-label=\"messages by source\">"
    )?;
    for (i, (source, (passed, failed))) in bars.into_iter().enumerate() {
        let (top, base) = (i * 22 + 4, i * 22 + 17);
        let (pass, fail) = (width(passed), width(failed));
        let (middle, behind) = (LEFT + pass, LEFT + pass + fail + 6);
        writeln!(
            page,
            "<text x=\"0\" y=\"{base}\">{}</text>\
             <rect class=\"bar-pass\" x=\"{LEFT}\" y=\"{top}\" width=\"{pass}\" height=\"16\"/>\
             <rect class=\"bar-fail\" x=\"{middle}\" y=\"{top}\" width=\"{fail}\" height=\"16\"/>\
             <text x=\"{behind}\" y=\"{base}\">{passed} passed, {failed} failed</text>",
            Escaped(source)
        )?;
    }
    page.push_str("</svg>\n");
    Ok(())
}

/// As many sources as a chart shows.
const BARS: usize = 20;
/// Where the bars begin: behind the longest address.
const LEFT: u64 = 270;
/// The length of the longest bar.
const WIDTH: u64 = 440;

/// A text that means nothing in HTML, whatever it is.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            c => f.write_char(c),
        })
    }
}
