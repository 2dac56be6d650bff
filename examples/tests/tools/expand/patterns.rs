//! Regular expressions: what Exim and `expand` make of them.

use serde_json::Value;

use super::comparison::{cases, in_exim, in_expand, is_exim_there, same};
use super::generator::Generator;

/// The table of event-expand, and the rows in which Exim differs.
const ROWS: &str = include_str!("../../../../crates/event-expand/tests/data/patterns.jsonl");
const OTHERWISE: &str = include_str!("../../../../crates/event-expand/tests/data/otherwise.jsonl");

#[test]
fn the_rows_of_regular_expressions_hold_in_exim() {
    if !is_exim_there() {
        return;
    }
    let rows = |text: &str| -> Vec<Value> {
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let (rows, otherwise) = (rows(ROWS), rows(OTHERWISE));
    let texts: Vec<_> = rows.iter().map(|row| row["input"].as_str().unwrap().to_owned()).collect();
    let (theirs, ours) = (in_exim(&texts), in_expand(&texts));
    let mut differences = Vec::new();
    for ((row, theirs), ours) in rows.iter().zip(theirs).zip(ours) {
        let expected = row["expect"].as_str().unwrap();
        let theirs = theirs.unwrap();
        let is_kept = theirs == expected || same(expected, None) && same(&theirs, None);
        let listed = otherwise.iter().find(|other| other["input"] == row["input"]);
        let is_ours = match listed {
            Some(other) => other["ours"].as_str() == ours.as_deref(),
            None => same(expected, ours.as_deref()),
        };
        if !is_kept || !is_ours {
            differences.push(format!("{row}\n   exim {theirs}\n   ours {ours:?}"));
        }
    }
    assert!(differences.is_empty(), "{} differ\n{}", differences.len(), differences.join("\n"));
}

/// As many as `generated_texts_are_the_same_in_exim` has.
#[test]
fn generated_regular_expressions_are_the_same_in_exim() {
    let (cases, seed) = cases();
    println!("{cases} cases, EXPAND_SEED={seed}");
    if !is_exim_there() {
        return;
    }
    let mut generator = Generator::new(seed);
    let texts: Vec<_> = (0..cases).map(|_| text(&mut generator)).collect();
    let (theirs, ours) = (in_exim(&texts), in_expand(&texts));
    let both = texts.iter().zip(theirs.into_iter().zip(ours));
    let differences = both.filter_map(|(text, (theirs, ours))| {
        let theirs = theirs.unwrap();
        let differs = !same(&theirs, ours.as_deref()) && !same(&plain(text), ours.as_deref());
        differs.then(|| format!("{text}\n   exim {theirs}\n   ours {ours:?}"))
    });
    let differences: Vec<_> = differences.collect();
    assert!(differences.is_empty(), "{} differ\n{}", differences.len(), differences.join("\n"));
}

/// The result of Exim without the shortcuts of a search: the plain search defines the meaning.
fn plain(text: &str) -> String {
    let text = text.replacen("\\N", "\\N(*NO_START_OPT)(*NO_AUTO_POSSESS)", 1);
    in_exim(&[text]).remove(0).unwrap()
}

/// A match with its groups, or a replacement of all matches.
fn text(generator: &mut Generator) -> String {
    let subject: String = (0..generator.below(9)).map(|_| generator.pick(SUBJECTS)).collect();
    let pattern = branches(generator, 3);
    if generator.below(3) == 0 {
        return format!("${{escape:${{sg{{{subject}}}{{\\N{pattern}\\N}}{{<\\$0>}}}}}}");
    }
    format!("${{if match{{{subject}}}{{\\N{pattern}\\N}}{{yes{FOUND}}}{{no}}}}")
}

/// The groups of a match.
const FOUND: &str = ":${escape:$0}:${escape:$1}:${escape:$2}:${escape:$3}";

fn branches(generator: &mut Generator, depth: u64) -> String {
    let mut text = parts(generator, depth);
    while generator.below(4) == 0 {
        text = text + "|" + &parts(generator, depth);
    }
    text
}

fn parts(generator: &mut Generator, depth: u64) -> String {
    (0..generator.below(4)).map(|_| part(generator, depth)).collect()
}

fn part(generator: &mut Generator, depth: u64) -> String {
    let part = match generator.below(10) {
        0 => return generator.pick(ASSERTIONS).to_owned(),
        1..=4 => generator.pick(LETTERS).to_owned(),
        5..=6 => generator.pick(ATOMS).to_owned(),
        _ if depth == 0 => generator.pick(LETTERS).to_owned(),
        _ => generator.pick(GROUPS).to_owned() + &branches(generator, depth - 1) + ")",
    };
    match generator.below(3) {
        0 => part + generator.pick(QUANTIFIERS),
        _ => part,
    }
}

const SUBJECTS: &[&str] =
    &["a", "a", "a", "b", "b", "c", "A", "1", " ", "-", "<", "\\n", "\\r\\n", "\\xe9", "\\x85"];

const LETTERS: &[&str] = &["a", "b", "a", "b", "c", "[ab]", "[^a]", "."];

const ASSERTIONS: &[&str] = &[
    "^", "$", "\\A", "\\z", "\\Z", "\\b", "\\B", "\\G", "\\K", "(?i)", "(?s)", "(?m)", "(?x)",
    "(?-i)", "(?U)", "(?n)", "(?J)", "(?^)", "(?#c)", "[[:<:]]", "[[:>:]]", "(?<=a)", "(?<!a|b)",
];

const ATOMS: &[&str] = &[
    "\\d",
    "\\D",
    "\\w",
    "\\W",
    "\\s",
    "\\S",
    "\\h",
    "\\H",
    "\\v",
    "\\V",
    "\\R",
    "\\X",
    "\\C",
    "[a-c]",
    "[[:alpha:]]",
    "[[:^upper:]]",
    "[\\w-]",
    "[]a]",
    "[^]a]",
    "[a\\-c]",
    "[a&&b]",
    "[a--c]",
    "[\\Qa-\\Eb]",
    "\\x61",
    "\\x{62}",
    "\\xe9",
    "\\141",
    "\\o{142}",
    "\\cJ",
    "\\<",
    "<",
    "\\Qab\\E",
    "\\E",
    "\\p{L}",
    "\\P{L}",
    "\\ ",
    "#",
    " ",
    "\\1",
    "\\2",
    "\\g1",
    "\\g{-1}",
    "\\k<n>",
    "(?P=n)",
    "\\8",
    "\\01",
    "\\\\{2}",
    "]",
    "}",
    "{a}",
];

const GROUPS: &[&str] = &[
    "(",
    "(",
    "(",
    "(?:",
    "(?>",
    "(?=",
    "(?!",
    "(?|",
    "(?<n>",
    "(?<m>",
    "(?i:",
    "(?x:",
    "(?s-i:",
    "(?(1)",
    "(?(<n>)",
    "(?(?=a)",
    "(*pla:",
    "(*atomic:",
];

const QUANTIFIERS: &[&str] =
    &["*", "+", "?", "*?", "+?", "??", "*+", "++", "?+", "{2}", "{1,2}", "{2,}", "{0,1}?"];
