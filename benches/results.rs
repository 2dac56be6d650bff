//! The tables of `RESULTS.md`, from the rows that `scripts/bench` writes: a name, and measured figures
//! after their keywords, once for each run.

pub mod page;

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::{bar, median};
use page::{HOSTILE, HOT, HOT_INSTRUCTIONS, REPORTS};

/// The measured parts, each the text of its file; an empty one was not measured.
#[derive(Clone, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "scripts/bench has just these parts")]
pub struct Parts {
    /// Rows of a server, its sessions, `rate`, `cpu`, `delay` (median and 99th percentile) and
    /// `errors`.
    pub load: String,
    /// Rows of a server, its connections, and `kib` for all of them.
    pub idle: String,
    /// Rows of the neighbour's kind, `rate`, `neighbour`, and `log` in octets a second.
    pub beside: String,
    /// Rows of `many` messages of a connection or `one`, and their cost in `clear` and over `tls`.
    pub relay: String,
    /// Rows of a message's way: `kept`, or relayed to a next hop by its `address` or `name`; its
    /// `instructions`.
    pub counts: String,
    /// Rows as those of `load` and `idle`, with TLS, checks or both.
    pub checks: String,
    /// Lines about hostile clients, each judged.
    pub hostile: String,
    /// The output of `cargo bench` with `--instructions`.
    pub instructions: String,
    /// The output of `scripts/bench-reports`, which judges it.
    pub reports: String,
    /// The output of `cargo bench`.
    pub micro: String,
}

/// Writes the tables of all parts that were measured.
#[must_use]
pub fn tables(parts: &Parts) -> String {
    let mut text = String::new();
    for (part, table) in [
        (&parts.load, load as fn(&[Row<'_>]) -> String),
        (&parts.idle, idle),
        (&parts.beside, beside),
        (&parts.relay, relay),
        (&parts.counts, counts),
        (&parts.checks, checks),
    ] {
        let rows: Vec<_> = part.lines().filter_map(Row::of).collect();
        if !rows.is_empty() {
            text.push('\n');
            text.push_str(&table(&rows));
        }
    }
    text.push_str(&beside_bare(&parts.checks, &parts.load));
    for (title, output) in [
        (HOSTILE, &parts.hostile),
        (HOT_INSTRUCTIONS, &parts.instructions),
        (REPORTS, &parts.reports),
        (HOT, &parts.micro),
    ] {
        let told = |line: &&str| {
            ["ratio", ": ours ", "bar ", "wanted"].iter().any(|word| line.contains(word))
        };
        let lines: Vec<_> = output.lines().filter(told).collect();
        if !lines.is_empty() {
            let _ = write!(text, "\n## {title}\n\n```text\n{}\n```\n", lines.join("\n"));
        }
    }
    text
}

/// The bar of a row that has one.
fn bar_of(section: &str, row: &str) -> f64 {
    bar(section, row).unwrap_or(f64::NAN)
}

/// Whether a figure is at least the bar.
fn at_least(figure: f64, bar: f64) -> &'static str {
    if figure >= bar { "OK" } else { "MISSED" }
}

/// Whether a figure is at most the bar.
fn at_most(figure: f64, bar: f64) -> &'static str {
    if figure <= bar { "OK" } else { "MISSED" }
}

/// The words before the first keyword, and the figures after each.
struct Row<'t> {
    names: Vec<&'t str>,
    figures: HashMap<&'t str, Vec<f64>>,
}

impl<'t> Row<'t> {
    /// Reads a row; returns `None` for a comment or an empty line.
    fn of(line: &'t str) -> Option<Self> {
        const KEYWORDS: [&str; 10] = [
            "rate",
            "cpu",
            "delay",
            "errors",
            "kib",
            "neighbour",
            "log",
            "clear",
            "tls",
            "instructions",
        ];
        let mut row = Self { names: Vec::new(), figures: HashMap::new() };
        let mut keyword = None;
        for word in line.split_whitespace().take_while(|word| !word.starts_with('#')) {
            if KEYWORDS.contains(&word) {
                keyword = Some(word);
                row.figures.insert(word, Vec::new());
            } else if let Some(keyword) = keyword {
                row.figures.entry(keyword).or_default().extend(word.parse::<f64>());
            } else {
                row.names.push(word);
            }
        }
        (!row.names.is_empty()).then_some(row)
    }

    fn name(&self, at: usize) -> &'t str {
        self.names.get(at).copied().unwrap_or_default()
    }

    fn figures(&self, keyword: &str) -> &[f64] {
        self.figures.get(keyword).map_or(&[], Vec::as_slice)
    }

    fn median(&self, keyword: &str) -> f64 {
        median(self.figures(keyword).iter().copied())
    }
}

fn load(rows: &[Row<'_>]) -> String {
    let mut text = "## Load\n\n\
        Messages of 4096 octets over persistent connections, no TLS; `smtp-source -d`, median of the runs.\n\
        CPU is the server's user and system time; the delay is from the final dot to the final reply.\n\n"
        .to_owned();
    servers(&mut text, rows);
    let ratio = |figure, at, other| {
        figure_of(rows, "gateway", at, figure) / figure_of(rows, other, at, figure)
    };
    text.push_str("\n| the gateway beside | figure | ratio | bar |\n|---|---|---|---|\n");
    for (other, figure, bar) in [
        ("exim", "cpu", "cpu_of_exim_10"),
        ("postfix", "cpu", "cpu_of_postfix_10"),
        ("exim", "rate", "rate_of_exim_10"),
        ("postfix", "rate", "rate_of_postfix_10"),
    ] {
        let (ratio, bar) = (ratio(figure, "10", other), bar_of("load", bar));
        let (what, word) = match figure {
            "cpu" => ("CPU a message at 10 sessions", at_most(ratio, bar)),
            _ => ("messages/s at 10 sessions", at_least(ratio, bar)),
        };
        let _ = writeln!(text, "| {other} | {what} | {ratio:.2} | {bar:.2} {word} |");
    }
    text
}

/// Rows of the gateway and of others with the same work, and of idle connections.
fn checks(rows: &[Row<'_>]) -> String {
    let mut text = "## With checks and TLS\n\n\
        `tls` is STARTTLS; `checked` is SPF, DKIM (RSA, 2048 bits) and a lookup for each recipient, for the gateway\n\
        DMARC too; `both` is all of it. Postfix has no such checks. Messages of 4096 octets over persistent connections, answers of the DNS cached.\n\n"
        .to_owned();
    let (idle, loaded): (Vec<_>, Vec<_>) =
        rows.iter().partition(|row| !row.figures("kib").is_empty());
    servers(&mut text, loaded.iter().copied());
    text.push_str("\n| work | the gateway's messages/s at 100 sessions, of those of | ratio | bar |\n|---|---|---|---|\n");
    for (work, other) in
        [("tls", "exim"), ("tls", "postfix"), ("checked", "exim"), ("both", "exim")]
    {
        let at = |name: &str| figure_of(rows, &format!("{name}-{work}"), "100", "rate");
        let ratio = at("gateway") / at(other);
        let bar = match (work, other) {
            ("tls", "exim") => {
                let bar = bar_of("load", "rate_of_exim_tls");
                format!("{bar:.2} {}", at_least(ratio, bar))
            }
            _ => "-".to_owned(),
        };
        let _ = writeln!(text, "| {work} | {other} | {ratio:.2} | {bar} |");
    }
    for row in idle {
        let each = row.median("kib") / row.name(1).parse().unwrap_or(f64::NAN);
        let bar = bar_of("load", "idle_tls_kib");
        let _ = writeln!(
            text,
            "\n{} idle connections with TLS: {each:.1} KiB each (PSS), bar {bar:.0} KiB {}.",
            row.name(1),
            at_most(each, bar)
        );
    }
    text
}

/// The gateway with its checks beside other servers without any, if both were measured.
fn beside_bare(checks: &str, load: &str) -> String {
    let [checks, load] =
        [checks, load].map(|part| part.lines().filter_map(Row::of).collect::<Vec<_>>());
    let mut text = String::new();
    for (other, bar) in [("exim", "rate_of_exim_100"), ("postfix", "rate_of_postfix_100")] {
        let ratio = figure_of(&checks, "gateway-checked", "100", "rate")
            / figure_of(&load, other, "100", "rate");
        let bar = bar_of("load", bar);
        if !ratio.is_nan() {
            let word = at_least(ratio, bar);
            let _ = writeln!(
                text,
                "\nWith its checks at 100 sessions, {ratio:.2} times the rate of {other} without: bar {bar:.2} {word}."
            );
        }
    }
    text
}

/// The table of servers under load.
fn servers<'r, 't: 'r>(text: &mut String, rows: impl IntoIterator<Item = &'r Row<'t>>) {
    text.push_str(
        "| server | sessions | messages/s | least to most | CPU a message | median delay | p99 delay | failed runs |\n\
        |---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let rates = row.figures("rate").iter().copied();
        let (least, most) = (rates.clone().fold(f64::MAX, f64::min), rates.fold(0.0, f64::max));
        let delay = |at: usize| {
            row.figures("delay").get(at).map_or_else(|| "-".to_owned(), |us| format!("{us:.0} us"))
        };
        let _ = writeln!(
            text,
            "| {} | {} | {:.0} | {least:.0} to {most:.0} | {:.0} us | {} | {} | {:.0} |",
            row.name(0),
            row.name(1),
            row.median("rate"),
            row.median("cpu"),
            delay(0),
            delay(1),
            row.median("errors"),
        );
    }
}

/// The median of a figure of a server at so many sessions.
fn figure_of(rows: &[Row<'_>], name: &str, sessions: &str, figure: &str) -> f64 {
    let row = rows.iter().find(|row| row.name(0) == name && row.name(1) == sessions);
    row.map_or(f64::NAN, |row| row.median(figure))
}

fn idle(rows: &[Row<'_>]) -> String {
    let mut text = "## Idle connections\n\n\
        | server | connections | memory each (PSS) |\n|---|---|---|\n"
        .to_owned();
    for row in rows {
        let each = row.median("kib") / row.name(1).parse().unwrap_or(f64::NAN);
        let _ = writeln!(text, "| {} | {} | {each:.1} KiB |", row.name(0), row.name(1));
    }
    text
}

fn beside(rows: &[Row<'_>]) -> String {
    let mut text = "## Beside another client\n\n\
        What one client gets through at the durable gateway, in one session, beside another that sends as much\n\
        as it can; median of the runs. The bar is half of what is left beside accepted messages.\n\n\
        | the other client sends | messages/s of the first | share | the other's, in a second | log, octets/s |\n\
        |---|---|---|---|---|\n"
        .to_owned();
    let measure = rows.first().map_or(f64::NAN, |row| row.median("rate"));
    for row in rows {
        let what = match row.name(0) {
            "accepted" => "messages",
            "refused" => "refused recipients, uncounted",
            "counted" => "refused recipients, counted",
            other => other,
        };
        let (rate, share) = (row.median("rate"), row.median("rate") / measure * 100.0);
        let least = bar_of("load", "beside_another") * 100.0;
        let missed = if share < least { ", MISSED" } else { "" };
        let (other, log) = (row.median("neighbour"), row.median("log"));
        let _ =
            writeln!(text, "| {what} | {rate:.0} | {share:.0} %{missed} | {other:.0} | {log:.0} |");
    }
    text
}

fn relay(rows: &[Row<'_>]) -> String {
    let most = bar_of("load", "relay_tls_us");
    let mut text = format!(
        "## Relay over verified TLS\n\n\
        The gateway's user and system time for a message of 4096 octets that it relays over a connection of its own:\n\
        in clear, and over TLS that a TLSA record verifies, its names cached; median of the runs. The bar is at most\n\
        {most} us more.\n\n\
        | messages of each client | in clear | over TLS | more | bar |\n|---|---|---|---|---|\n"
    );
    for row in rows {
        let (clear, tls) = (row.median("clear"), row.median("tls"));
        let more = tls - clear;
        let bar = at_most(more, most);
        let _ = writeln!(
            text,
            "| {} | {clear:.0} us | {tls:.0} us | {more:.0} us | {bar} |",
            row.name(0)
        );
    }
    text
}

fn counts(rows: &[Row<'_>]) -> String {
    let mut text = "## Instructions\n\n\
        What the gateway executes for a message of 4096 octets with its log of events, counted by callgrind.\n\n\
        | a message | instructions | bar |\n|---|---|---|\n"
        .to_owned();
    for row in rows {
        let what = match row.name(0) {
            "kept" => "kept in the Maildir",
            "address" => "relayed in clear, next hop by its address",
            "name" => "relayed in clear, next hop by its name",
            other => other,
        };
        let (each, most) = (row.median("instructions"), bar_of("message", row.name(0)));
        let bar = at_most(each, most);
        let _ = writeln!(text, "| {what} | {each:.0} | {most:.0} {bar} |");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Parts, tables};

    #[test]
    fn figures_of_several_runs_become_their_median() {
        let parts = Parts {
            load: "# server sessions\n\
                   gateway 10 rate 900 1100 1000 cpu 90 110 95 delay 200 900 errors 0\n\
                   exim 1-apart rate 146 cpu 569 delay - - errors 2\n\
                   postfix 100 rate 10 cpu 9 delay - - errors 0\n"
                .to_owned(),
            idle: "gateway 1000 kib 10123\n".to_owned(),
            beside: "accepted rate 100 300 200 neighbour 7 9 8 log 50\n\
                     counted rate 99 98 97 neighbour 1 log 5\n"
                .to_owned(),
            checks: "gateway-tls 100 rate 30 cpu 5 delay 1 2 errors 0\n\
                     exim-tls 100 rate 10 cpu 9 delay 1 2 errors 0\n\
                     gateway-tls 5000 kib 400000\n\
                     gateway-checked 100 rate 30 cpu 5 delay 1 2 errors 0\n"
                .to_owned(),
            relay: "many clear 290 310 300 tls 1300 1200 1310\none clear 400 tls 1401\n".to_owned(),
            counts: "kept instructions 204000\nname instructions 485001\n".to_owned(),
            instructions: "parse: ours 9 instructions, at most 10\n  instructions beside it 0.90, bar 0.75 MISSED\n".to_owned(),
            hostile: "beside a flood: 79 % of their rate, bar 80 % MISSED\n".to_owned(),
            reports: "reports 2000 records 100 wall 0.69 s (wanted 2 s, 200 MiB): met\n".to_owned(),
            micro:
                "noise\nsimple ip4: ours 100.0 ns\n  ratio to the fastest peer 0.50, bar 0.70 met\n"
                    .to_owned(),
        };
        let text = tables(&parts);
        for line in [
            "| gateway | 10 | 1000 | 900 to 1100 | 95 us | 200 us | 900 us | 0 |",
            "| exim | 1-apart | 146 | 146 to 146 | 569 us | - | - | 2 |",
            "| exim | CPU a message at 10 sessions | NaN | 0.24 MISSED |",
            "With its checks at 100 sessions, 3.00 times the rate of postfix without: bar 2.00 OK.",
            "| tls | exim | 3.00 | 1.50 OK |",
            "5000 idle connections with TLS: 80.0 KiB each (PSS), bar 64 KiB MISSED.",
            "| gateway | 1000 | 10.1 KiB |",
            "| messages | 200 | 100 % | 8 | 50 |",
            "| refused recipients, counted | 98 | 49 %, MISSED | 1 | 5 |",
            "| many | 300 us | 1300 us | 1000 us | OK |",
            "| one | 400 us | 1401 us | 1001 us | MISSED |",
            "| kept in the Maildir | 204000 | 212000 OK |",
            "| relayed in clear, next hop by its name | 485001 | 485000 MISSED |",
            "  instructions beside it 0.90, bar 0.75 MISSED",
            "beside a flood: 79 % of their rate, bar 80 % MISSED",
            "reports 2000 records 100 wall 0.69 s (wanted 2 s, 200 MiB): met",
            "  ratio to the fastest peer 0.50, bar 0.70 met",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(!text.contains("noise"), "{text}");
    }

    #[test]
    fn a_part_that_was_not_measured_has_no_table() {
        let parts = Parts { idle: "gateway 1000 kib 8000\n".to_owned(), ..Parts::default() };
        let text = tables(&parts);
        assert!(text.contains("## Idle") && text.matches("## ").count() == 1, "{text}");
        assert_eq!(tables(&Parts::default()), "");
    }
}
