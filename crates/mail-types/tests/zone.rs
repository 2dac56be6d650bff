//! Zones: master files, and the rules of RFC 1034 section 4.3.2 and RFC 4592.

#![cfg(feature = "zone")]

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use mail_types::dns::{
    Answer, DnsFailure, DnssecStatus, MasterFileError, Name, Question, RecordType, Records,
    Resolve, Zone, ZoneError,
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

fn said(zone: &Zone, owner: &str, kind: RecordType) -> String {
    match zone.answer(&Question::new(name(owner), kind)) {
        Answer::Records { records, canonical, ttl, .. } => {
            format!("{canonical} {ttl} {}", records.presentation().join("|"))
        }
        Answer::Absent { exists: true, .. } => "nodata".to_owned(),
        Answer::Absent { exists: false, .. } => "nxdomain".to_owned(),
        Answer::Failed(failure) => failure.to_string(),
    }
}

/// All that the zone says has the status; what is set later has its own, and a failure has none.
#[test]
fn a_zone_has_a_status_by_dnssec() {
    let status = |zone: &Zone, owner, kind| match zone.answer(&Question::new(name(owner), kind)) {
        Answer::Records { security, .. } | Answer::Absent { security, .. } => Some(security),
        Answer::Failed(_) => None,
    };
    let failing = Question::new(name("ns.example.com"), RecordType::A);
    let later = Question::new(name("later.example.com"), RecordType::A);
    let mut zone = Zone::parse(TEXT).unwrap_or_default();
    zone.set(failing, Answer::Failed(DnsFailure::Timeout));
    let mut zone = zone.with_security(DnssecStatus::Secure);
    let answer = Answer::Absent { exists: true, security: DnssecStatus::Insecure, ttl: 60 };
    zone.set(later, answer);
    for (owner, kind, expected) in [
        ("example.com", RecordType::Mx, Some(DnssecStatus::Secure)),
        ("alias.example.com", RecordType::A, Some(DnssecStatus::Secure)),
        ("x.wild.example.com", RecordType::A, Some(DnssecStatus::Secure)),
        ("mx.example.com", RecordType::Mx, Some(DnssecStatus::Secure)),
        ("none.example.com", RecordType::A, Some(DnssecStatus::Secure)),
        ("ns.example.com", RecordType::A, None),
        ("later.example.com", RecordType::A, Some(DnssecStatus::Insecure)),
    ] {
        assert_eq!(status(&zone, owner, kind), expected, "{owner}");
    }
}

#[test]
fn a_master_file_answers() {
    let zone = Zone::parse(TEXT).unwrap_or_default();
    for (owner, kind, expected) in [
        ("example.com", RecordType::Txt, r#"example.com 300 v=spf1 mx;("\255) -all|plain text"#),
        ("EXAMPLE.com", RecordType::Mx, "EXAMPLE.com 300 10 mx.example.com|20 mx.example.net"),
        ("mx.example.com", RecordType::A, "mx.example.com 60 192.0.2.1|192.0.2.2"),
        ("mx.example.com", RecordType::Aaaa, "mx.example.com 300 2001:db8::1"),
        ("mx.example.com", RecordType::Txt, "nodata"),
        ("nx.example.com", RecordType::A, "nxdomain"),
        // An empty non-terminal exists (RFC 8020).
        ("_tcp.mx.example.com", RecordType::A, "nodata"),
        ("_25._tcp.mx.example.com", RecordType::Tlsa, "_25._tcp.mx.example.com 300 3 1 1 00ffee"),
        // Aliases are followed, with the least time to live, but not when they are asked for.
        ("alias.example.com", RecordType::A, "mx.example.com 60 192.0.2.1|192.0.2.2"),
        ("alias.example.com", RecordType::Mx, "nodata"),
        ("alias.example.com", RecordType::Cname, "alias.example.com 300 mx.example.com"),
        ("far.example.com", RecordType::A, "nxdomain"),
        ("loop.example.com", RecordType::A, "servfail"),
        // RFC 4592: the closest encloser's wildcard, and only for names that do not exist.
        ("a.wild.example.com", RecordType::A, "a.wild.example.com 300 192.0.2.9"),
        ("b.a.wild.example.com", RecordType::Txt, "b.a.wild.example.com 300 wild"),
        ("a.wild.example.com", RecordType::Mx, "nodata"),
        ("wild.example.com", RecordType::A, "nodata"),
        ("here.wild.example.com", RecordType::A, "nodata"),
        ("a.here.wild.example.com", RecordType::A, "nxdomain"),
        (r"odd\.label.example.com", RecordType::Ptr, r"odd\.label.example.com 300 mx.example.com"),
        ("1.2.0.192.in-addr.arpa", RecordType::Ptr, "1.2.0.192.in-addr.arpa 300 mx.example.com"),
        ("org", RecordType::A, "nxdomain"),
        (".", RecordType::A, "nodata"),
    ] {
        assert_eq!(said(&zone, owner, kind), expected, "{owner} {kind}");
    }
}

#[test]
fn bad_lines_are_named() {
    let data = |kind| ZoneError::Data { kind };
    for (text, line, error) in [
        ("a A 192.0.2.1\n\nb A 1.2.3", 3, data(RecordType::A)),
        ("a A", 1, data(RecordType::A)),
        ("a AAAA 192.0.2.1", 1, data(RecordType::Aaaa)),
        ("a MX mx", 1, data(RecordType::Mx)),
        ("a MX 65536 mx", 1, data(RecordType::Mx)),
        ("a TXT", 1, data(RecordType::Txt)),
        ("a TXT \"\\256\"", 1, data(RecordType::Txt)),
        ("a TLSA 3 1 1 abc", 1, data(RecordType::Tlsa)),
        ("a TLSA 3 256 1 ab", 1, data(RecordType::Tlsa)),
        ("a TXT \"b", 1, ZoneError::Unbalanced),
        ("a TXT (b", 1, ZoneError::Unbalanced),
        ("a TXT b)", 1, ZoneError::Unbalanced),
        ("a WKS x", 1, ZoneError::Line),
        ("a IN", 1, ZoneError::Line),
        ("$INCLUDE file", 1, ZoneError::Include),
        ("a A 192.0.2.1\n$GENERATE 1-9 h$ A 192.0.2.$", 2, ZoneError::Generate),
        ("a A 192.0.2.1\nold 60 IN dname new", 2, ZoneError::Dname),
        // RFC 3597 section 5: `\#` is not text, and these are types that are read.
        ("a TXT \\# 2 0161", 1, ZoneError::Data { kind: RecordType::Txt }),
        ("a TYPE16 \\# 2 0161", 1, ZoneError::Line),
        ("a A 192.0.2.1\nold type39 \\# 5 036e657700", 2, ZoneError::Line),
        ("$TTL x", 1, ZoneError::Ttl),
        ("$TTL", 1, ZoneError::Line),
        ("$TTL 1h30", 1, ZoneError::Ttl),
        ("$TTL 1\u{fc}", 1, ZoneError::Ttl),
        ("$TTL 8000w", 1, ZoneError::Ttl),
        ("$TTL 4294967295s1s", 1, ZoneError::Ttl),
        ("a 1y A 192.0.2.1", 1, ZoneError::Ttl),
        ("a A 192.0.2.1\n@ A 192.0.2.1", 2, ZoneError::NoOrigin),
        ("a MX 10 @", 1, ZoneError::NoOrigin),
        ("a CNAME b\na CNAME c", 2, ZoneError::SecondAlias),
    ] {
        let MasterFileError { line: at, error: found, .. } = Zone::parse(text).unwrap_err();
        assert_eq!((at, found), (line, error), "{text:?}");
    }
    let error = Zone::parse("a..b A 192.0.2.1").unwrap_err().error;
    assert!(matches!(error, ZoneError::Name(_)));
}

/// The records of a signed zone: they make their names exist, and are not read.
#[test]
fn other_types_are_passed_over() {
    for record in [
        "NSEC3PARAM 1 0 0 -",
        "NSEC3 1 0 0 - 2vptu5timamqttgl4luu9kg21e0aor3s MX RRSIG",
        "RRSIG MX 13 2 3600 20261201000000 20261101000000 1 a. AAAA",
        "CDS 1 13 2 AB",
        "https 1 . alpn=h2",
        "SMIMEA 3 0 0 00",
        "TYPE65400 \\# 1 00",
    ] {
        let zone = Zone::parse(&format!("a 60 IN {record}")).unwrap();
        assert_eq!(said(&zone, "a", RecordType::Mx), said(&zone, "a", RecordType::Txt), "{record}");
        let question = Question::new("a".parse().unwrap(), RecordType::Mx);
        assert!(matches!(zone.answer(&question), Answer::Absent { exists: true, .. }), "{record}");
    }
}

/// Editors of another system put a mark at the start of a file.
#[test]
fn a_byte_order_mark_is_no_part_of_a_name() {
    let zone = Zone::parse("\u{feff}mx.example. A 192.0.2.1\nb.example. A 192.0.2.2").unwrap();
    assert_eq!(said(&zone, "mx.example", RecordType::A), "mx.example 3600 192.0.2.1");
    let error = Zone::parse("\u{feff}\nmx.example. A x").unwrap_err();
    assert_eq!(error.line, 2);
}

#[test]
fn a_time_to_live_may_have_units() {
    for (text, seconds) in [
        ("a 1h A 192.0.2.1", 3600),
        ("a IN 2D A 192.0.2.1", 172_800),
        ("a 1w2d3h4m5s IN A 192.0.2.1", 788_645),
        ("$TTL 10m\na A 192.0.2.1", 600),
        ("$TTL 10m\na 7 A 192.0.2.1", 7),
        ("$ORIGIN .\n$TTL 9\n@ A 192.0.2.1\na CNAME @", 9),
        ("$origin .\n$Ttl 9\n@ A 192.0.2.1\na CNAME @", 9),
    ] {
        let zone = Zone::parse(text).unwrap();
        let found = said(&zone, "a", RecordType::A);
        assert!(found.contains(&format!(" {seconds} 192.0.2.1")), "{text:?}: {found}");
    }
}

#[test]
fn what_a_program_sets_goes_before_what_is_there() {
    let mut zone = Zone::parse(TEXT).unwrap_or_default();
    let question = |owner, kind| Question::new(name(owner), kind);
    zone.set(question("mx.example.com", RecordType::A), Answer::Failed(DnsFailure::Timeout));
    zone.set(question("slow.example", RecordType::Txt), Answer::Failed(DnsFailure::ServFail));
    let denial = Answer::Absent { exists: false, security: DnssecStatus::Secure, ttl: 5 };
    zone.set(question("gone.example", RecordType::A), denial.clone());
    assert_eq!(said(&zone, "alias.example.com", RecordType::A), "timeout");
    assert_eq!(said(&zone, "slow.example", RecordType::Txt), "servfail");
    assert_eq!(said(&zone, "slow.example", RecordType::A), "nodata");
    assert_eq!(zone.answer(&question("gone.example", RecordType::A)), denial);
    assert_eq!(said(&zone, "gone.example", RecordType::Mx), "nxdomain");
}

#[test]
fn security_is_that_of_the_worst_link() {
    let mut zone = Zone::default();
    for (owner, kind, data, security) in [
        ("a.example", RecordType::Cname, "b.example", DnssecStatus::Insecure),
        ("b.example", RecordType::Cname, "c.example.", DnssecStatus::Secure),
        ("c.example", RecordType::A, "192.0.2.1", DnssecStatus::Secure),
        ("c.example", RecordType::Txt, r"a\255 b\\", DnssecStatus::Secure),
    ] {
        assert_eq!(zone.add(name(owner), kind, data, security), Ok(()));
    }
    for (owner, expected) in [
        ("a.example", DnssecStatus::Insecure),
        ("b.example", DnssecStatus::Secure),
        ("c.example", DnssecStatus::Secure),
    ] {
        let answer = zone.answer(&Question::new(name(owner), RecordType::A));
        let Answer::Records { security, records, canonical, .. } = answer else { panic!() };
        assert_eq!((security, canonical), (expected, name("c.example")));
        assert_eq!(records, Records::A(vec![[192, 0, 2, 1].into()]));
    }
    let texts = zone.answer(&Question::new(name("c.example"), RecordType::Txt));
    assert_eq!(texts.texts().and_then(|texts| texts.iter().next()), Some(&b"a\xff b\\"[..]));
    let wrong =
        zone.add(name("c.example"), RecordType::A, "192.0.2.1 192.0.2.2", DnssecStatus::Secure);
    assert_eq!(wrong, Err(ZoneError::Data { kind: RecordType::A }));
}

/// Names of hundreds of labels need no entry of their own for each name above them.
#[test]
fn the_names_above_a_record_exist() {
    let labels = vec!["a"; 120].join(".");
    let zone = Zone::parse(&format!("{labels}.b.example. A 192.0.2.1\nx.*.c.example. A 192.0.2.2"))
        .unwrap();
    for dots in 1..=121 {
        let above = format!("{labels}.b.example").splitn(dots + 1, '.').last().unwrap().to_owned();
        assert_eq!(said(&zone, &above, RecordType::Txt), "nodata", "{above}");
        assert_eq!(
            said(&zone, &format!("b.{above}"), RecordType::Txt),
            if dots == 121 { "nodata" } else { "nxdomain" }
        );
    }
    for (name, found) in [
        ("*.c.example", "nodata"),
        ("y.c.example", "nodata"),
        ("x.y.c.example", "nodata"),
        (".", "nodata"),
        ("c", "nxdomain"),
    ] {
        assert_eq!(said(&zone, name, RecordType::A), found, "{name}");
    }
}

#[test]
fn its_limits_are_kept() {
    let mut zone = Zone::default();
    let owner = name("a.example");
    for _ in 0..Zone::MAX_RECORDS {
        assert_eq!(
            zone.add(owner.clone(), RecordType::A, "192.0.2.1", DnssecStatus::Secure),
            Ok(())
        );
    }
    let more = zone.add(owner, RecordType::A, "192.0.2.1", DnssecStatus::Secure);
    assert_eq!(more, Err(ZoneError::Full));

    let mut chain = Zone::default();
    for link in 0..=Zone::MAX_ALIASES {
        let (from, to) = (format!("a{link}.example"), format!("a{}.example", link + 1));
        assert_eq!(chain.add(name(&from), RecordType::Cname, &to, DnssecStatus::Secure), Ok(()));
    }
    let end = format!("a{}.example", Zone::MAX_ALIASES + 1);
    assert_eq!(chain.add(name(&end), RecordType::A, "192.0.2.1", DnssecStatus::Secure), Ok(()));
    assert_eq!(said(&chain, "a0.example", RecordType::A), "servfail");
    assert_eq!(said(&chain, "a1.example", RecordType::A), format!("{end} 3600 192.0.2.1"));
}

#[test]
fn a_zone_is_a_resolver() {
    let zone = Zone::parse("a.example. A 192.0.2.1").unwrap();
    let question = Question::new("a.example".parse().unwrap(), RecordType::A);
    let mut answering = std::pin::pin!(Resolve::answer(&zone, question.clone(), Duration::ZERO));
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready((asked, answer)) = answering.as_mut().poll(&mut context) else { panic!() };
    assert_eq!((asked, answer), (question.clone(), zone.answer(&question)));
}
