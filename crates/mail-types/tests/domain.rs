//! Domains: their form, their limits, and U-labels.

use mail_types::smtp::{Domain, DomainError};

#[test]
fn a_domain_is_lower_case() {
    let domain: Domain = "Mail.EXAMPLE.com".parse().unwrap();
    assert_eq!(domain.to_string(), "mail.example.com");
    assert_eq!(domain, "mail.example.COM".parse().unwrap());
    assert_eq!(domain.parent().unwrap().as_str(), "example.com");
}

#[test]
fn within_counts_whole_labels() {
    let domain: Domain = "a.example.com".parse().unwrap();
    for (other, within) in [
        ("example.com", true),
        ("a.example.com", true),
        ("xample.com", false),
        ("b.a.example.com", false),
    ] {
        assert_eq!(domain.is_within(&other.parse().unwrap()), within, "{other}");
    }
}

#[test]
fn the_limits_are_253_octets_and_63_a_label() {
    let label = "a".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
    assert_eq!(longest.parse::<Domain>().unwrap().as_str().len(), 253);
    assert_eq!(format!("{longest}a").parse::<Domain>(), Err(DomainError::TooLong { octets: 254 }));
    assert_eq!(format!("b.{label}a").parse::<Domain>(), Err(DomainError::LabelTooLong { at: 2 }));
}

/// RFC 5321 section 4.1.2: `sub-domain = Let-dig [Ldh-str]`.
#[test]
fn bad() {
    for (text, error) in [
        ("", DomainError::EmptyLabel { at: 0 }),
        ("example.com.", DomainError::EmptyLabel { at: 12 }),
        ("a..b", DomainError::EmptyLabel { at: 2 }),
        ("-a.example", DomainError::Hyphen { at: 0 }),
        ("a.b-.example", DomainError::Hyphen { at: 3 }),
        ("a_b.example", DomainError::Character { at: 1 }),
        ("a b", DomainError::Character { at: 1 }),
        ("[192.0.2.1]", DomainError::Character { at: 0 }),
        ("bücher.example", DomainError::Character { at: 1 }),
        ("a\r\n.example", DomainError::Character { at: 1 }),
    ] {
        assert_eq!(text.parse::<Domain>(), Err(error), "{text:?}");
    }
}

#[cfg(feature = "idna")]
#[test]
fn u_labels_become_a_labels_and_come_back() {
    for (unicode, ascii) in [
        ("bücher.example", "xn--bcher-kva.example"), // RFC 3492 section 6 has the algorithm
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),   // the evaluation domain of 2007
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("plain.example", "plain.example"),
    ] {
        let domain = Domain::from_unicode(unicode).unwrap();
        assert_eq!(domain.as_str(), ascii);
        assert_eq!(domain.to_unicode(), unicode.to_lowercase());
    }
    // What cannot be decoded stays.
    for (ascii, unicode) in [
        ("xn--999999999", "xn--999999999"),
        ("xn--0.pt", "xn--0.pt"),
        ("xn--bcher-kva.xn--0.example", "bücher.xn--0.example"),
    ] {
        assert_eq!(ascii.parse::<Domain>().unwrap().to_unicode(), unicode);
    }
}

#[cfg(feature = "idna")]
#[test]
fn bad_unicode() {
    for (text, error) in [
        ("xn--a-ecp.ru\u{ff0f}", DomainError::Unicode), // a slash by compatibility
        ("xn--zzzz-.example", DomainError::Unicode),    // RFC 3492: decodes to nothing
        ("a_b.exämple", DomainError::Unicode),          // STD3 rules
        ("", DomainError::Unicode),
    ] {
        assert_eq!(Domain::from_unicode(text), Err(error), "{text:?}");
    }
    let long = "ü".repeat(1000);
    assert_eq!(Domain::from_unicode(&long), Err(DomainError::TooLong { octets: 2000 }));
}
