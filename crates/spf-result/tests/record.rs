//! Records: valid ones, the errors of invalid ones, and that each is written as it was
//! read.

use proptest::prelude::*;
use spf_result::{Mechanism, Prefixes, Qualifier, Record, RecordError, Term};

#[test]
fn terms_are_read() {
    let text = "v=spf1 +a:b.example/24//64 ~mx//0 ?ptr -ip6:2001:db8::/32 exists:%{i}.e.example \
        moo.cow=%{s} redirect=r.example exp=e.example";
    let record: Record = text.parse().unwrap();
    let terms: Vec<_> = record.terms().iter().map(ToString::to_string).collect();
    assert_eq!(
        terms,
        [
            "a:b.example/24//64",
            "~mx//0",
            "?ptr",
            "-ip6:2001:db8::/32",
            "exists:%{i}.e.example",
            "moo.cow=%{s}",
            "redirect=r.example",
            "exp=e.example",
        ]
    );
    assert_eq!(record.directives().count(), 5);
    assert_eq!(record.redirect().map(ToString::to_string).as_deref(), Some("r.example"));
    assert_eq!(record.exp().map(ToString::to_string).as_deref(), Some("e.example"));
    let Some(Term::Directive(first)) = record.terms().first() else { panic!() };
    assert_eq!(first.qualifier, Qualifier::Pass);
    let Mechanism::A { domain: Some(domain), prefixes } = &first.mechanism else { panic!() };
    assert_eq!(*prefixes, Prefixes { v4: 24, v6: 64 });
    assert_eq!(domain.name().map(ToString::to_string).as_deref(), Some("b.example"));
}

#[test]
fn good() {
    for (text, written) in [
        ("v=spf1", "v=spf1"),
        ("V=SPF1 A MX", "v=spf1 a mx"),
        ("v=spf1  a  ", "v=spf1 a"),
        ("v=spf1 ip4:1.2.3.4/32 ip6:::1/128", "v=spf1 ip4:1.2.3.4 ip6:::1"),
        ("v=spf1 a/32//128", "v=spf1 a"),
        ("v=spf1 a/0//0", "v=spf1 a/0//0"),
        // RFC 7208 section 12: a domain may hold slashes and colons.
        ("v=spf1 a:foo:bar/baz.example.com", "v=spf1 a:foo:bar/baz.example.com"),
        ("v=spf1 a:example.com.", "v=spf1 a:example.com."),
        ("v=spf1 a:.com", "v=spf1 a:.com"),
        ("v=spf1 a:x..com", "v=spf1 a:x..com"),
        ("v=spf1 include:%{l1r+-}.%{d2}", "v=spf1 include:%{l1r+-}.%{d2}"),
        ("v=spf1 exists:%{i}%%", "v=spf1 exists:%{i}%%"),
        ("v=spf1 a:a(b)@.example", "v=spf1 a:a(b)@.example"),
        ("v=spf1 ReDirect=a.B", "v=spf1 redirect=a.B"),
        ("v=spf1 a=", "v=spf1 a="),
        ("v=spf1 x=%{c}%{r}%{t}", "v=spf1 x=%{c}%{r}%{t}"),
    ] {
        assert_eq!(text.parse::<Record>().map(|record| record.to_string()).as_deref(), Ok(written));
    }
}

#[test]
fn bad() {
    for (text, error) in [
        ("", RecordError::Version),
        ("v=spf10 a", RecordError::Version),
        ("v=spf1\ta", RecordError::Version),
        (" v=spf1", RecordError::Version),
        ("v=spf1 a\tmx", RecordError::Character { at: 8 }),
        ("v=spf1 a:\u{e4}.example", RecordError::Character { at: 9 }),
        ("v=spf1 +", RecordError::Mechanism { at: 8 }),
        ("v=spf1 -moo", RecordError::Mechanism { at: 8 }),
        ("v=spf1 a -=all", RecordError::Mechanism { at: 10 }),
        ("v=spf1 1up=foo", RecordError::Mechanism { at: 7 }),
        ("v=spf1 redirect:a.b", RecordError::Mechanism { at: 7 }),
        ("v=spf1 all:", RecordError::Argument { at: 10 }),
        ("v=spf1 all/8", RecordError::Argument { at: 10 }),
        ("v=spf1 include", RecordError::Argument { at: 14 }),
        ("v=spf1 exists/24", RecordError::Argument { at: 13 }),
        ("v=spf1 ip4", RecordError::Argument { at: 10 }),
        ("v=spf1 ptr/0", RecordError::Argument { at: 10 }),
        ("v=spf1 ip4:1.2.3", RecordError::Address { at: 11 }),
        ("v=spf1 ip4:1.2.3.256", RecordError::Address { at: 11 }),
        ("v=spf1 ip4:1.2.3.04", RecordError::Address { at: 11 }),
        ("v=spf1 ip4:1.2.3.4:25", RecordError::Address { at: 11 }),
        ("v=spf1 ip6:1.2.3.4", RecordError::Address { at: 11 }),
        ("v=spf1 ip6::1::2", RecordError::Address { at: 11 }),
        ("v=spf1 ip4:1.2.3.4/33", RecordError::Prefix { at: 19 }),
        ("v=spf1 ip4:1.2.3.4/032", RecordError::Prefix { at: 19 }),
        ("v=spf1 ip4:1.2.3.4/", RecordError::Prefix { at: 19 }),
        ("v=spf1 ip4:1.2.3.4//32", RecordError::Prefix { at: 19 }),
        ("v=spf1 ip6:::/129", RecordError::Prefix { at: 14 }),
        ("v=spf1 a/33", RecordError::Prefix { at: 9 }),
        ("v=spf1 a//129", RecordError::Prefix { at: 10 }),
        ("v=spf1 a/24/64", RecordError::Prefix { at: 12 }),
        ("v=spf1 a/", RecordError::Prefix { at: 9 }),
        ("v=spf1 mx/x", RecordError::Prefix { at: 10 }),
        ("v=spf1 a:", RecordError::Domain { at: 9 }),
        ("v=spf1 a:museum", RecordError::Domain { at: 9 }),
        ("v=spf1 a:x.123", RecordError::Domain { at: 9 }),
        ("v=spf1 a:x.-com", RecordError::Domain { at: 9 }),
        ("v=spf1 a:x.com-", RecordError::Domain { at: 9 }),
        ("v=spf1 include:a.b/24", RecordError::Domain { at: 15 }),
        ("v=spf1 exp=%{d}x", RecordError::Domain { at: 11 }),
        ("v=spf1 a:%{x}.com", RecordError::Macro { at: 9 }),
        ("v=spf1 a:x%.com", RecordError::Macro { at: 10 }),
        ("v=spf1 a:%{d0}.com", RecordError::Macro { at: 9 }),
        ("v=spf1 a:%{dr2}.com", RecordError::Macro { at: 9 }),
        ("v=spf1 a:x.%{c}.com", RecordError::Macro { at: 11 }),
        ("v=spf1 redirect=%{t}", RecordError::Macro { at: 16 }),
        ("v=spf1 moo=%a", RecordError::Macro { at: 11 }),
        ("v=spf1 exp=a.b redirect=a.b exp=a.b", RecordError::Repeated { at: 28 }),
    ] {
        assert_eq!(text.parse::<Record>(), Err(error), "{text}");
        assert_eq!(error.at().is_some(), error != RecordError::Version);
    }
}

#[test]
fn the_longest_record_is_read_and_a_longer_one_is_not() {
    let long = |octets: usize| format!("v=spf1 {}", " ".repeat(octets - 7));
    assert!(long(Record::MAX_OCTETS).parse::<Record>().is_ok());
    assert_eq!(long(Record::MAX_OCTETS + 1).parse::<Record>(), Err(RecordError::TooLong));
    let terms = format!("v=spf1{}", " a".repeat(10_000)).parse::<Record>().unwrap();
    assert_eq!(terms.terms().len(), 10_000);
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        terms in prop::collection::vec(
            prop::sample::select(vec![
                "a", "-mx:a.example/3//4", "include:%{d}", "ip4:10.0.0.0/8", "?ip6:::/0", "x=%%",
                "exists:%{lr-}.b.example", "~ptr:c.example", "all", "a:d.example.",
            ]),
            0..20,
        ),
    ) {
        let text = format!("v=spf1 {}", terms.join("  "));
        let record: Record = text.parse().unwrap();
        prop_assert_eq!(record.to_string().parse(), Ok(record));
    }

    /// An address is valid if the standard library can parse it, and the length of a prefix if it is a number that is
    /// written as here, up to 32 or 128.
    #[test]
    fn addresses_are_those_of_the_standard_library(
        v6 in "(::|[0-9a-fA-F]{1,5}:{1,2}|[0-9.]{1,4}){1,9}",
        v4 in "[0-2]?[0-9]{1,3}([.][0-2]?[0-9]{0,3}){2,4}",
        length in "[0-1]?[0-9]{0,3}x?",
    ) {
        let of = |text: String| text.parse::<Record>().ok()?.directives().next().cloned();
        let v6_read = of(format!("v=spf1 ip6:{v6}")).map(|found| found.mechanism);
        let v6_known = v6.parse().ok().map(|address| Mechanism::Ip6 { address, prefix: 128 });
        prop_assert_eq!(v6_read, v6_known);
        let v4_read = of(format!("v=spf1 ip4:{v4}")).map(|found| found.mechanism);
        let v4_known = v4.parse().ok().map(|address| Mechanism::Ip4 { address, prefix: 32 });
        prop_assert_eq!(v4_read, v4_known);
        for (network, most) in [("ip4:192.0.2.0", 32), ("ip6:2001:db8::", 128)] {
            let is_read = format!("v=spf1 {network}/{length}").parse::<Record>().is_ok();
            let number = length.parse::<u8>().ok().filter(|number| number.to_string() == length);
            prop_assert_eq!(is_read, number.is_some_and(|number| number <= most), "{}", length);
        }
    }

    #[test]
    fn every_address_is_read_as_it_is_written(octets in any::<[u16; 8]>(), zeros in 0..8_usize) {
        let mut octets = octets;
        octets.iter_mut().take(zeros).for_each(|octet| *octet = 0);
        let mut turned = octets;
        turned.reverse();
        for octets in [octets, turned] {
            let address = std::net::Ipv6Addr::from(octets);
            let written = format!("v=spf1 ip6:{address}");
            let record: Record = written.parse().unwrap();
            let mechanism = record.directives().next().map(|found| found.mechanism.clone());
            prop_assert_eq!(mechanism, Some(Mechanism::Ip6 { address, prefix: 128 }));
            prop_assert_eq!(record.to_string(), written);
        }
    }

    #[test]
    fn no_text_panics(text in "v=spf1 [ -~]{0,60}") {
        if let Ok(record) = text.parse::<Record>() {
            prop_assert_eq!(record.to_string().parse(), Ok(record));
        }
    }
}
