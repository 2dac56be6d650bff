//! The author of a `From` field does not change with the white space around it or the order of its
//! fields, and a comment hides nothing.

#![no_main]

use dmarc_policy::Author;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let author = Author::from_fields([body]);
    if let Author::Malformed { at } = author {
        assert!(at <= body.len());
    }
    if let Author::Several(domains) = &author {
        assert!((2..=Author::MAX_DOMAINS).contains(&domains.len()));
        assert!(domains.iter().enumerate().all(|(i, domain)| !domains[..i].contains(domain)));
    }
    assert_eq!(Author::from_fields([body, body]), Author::Repeated);
    let (before, behind) = (&b" (x@a.example) \r\n\t"[..], &b" (,x@b.example,) "[..]);
    let padded = [before, body, behind].concat();
    if padded.len() <= Author::MAX_OCTETS {
        match (author, Author::from_fields([&padded[..]])) {
            // An unclosed string or comment can end in what was put behind it.
            (Author::Malformed { .. }, _) => {}
            (author, found) => assert_eq!(author, found),
        }
    }
});
