//! Zones: master files, and the rules of RFC 1034 section 4.3.2 and RFC 4592.

#![cfg(feature = "zone")]

use mail_types::{
    Answer, DnsFailure, Kind, MasterFileError, Name, Question, Records, Security, Zone, ZoneError,
};

const TEXT: &str = "
$TTL 300
$ORIGIN example.com.
@       IN  SOA ns.example.com. host.example.com. ( 1 2 3
            4 5 ) ; parentheses go on
        IN  NS  ns
        TXT \"v=spf1 \" \"mx;(\\\"\\255) -all\" ; a comment
        TXT plain\\032text
        MX  10 mx
        600 MX 20 mx.example.net.
mx  60 IN A 192.0.2.1
    60 IN A 192.0.2.2
    AAAA 2001:db8::1
alias   CNAME   mx
far     CNAME   nowhere.example.org.
loop    CNAME   pool
pool    CNAME   loop
*.wild  A       192.0.2.9
*.wild  TXT     \"wild\"
under.here.wild A 192.0.2.10
_25._tcp.mx TLSA 3 1 1 00FF ee
odd\\.label PTR  mx
$ORIGIN 192.in-addr.arpa.
1.2.0   IN PTR  mx.example.com.
";

fn name(text: &str) -> Name {
    text.parse().unwrap_or_else(|_| Name::root())
}

fn said(zone: &Zone, owner: &str, kind: Kind) -> String {
    match zone.answer(&Question::new(name(owner), kind)) {
        Answer::Records { records, canonical, ttl, .. } => {
            format!("{canonical} {ttl} {}", records.presentation().join("|"))
        }
        Answer::Absent { exists: true, .. } => "nodata".to_owned(),
        Answer::Absent { exists: false, .. } => "nxdomain".to_owned(),
        Answer::Failed(failure) => failure.to_string(),
    }
}

#[test]
fn a_master_file_answers() {
    let zone = Zone::parse(TEXT).unwrap_or_default();
    for (owner, kind, expected) in [
        ("example.com", Kind::Txt, r#"example.com 300 v=spf1 mx;("\255) -all|plain text"#),
        ("EXAMPLE.com", Kind::Mx, "EXAMPLE.com 300 10 mx.example.com|20 mx.example.net"),
        ("mx.example.com", Kind::A, "mx.example.com 60 192.0.2.1|192.0.2.2"),
        ("mx.example.com", Kind::Aaaa, "mx.example.com 300 2001:db8::1"),
        ("mx.example.com", Kind::Txt, "nodata"),
        ("nx.example.com", Kind::A, "nxdomain"),
        // An empty non-terminal exists (RFC 8020).
        ("_tcp.mx.example.com", Kind::A, "nodata"),
        ("_25._tcp.mx.example.com", Kind::Tlsa, "_25._tcp.mx.example.com 300 3 1 1 00ffee"),
        // Aliases are followed, with the least time to live, but not when they are asked for.
        ("alias.example.com", Kind::A, "mx.example.com 60 192.0.2.1|192.0.2.2"),
        ("alias.example.com", Kind::Mx, "nodata"),
        ("alias.example.com", Kind::Cname, "alias.example.com 300 mx.example.com"),
        ("far.example.com", Kind::A, "nxdomain"),
        ("loop.example.com", Kind::A, "servfail"),
        // RFC 4592: the closest encloser's wildcard, and only for what does not exist.
        ("a.wild.example.com", Kind::A, "a.wild.example.com 300 192.0.2.9"),
        ("b.a.wild.example.com", Kind::Txt, "b.a.wild.example.com 300 wild"),
        ("a.wild.example.com", Kind::Mx, "nodata"),
        ("wild.example.com", Kind::A, "nodata"),
        ("here.wild.example.com", Kind::A, "nodata"),
        ("a.here.wild.example.com", Kind::A, "nxdomain"),
        (r"odd\.label.example.com", Kind::Ptr, r"odd\.label.example.com 300 mx.example.com"),
        ("1.2.0.192.in-addr.arpa", Kind::Ptr, "1.2.0.192.in-addr.arpa 300 mx.example.com"),
        ("org", Kind::A, "nxdomain"),
        (".", Kind::A, "nodata"),
    ] {
        assert_eq!(said(&zone, owner, kind), expected, "{owner} {kind}");
    }
}

#[test]
fn bad_lines_are_named() {
    let data = |kind| ZoneError::Data { kind };
    for (text, line, error) in [
        ("a A 192.0.2.1\n\nb A 1.2.3", 3, data(Kind::A)),
        ("a A", 1, data(Kind::A)),
        ("a AAAA 192.0.2.1", 1, data(Kind::Aaaa)),
        ("a MX mx", 1, data(Kind::Mx)),
        ("a MX 65536 mx", 1, data(Kind::Mx)),
        ("a TXT", 1, data(Kind::Txt)),
        ("a TXT \"\\256\"", 1, data(Kind::Txt)),
        ("a TLSA 3 1 1 abc", 1, data(Kind::Tlsa)),
        ("a TLSA 3 256 1 ab", 1, data(Kind::Tlsa)),
        ("a TXT \"b", 1, ZoneError::Unbalanced),
        ("a TXT (b", 1, ZoneError::Unbalanced),
        ("a TXT b)", 1, ZoneError::Unbalanced),
        ("a WKS x", 1, ZoneError::Line),
        ("a IN", 1, ZoneError::Line),
        ("$INCLUDE file", 1, ZoneError::Line),
        ("$TTL x", 1, ZoneError::Line),
        ("a CNAME b\na CNAME c", 2, ZoneError::SecondAlias),
    ] {
        let MasterFileError { line: at, error: found, .. } = Zone::parse(text).unwrap_err();
        assert_eq!((at, found), (line, error), "{text:?}");
    }
    let error = Zone::parse("a..b A 192.0.2.1").unwrap_err().error;
    assert!(matches!(error, ZoneError::Name(_)));
}

#[test]
fn what_a_program_sets_goes_before_what_is_there() {
    let mut zone = Zone::parse(TEXT).unwrap_or_default();
    let question = |owner, kind| Question::new(name(owner), kind);
    zone.set(question("mx.example.com", Kind::A), Answer::Failed(DnsFailure::Timeout));
    zone.set(question("slow.example", Kind::Txt), Answer::Failed(DnsFailure::ServFail));
    let denial = Answer::Absent { exists: false, security: Security::Secure, ttl: 5 };
    zone.set(question("gone.example", Kind::A), denial.clone());
    assert_eq!(said(&zone, "alias.example.com", Kind::A), "timeout");
    assert_eq!(said(&zone, "slow.example", Kind::Txt), "servfail");
    assert_eq!(said(&zone, "slow.example", Kind::A), "nodata");
    assert_eq!(zone.answer(&question("gone.example", Kind::A)), denial);
    assert_eq!(said(&zone, "gone.example", Kind::Mx), "nxdomain");
}

#[test]
fn security_is_that_of_the_worst_link() {
    let mut zone = Zone::default();
    for (owner, kind, data, security) in [
        ("a.example", Kind::Cname, "b.example", Security::Insecure),
        ("b.example", Kind::Cname, "c.example.", Security::Secure),
        ("c.example", Kind::A, "192.0.2.1", Security::Secure),
        ("c.example", Kind::Txt, r"a\255 b\\", Security::Secure),
    ] {
        assert_eq!(zone.add(name(owner), kind, data, security), Ok(()));
    }
    for (owner, expected) in [
        ("a.example", Security::Insecure),
        ("b.example", Security::Secure),
        ("c.example", Security::Secure),
    ] {
        let answer = zone.answer(&Question::new(name(owner), Kind::A));
        let Answer::Records { security, records, canonical, .. } = answer else { panic!() };
        assert_eq!((security, canonical), (expected, name("c.example")));
        assert_eq!(records, Records::A(vec![[192, 0, 2, 1].into()]));
    }
    let texts = zone.answer(&Question::new(name("c.example"), Kind::Txt));
    assert_eq!(texts.texts().and_then(|texts| texts.iter().next()), Some(&b"a\xff b\\"[..]));
    let wrong = zone.add(name("c.example"), Kind::A, "192.0.2.1 192.0.2.2", Security::Secure);
    assert_eq!(wrong, Err(ZoneError::Data { kind: Kind::A }));
}

#[test]
fn its_limits_are_kept() {
    let mut zone = Zone::default();
    let owner = name("a.example");
    for _ in 0..Zone::MAX_RECORDS {
        assert_eq!(zone.add(owner.clone(), Kind::A, "192.0.2.1", Security::Secure), Ok(()));
    }
    let more = zone.add(owner, Kind::A, "192.0.2.1", Security::Secure);
    assert_eq!(more, Err(ZoneError::Full));

    let mut chain = Zone::default();
    for link in 0..=Zone::MAX_ALIASES {
        let (from, to) = (format!("a{link}.example"), format!("a{}.example", link + 1));
        assert_eq!(chain.add(name(&from), Kind::Cname, &to, Security::Secure), Ok(()));
    }
    let end = format!("a{}.example", Zone::MAX_ALIASES + 1);
    assert_eq!(chain.add(name(&end), Kind::A, "192.0.2.1", Security::Secure), Ok(()));
    assert_eq!(said(&chain, "a0.example", Kind::A), "servfail");
    assert_eq!(said(&chain, "a1.example", Kind::A), format!("{end} 3600 192.0.2.1"));
}
