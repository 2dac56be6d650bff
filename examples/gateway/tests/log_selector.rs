//! The words of `log_selector`.

use crate::gateway::config::Config;
use crate::gateway::telemetry::log_selector::{LogSelector, LogWord};

#[test]
fn words_are_added_and_removed_in_their_order() {
    let default = LogSelector::default();
    assert_eq!(LogSelector::read(" \n"), Ok(default));
    for (name, word, selected) in LogWord::ALL {
        let (on, off) = (format!("+{name}"), format!("-{name}"));
        assert_eq!(default.has(word), selected, "{name}");
        for (text, expected) in [
            (on.clone(), true),
            (off.clone(), false),
            (format!("{on} {off}"), false),
            (format!("-all {on}"), true),
            (format!("+all\t{off}"), false),
        ] {
            let read = LogSelector::read(&text).unwrap();
            assert_eq!(read.has(word), expected, "{text}");
        }
        let other = if selected { off } else { on };
        let changes: Vec<_> = LogSelector::read(&other).unwrap().changes().collect();
        assert_eq!(changes, [word]);
    }
    assert_eq!(format!("{:?}", LogSelector::read("-all +subject").unwrap()), "{\"subject\"}");
}

#[test]
fn other_words_are_refused_by_name_and_line() {
    for (text, expected) in [
        ("subject", "item 1 begins with neither + nor -"),
        ("+subject : +proxy", "item 2 begins with neither + nor -"),
        ("+subject +queue_run", "item 2: queue_run is a word of Exim that selects nothing here"),
        ("-pid", "item 1: pid is a word of Exim that selects nothing here"),
        ("+subjct", "item 1: unknown word \"subjct\"; expected all, deliver_time, delivery_size, "),
        ("+", "item 1: unknown word \"\"; expected all, "),
    ] {
        let error = Config::parse(&format!("\nlog_selector = '{text}'")).unwrap_err().to_string();
        assert!(error.starts_with(&format!("line 2: log_selector: {expected}")), "{text}: {error}");
    }
}
