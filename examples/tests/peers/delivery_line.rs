//! Lines about deliveries in a log in Exim's form.

/// The outcome of a recipient: `deferred`, `failed`, `clear`, or the word behind `CV=`.
pub(crate) fn outcome(log: &str, recipient: &str) -> String {
    let (sign, line) = ["=>", "->", "**", "=="]
        .iter()
        .find_map(|sign| Some((*sign, line(log, sign, recipient)?)))
        .unwrap_or_else(|| panic!("{recipient}: {log}"));
    let verified = line.split_whitespace().find_map(|word| word.strip_prefix("CV="));
    match sign {
        "**" => "failed",
        "==" => "deferred",
        _ => verified.unwrap_or("clear"),
    }
    .to_owned()
}

/// The line with this sign before a recipient.
pub(crate) fn line<'a>(log: &'a str, sign: &str, recipient: &str) -> Option<&'a str> {
    let start = format!("{sign} {recipient}");
    let ends = |rest: &str| rest.is_empty() || rest.starts_with([' ', ':']);
    log.lines().find(|line| line.split_once(&start).is_some_and(|(_, rest)| ends(rest)))
}
