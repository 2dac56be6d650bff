//! The author of a `From` field does not depend on the white space around it; a comment hides nothing;
//! the domain of an address in `<…>` is found with any text around it; a further field neither removes
//! a domain nor repairs a fault.

#![no_main]

use dmarc_policy::{Author, AuthorFault};
use libfuzzer_sys::fuzz_target;
use mail_types::dns::Name;

fuzz_target!(|body: &[u8]| {
    let author = Author::from_fields([body]);
    if let Some(AuthorFault::Unreadable { at }) = author.fault() {
        assert!(at <= body.len());
    }
    let domains = author.domains();
    assert!(domains.len() <= Author::MAX_DOMAINS);
    assert!(domains.iter().enumerate().all(|(i, domain)| !domains[..i].contains(domain)));
    match &author {
        Author::One(_) => assert_eq!(domains.len(), 1),
        Author::Several(_) => assert!(domains.len() > 1),
        _ => {}
    }
    if 2 * body.len() <= Author::MAX_OCTETS {
        assert_eq!(Author::from_fields([body, body]), author);
    }

    // As the field of a message.
    if !body.iter().any(|octet| b"\r\n".contains(octet)) {
        let message = [b"Subject: x\r\nFROM:", body, b"\r\n\r\nFrom: b@body.example\r\n"].concat();
        assert_eq!(Author::from_message(&message), author);
    }

    // A text that RFC 5322 does not allow behind a field does not make it claim less. The one label
    // of a domain may get another one: `a@b.`, `a@b. x`.
    for fault in [&b" x"[..], b">", b" <x", b"; x", b" \""] {
        let broken = [body, fault].concat();
        if author.fault().is_none() && broken.len() <= Author::MAX_OCTETS {
            let read = Author::from_fields([&broken[..]]);
            let held = |domain: &Name| {
                let mut labels = domain.labels();
                let (first, is_one) = (labels.next(), labels.next().is_none());
                let goes_on = |longer: &Name| is_one && longer.labels().next() == first;
                read.domains().iter().any(|found| found == domain || goes_on(found))
            };
            let holds = match &author {
                Author::One(domain) => held(domain),
                Author::Several(domains) => domains.iter().any(held),
                _ => true,
            };
            assert!(holds || read.fault().is_some(), "{author:?} {read:?}");
        }
    }

    // A control character ends a domain, or does not.
    let gap: Vec<_> = body.iter().copied().take_while(u8::is_ascii_control).collect();
    if gap.iter().any(|octet| !b"\r\n\t".contains(octet)) {
        let joined = [b"<a@one.example", &*gap, b".two.example>"].concat();
        found(&[&joined], &["one.example", "one.example.two.example"]);
    }

    // In the middle of anything, two addresses that are right.
    let (first, second) = body.split_at(body.len() / 2);
    // What stands in an open quoted string or comment is not an address.
    let closed = !first.iter().any(|octet| matches!(octet, b'"' | b'('));
    let middle = closed.then_some((first, second));
    for (before, behind) in [(body, &b""[..]), (b"", body)].into_iter().chain(middle) {
        let field = [before, b"<a@one.example>", behind].concat();
        found(&[&field], &["one.example"]);
        let field = [before, b"<a@one.example>, <b@x_y.two.example>", behind].concat();
        found(&[&field], &["one.example", "x_y.two.example"]);
        // Beside it, any other field.
        found(&[&field, body], &["one.example", "x_y.two.example"]);
        found(&[body, &field], &["one.example", "x_y.two.example"]);
    }

    // What is read of one field is read of it beside others.
    for fields in [[first, second], [second, first], [body, first], [second, body]] {
        let both = Author::from_fields(fields);
        let full = matches!(both.fault(), Some(AuthorFault::TooMany | AuthorFault::TooLong));
        for field in fields {
            let alone = Author::from_fields([field]);
            let held = alone.domains().iter().all(|domain| both.domains().contains(domain));
            assert!(full || held, "{alone:?} {both:?}");
            assert!(alone.fault().is_none() || both.fault().is_some(), "{alone:?} {both:?}");
        }
    }

    let (before, behind) = (&b" (x@a.example) \r\n\t"[..], &b" (,x@b.example,) "[..]);
    let padded = [before, body, behind].concat();
    // Only what is right by RFC 5322 is sure to be the same: it has just these octets.
    let plain = |octet: &u8| octet.is_ascii_alphanumeric() || b".@ ".contains(octet);
    if padded.len() <= Author::MAX_OCTETS && body.iter().all(plain) {
        let (author, found) = (domains, Author::from_fields([&padded[..]]));
        assert!(author.iter().all(|domain| found.domains().contains(domain)), "{found:?}");
    }
});

/// These domains are among the authors, or there are too many, or the field is too long to tell.
fn found(fields: &[&[u8]], domains: &[&str]) {
    let author = Author::from_fields(fields.iter().copied());
    if matches!(author.fault(), Some(AuthorFault::TooMany | AuthorFault::TooLong)) {
        return;
    }
    for domain in domains {
        let domain: Name = domain.parse().unwrap();
        assert!(author.domains().contains(&domain), "{author:?}");
    }
}
