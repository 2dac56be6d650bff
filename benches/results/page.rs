//! The page of results: a table for each measured part, in a fixed order.

use std::fmt::Write as _;

/// Puts the new tables, with the place that they were measured at, in place of the old ones; those of
/// parts that were not measured stay as they are.
#[must_use]
pub fn replaced(old: &str, new: &str, place: &str) -> String {
    let of = |text, title| sections(text).find(|(found, _)| *found == title).map(|(_, body)| body);
    let mut text = "# Results\n\nWritten by `scripts/bench`.\n".to_owned();
    for title in TITLES {
        let _ = match (of(new, title), of(old, title)) {
            (Some(body), _) => write!(text, "\n## {title}\n\n{place}\n\n{body}\n"),
            (None, Some(body)) => write!(text, "\n## {title}\n\n{body}\n"),
            (None, None) => Ok(()),
        };
    }
    text
}

/// The titles and the bodies of a text.
fn sections(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let sections = text.split("\n## ").skip(1).filter_map(|section| section.split_once('\n'));
    sections.map(|(title, body)| (title, body.trim()))
}

/// The titles of all tables, in their order.
const TITLES: [&str; 10] = [
    "Load",
    "Idle connections",
    "Beside another client",
    "Relay over verified TLS",
    "Instructions",
    "With checks and TLS",
    HOSTILE,
    HOT_INSTRUCTIONS,
    REPORTS,
    HOT,
];
pub(super) const HOSTILE: &str = "Honest clients beside hostile ones";
pub(super) const HOT_INSTRUCTIONS: &str = "Instructions of the hot paths";
pub(super) const REPORTS: &str = "The page of a Maildir of DMARC reports";
pub(super) const HOT: &str = "Hot paths";

#[cfg(test)]
mod tests {
    use super::super::{Parts, tables};
    use super::{TITLES, replaced, sections};

    #[test]
    fn a_part_that_was_not_measured_keeps_its_table() {
        let part = |text: &str| text.to_owned();
        let idle = Parts { idle: part("gateway 1000 kib 8000\n"), ..Parts::default() };
        let old = replaced("", &tables(&idle), "At commit a.");
        let load = part("gateway 10 rate 9 cpu 9 delay 2 9 errors 0\n");
        let both = replaced(&old, &tables(&Parts { load, ..Parts::default() }), "At commit b.");
        let titles: Vec<_> = sections(&both).map(|(title, _)| title).collect();
        assert_eq!(titles, ["Load", "Idle connections"]);
        let (load, idle) = both.split_once("## Idle").unwrap_or_default();
        assert!(load.contains("\n## Load\n\nAt commit b.\n\n"), "{both}");
        assert!(idle.contains("\n\nAt commit a.\n\n") && idle.contains("| 8.0 KiB |"), "{both}");
        assert_eq!(replaced(&both, "", "At commit c."), both);
        let again = Parts { idle: part("gateway 1000 kib 9000\n"), ..Parts::default() };
        let both = replaced(&both, &tables(&again), "At commit c.");
        assert!(both.contains("At commit b.") && !both.contains("At commit a."), "{both}");
        assert!(both.contains("| 9.0 KiB |") && !both.contains("| 8.0 KiB |"), "{both}");
    }

    /// A table whose title is not in the list would be lost.
    #[test]
    fn each_table_has_its_place() {
        let text = include_str!("../RESULTS.md");
        let titles: Vec<_> = sections(text).map(|(title, _)| title).collect();
        assert_eq!(titles, TITLES);
    }
}
