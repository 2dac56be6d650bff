//! Lists end, and are written and read again as the same; a host set decides alike for an address and
//! its mapped form.

#![no_main]

use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;
use mail_types::exim::{HostSet, List, Semantics, Trust, Value, Word, WordList};

const WORDS: &[Word] = &[Word::new("pass", &[]), Word::new("permerror", &["err_perm"])];

fuzz_target!(|text: &str| {
    assert!(
        !Value::new(text.as_bytes(), Trust::Untrusted).to_string().chars().any(char::is_control)
    );
    let list = List::new(text);
    let items: Vec<_> = list.clone().map(String::from).collect();
    assert!(items.len() <= text.len());
    if !list.separator().is_ascii_control() {
        let written = List::join(items.iter().map(String::as_str), list.separator());
        assert!(List::separated(&written, list.separator()).eq(items.iter().map(String::as_str)));
    }
    if let Ok(words) = WordList::new(list.clone(), WORDS) {
        for outcome in ["pass", "permerror", "none"] {
            let ordered = words.matches(outcome, Semantics::ListOrder);
            assert!(!ordered || words.matches(outcome, Semantics::EachItem));
        }
    }
    if let Ok(hosts) = HostSet::new(list) {
        for address in ["192.0.2.1", "10.0.0.1"] {
            let mapped: IpAddr = format!("::ffff:{address}").parse().unwrap();
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(hosts.contains(address, None), hosts.contains(mapped, None));
        }
    }
});
