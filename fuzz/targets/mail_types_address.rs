//! Names, domains, mailboxes and paths: a parsed value is written and parsed again as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mail_types::dns::Name;
use mail_types::smtp::{Domain, Mailbox, ReversePath};

fuzz_target!(|text: &str| {
    if let Ok(name) = text.parse::<Name>() {
        assert!(name.octets() <= Name::MAX_OCTETS);
        let again: Name = name.to_string().parse().unwrap();
        assert_eq!((again.octets(), &again), (name.octets(), &name));
        assert!(name.is_within(&Name::root()) && name.is_within(&again));
    }
    if let Ok(domain) = text.parse::<Domain>() {
        assert_eq!(domain.to_string().parse(), Ok(domain.clone()));
        assert_eq!(Name::from(&domain).to_string(), domain.as_str());
    }
    if let Ok(domain) = Domain::from_unicode(text) {
        assert!(domain.as_str().len() <= Domain::MAX_OCTETS);
        assert_eq!(domain.as_str().parse(), Ok(domain));
    }
    if let Ok(mailbox) = text.parse::<Mailbox>() {
        let written = mailbox.to_string();
        assert!(!written.bytes().any(|c| c.is_ascii_control()));
        assert_eq!(written.parse(), Ok(mailbox));
    }
    if let Ok(path) = ReversePath::from_unicode(text) {
        assert_eq!(path.to_string().parse(), Ok(path));
    }
});
