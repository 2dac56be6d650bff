//! The numbers of the documents: each is that of `benches/RESULTS.md`, as exactly as it is written.

use std::fs;

use crate::root;

/// Where a number of `RESULTS.md` stands.
enum Place {
    /// In the row that begins so: the number of the cell behind these words.
    Row(&'static str, usize),
    /// The time of a hot path.
    Ours(&'static str),
    /// That of the fastest other implementation.
    Fastest(&'static str),
}

use Place::{Fastest, Ours, Row};

const COST: &[(&str, Place)] = &[
    ("CPU of a message into the Maildir, 10 sessions", Row("| gateway | 10 |", 2)),
    ("messages a second into the Maildir, 10 sessions", Row("| gateway | 10 |", 0)),
    ("CPU of a message that is relayed in clear", Row("| one |", 0)),
    ("CPU of a message that is relayed over TLS", Row("| one |", 1)),
    ("CPU of a message into the Maildir with SPF", Row("| gateway-checked | 10 |", 2)),
    ("an idle connection |", Row("| gateway | 1000 |", 0)),
    ("an idle connection with TLS", Row("5000 idle connections with TLS: ", 0)),
    ("a TLS handshake with a staple", Ours("handshake with a staple")),
    ("SPF with ten includes", Ours("ten includes")),
    ("DMARC of a subdomain with two walks", Ours("subdomain with two walks")),
    ("lookups a second in Redis", Ours("GET k, 64 tasks")),
];

/// The number here, and that of a peer.
const PEERS: &[(&str, Place, Place)] = &[
    ("messages a second, durable", Row("| gateway | 10 |", 0), Row("| exim | 10 |", 0)),
    ("CPU of a message", Row("| gateway | 10 |", 2), Row("| exim | 10 |", 2)),
    ("memory of an idle connection", Row("| gateway | 1000 |", 0), Row("| exim | 1000 |", 0)),
    ("SPF, four includes", Ours("four includes of ten ip4"), Fastest("four includes of ten ip4")),
    ("DMARC", Ours("subdomain with two walks"), Fastest("subdomain with two walks")),
    ("TLSA 3 1 1", Ours("3 1 1"), Fastest("3 1 1")),
    (
        "an OCSP response",
        Ours("parse and verify, delegated"),
        Fastest("parse and verify, delegated"),
    ),
    ("a PROXY header of version 2, TCP4", Ours("v2 TCP4"), Fastest("v2 TCP4")),
];

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// The first number of a text, in nanoseconds if it is a time, and the half of its last digit.
fn number(text: &str) -> Option<(f64, f64)> {
    let digits = |c: char| c.is_ascii_digit() || c == '.' || c == ',';
    // Not a digit of a name, as in `v2`.
    let words =
        text.split([' ', ':', ';']).filter(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let word =
        words.map(|word| word.trim_end_matches(',')).find(|word| word.chars().all(digits))?;
    let (_, behind) = text.split_once(word)?;
    let unit = if behind.starts_with(" us") { 1000.0 } else { 1.0 };
    let decimals = word.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let value: f64 = word.replace(',', "").parse().ok()?;
    let half = 0.5 * 10_f64.powi(-i32::try_from(decimals).ok()?);
    Some((value * unit, half * unit))
}

/// A number of `RESULTS.md`.
fn found(results: &str, place: &Place) -> f64 {
    // The names of hot paths stand before their instructions too.
    let hot = || results.split_once("\n## Hot paths\n").unwrap().1;
    let value = match place {
        Row(start, cell) => {
            let row = results.lines().find_map(|line| line.strip_prefix(start)).unwrap();
            number(row.split('|').nth(*cell).unwrap())
        }
        Ours(name) => {
            let start = format!("{name}: ours ");
            number(hot().lines().find_map(|line| line.strip_prefix(&start)).unwrap())
        }
        Fastest(name) => {
            let lines =
                hot().lines().skip_while(|line| !line.starts_with(&format!("{name}: ours ")));
            let peers = lines.skip(1).take_while(|line| line.contains(", ratio "));
            let times = peers.map(|line| line.trim_start().split_once("  ").unwrap().1);
            let times = times.filter_map(|time| number(time.trim_start()));
            times.min_by(|one, other| one.0.total_cmp(&other.0))
        }
    };
    value.unwrap().0
}

/// The cells of the row of a document that begins so, without the first.
fn row<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    let line = text.lines().find(|line| line.starts_with(&format!("| {start}")));
    line.unwrap().split(" | ").skip(1).collect()
}

/// Compares a number of a document with the measured one; returns the difference as text.
fn wrong(results: &str, start: &str, written: &str, place: &Place) -> Vec<String> {
    let (value, half) = number(written).unwrap();
    let found = found(results, place);
    let is_right = (value - found).abs() <= half * 1.001;
    let fault = || format!("{start}: {written}, and RESULTS.md has {found}");
    if is_right { Vec::new() } else { vec![fault()] }
}

#[test]
fn the_numbers_of_documents_are_the_measured_ones() {
    let results = read("benches/RESULTS.md");
    let mut faults = Vec::new();
    let scale = read("docs/scale.md");
    for (start, place) in COST {
        faults.extend(wrong(&results, start, row(&scale, start)[0], place));
    }
    let peers = read("docs/peers.md");
    let (_, peers) = peers.split_once("\n## Numbers\n").unwrap();
    for (start, here, peer) in PEERS {
        for (written, place) in row(peers, start).into_iter().zip([here, peer]) {
            faults.extend(wrong(&results, start, written, place));
        }
    }
    let readme = read("README.md");
    let (_, rates) = readme.split_once("\nstored ").unwrap();
    for (before, start) in
        [("", "| gateway | 10 |"), ("Postfix ", "| postfix | 10 |"), ("Exim ", "| exim | 10 |")]
    {
        let (_, written) = rates.split_once(before).unwrap();
        faults.extend(wrong(&results, "README.md", written, &Row(start, 0)));
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// The numbers of sentences, and those of peers behind the first one of a cell.
#[test]
fn the_numbers_of_sentences_are_the_measured_ones() {
    let results = read("benches/RESULTS.md");
    let figure = |start: &str, cell: usize| {
        let row = results.lines().find_map(|line| line.strip_prefix(start)).unwrap();
        with_comma(number(row.split('|').nth(cell).unwrap()).unwrap().0)
    };
    let (_, counted) = results.split_once("\n## Instructions of the hot paths\n").unwrap();
    let (_, walked) = counted.split_once("v2 TCP6, vectors walked: ours ").unwrap();
    let (ours, peers) = walked.split_once(" instructions").unwrap();
    let instructions = |name: &str| {
        let row = peers.lines().find_map(|line| line.trim_start().strip_prefix(name)).unwrap();
        let (count, ratio) = row.trim().split_once(", ratio ").unwrap();
        (with_comma(count.parse().unwrap()), ratio.to_owned())
    };
    let (fewest, _) = instructions("ppp   ");
    let (checked, ratio) = instructions("ppp, all checked");
    let document = read("docs/peers.md");
    for sentence in [
        format!("Exim {}; Postfix {}", figure("| exim | 10 |", 0), figure("| postfix | 10 |", 0)),
        format!("takes {ours} with a walk over its vectors, and {fewest} with the fewest"),
        format!("it takes {checked}, which is {ratio}"),
    ] {
        assert!(document.contains(&sentence), "docs/peers.md has not: {sentence}");
    }
}

/// A number with a comma before its last three digits.
fn with_comma(number: f64) -> String {
    let digits = number.to_string();
    let (thousands, rest) = digits.split_at(digits.len().saturating_sub(3));
    if thousands.is_empty() { digits } else { format!("{thousands},{rest}") }
}

/// The arithmetic for a year takes the measured costs of the table before it.
#[test]
fn the_arithmetic_has_the_measured_costs() {
    let scale = read("docs/scale.md");
    let (_, measured) = scale.split_once("\n## Measured cost\n").unwrap();
    let (measured, year) = measured.split_once("\n## 1,000 messages").unwrap();
    let costs: Vec<_> = measured.lines().filter_map(|line| line.split(" | ").nth(1)).collect();
    let words: Vec<_> = year.split([' ', '(', ')']).collect();
    let of_time = words.windows(2).filter(|pair| pair[1] == "us");
    // Small ones are sums.
    let taken: Vec<_> =
        of_time.filter(|pair| !pair[0].contains('.')).map(|pair| pair.join(" ")).collect();
    assert!(taken.len() >= 4, "{taken:?}");
    for cost in taken {
        assert!(costs.contains(&&*cost), "{cost} is not in the table");
    }
}

#[test]
fn numbers_are_read_with_their_unit() {
    assert_eq!(number("9,438"), Some((9438.0, 0.5)));
    assert_eq!(number("0.8 us"), Some((800.0, 50.0)));
    assert_eq!(number("Exim 1,778; Postfix 1,638"), Some((1778.0, 0.5)));
    assert_eq!(number("ppp 12.1 ns, ratio 0.47"), Some((12.1, 0.05)));
    assert_eq!(number("none"), None);
}
