//! Expansions with requests, their capabilities, and untrusted values.

#[path = "support/session.rs"]
mod session;

use event_expand::{
    Ask, Capabilities, Capability, ExpandError, ExpandFailure, Expansion, Fallback, HostCall,
    Options, Template,
};
use mail_types::exim::{LookupResult, Query, Segment, Trust, Value};
use session::{found, requests_and_result, session};

const NONE: &[LookupResult] = &[];

fn text(text: &str) -> Result<String, ExpandFailure> {
    requests_and_result(text, &Options::default(), NONE).1
}

#[test]
fn a_lookup_is_found_or_not_or_deferred() {
    let template = "${lookup redis{GET ${quote_redis:$x}}{<$value>}{none}}$value";
    let options = Options::default();
    let (asked, outcome) = requests_and_result(template, &options, &[found("v")]);
    assert_eq!(outcome, Ok("<v>".to_owned()));
    let mut query = Query::default();
    query.push_literal(b"GET ");
    query.push_quoted(b"o'hara", Trust::Untrusted, "redis");
    assert!(matches!(&asked[..], [Ask::Lookup { query: asked, key: None, .. }] if *asked == query));
    assert_eq!(
        requests_and_result(template, &options, &[LookupResult::Nothing]).1,
        Ok("none".to_owned())
    );
    let deferred = requests_and_result(template, &options, &[LookupResult::Deferred]).1;
    assert_eq!(
        deferred,
        Err(ExpandFailure::Deferred { at: 0 }),
        "the string for no is not for this"
    );
    let fail =
        requests_and_result("a${lookup redis{x}{y}fail}", &options, &[LookupResult::Nothing]).1;
    assert_eq!(fail, Err(ExpandFailure::Forced { at: 1 }));
}

#[test]
fn a_lookup_in_a_branch_not_taken_is_not_made() {
    let (asked, outcome) =
        requests_and_result("${if eq{1}{2}{${lookup redis{x}}}{no}}", &Options::default(), NONE);
    assert_eq!((asked.len(), outcome), (0, Ok("no".to_owned())));
}

#[test]
fn a_lookup_with_a_key_says_all_of_its_type() {
    let mut options = Options::default();
    let template = "${lookup{$x}partial1(.)lsearch*@,ret=full{/etc/list}}";
    let denied = ExpandError::Denied { at: 0, capability: Capability::Files };
    assert_eq!(requests_and_result(template, &options, NONE).1, Err(denied.into()));
    options.capabilities = Capabilities::NONE.with(Capability::Files);
    let (asked, outcome) = requests_and_result(template, &options, &[found("v")]);
    assert_eq!(outcome, Ok("v".to_owned()));
    let [Ask::Lookup { lookup, key: Some(key), query }] = &asked[..] else { unreachable!() };
    assert_eq!((lookup.name, lookup.partial, &*lookup.affix), ("lsearch", Some(1), &b"."[..]));
    assert_eq!(lookup.fallback, Fallback::StarAt);
    assert_eq!(lookup.options.as_deref(), Some(&b"ret=full"[..]));
    assert!(lookup.is_file() && !lookup.is_query());
    assert_eq!(key, &Value::new(&b"o'hara"[..], Trust::Untrusted));
    assert!(query.segments().eq([Segment::Literal(b"/etc/list")]));
    // The name of the file is the administrator's alone.
    let error = requests_and_result("${lookup{a}lsearch{/home/$x}}", &options, NONE).1;
    assert_eq!(error, Err(ExpandError::Untrusted { at: 0 }.into()));
}

#[test]
fn what_comes_from_outside_is_quoted_or_refused() {
    let refused = |lookup| Err(ExpandFailure::from(ExpandError::Unquoted { at: 0, lookup }));
    for (template, lookup) in [
        ("${lookup pgsql{SELECT '$x'}}", "pgsql"),
        ("${lookup pgsql{SELECT '${quote_sqlite:$x}'}}", "pgsql"),
        ("${lookup pgsql{SELECT '${lc:${quote_pgsql:$x}}'}}", "pgsql"),
        ("${lookup sqlite{SELECT '${map{$x}{$item}}'}}", "sqlite"),
        ("${lookup mysql{SELECT '$h_subject:'}}", "mysql"),
        ("${lookup sqlite{SELECT '${lookup redis{GET a}}'}}", "sqlite"),
        ("${lookup pgsql{SELECT '${if match{$x}{(.)}{$1}}'}}", "pgsql"),
    ] {
        let outcome = requests_and_result(template, &Options::default(), &[found("found")]).1;
        assert_eq!(outcome, refused(lookup), "{template}");
    }
    for template in [
        "${lookup pgsql{SELECT '$primary_hostname ${lc:A}'}}",
        "${lookup pgsql{SELECT ${if def:x{'${quote_pgsql:${lc:$x}}'}{NULL}}}}",
    ] {
        let (asked, outcome) =
            requests_and_result(template, &Options::default(), &[LookupResult::Nothing]);
        assert_eq!((asked.len(), outcome), (1, Ok(String::new())), "{template}");
    }
    // A value does not leave its word of a command of Redis.
    for template in [
        "${lookup redis{HGET $x domain}}",
        "${lookup redis{GET ${if match{$x}{(.)}{$1}}}}",
        "${lookup redis{SET ${quote_redis:$x} \"$x y\"}}",
        "${lookup redis{${if eq{$x}{}{GET}{SMEMBERS}} $x}}",
    ] {
        let (asked, outcome) =
            requests_and_result(template, &Options::default(), &[LookupResult::Nothing]);
        assert_eq!((asked.len(), outcome), (1, Ok(String::new())), "{template}");
    }
    for template in [
        "${lookup redis{$x a}}",
        "${lookup redis{G${quote_redis:$x} a}}",
        "${lookup redis{ ${lookup redis{GET a}} a}}",
    ] {
        let outcome = requests_and_result(template, &Options::default(), &[found("GET")]).1;
        let refused = ExpandError::CommandWord { at: 0, lookup: "redis" };
        assert_eq!(outcome, Err(ExpandFailure::from(refused)), "{template}");
    }
    // A program may trust the results of a lookup.
    let mut options = Options::default();
    options.trusted_lookups.push("redis");
    let template = "${lookup pgsql{SELECT ${lookup redis{GET a}}}}";
    assert_eq!(
        requests_and_result(template, &options, &[found("b"), found("c")]).1,
        Ok("c".to_owned())
    );
}

#[test]
fn what_comes_from_outside_is_not_expanded_again() {
    let untrusted = Err(ExpandFailure::from(ExpandError::Untrusted { at: 0 }));
    assert_eq!(text("${expand:$text}"), untrusted);
    assert_eq!(text("${sg{a}{a}{$text}}"), untrusted);
    assert_eq!(text("${expand:$x}"), Ok("o\\'hara".to_owned()), "there is nothing to expand in it");
    assert_eq!(text("${expand:\\$primary_hostname}"), Ok("mx.example".to_owned()));
    // Nor does it choose a separator.
    assert_eq!(text("${map{$list}{[$item]}}"), Ok("[<; a;b]".to_owned()));
    assert_eq!(text("${map{<; a;b}{[$item]}}"), Ok("[a];[b]".to_owned()));
}

#[test]
fn an_item_of_a_list_from_outside_stays_from_outside() {
    for (list, domain, trusted) in [("local", "a.example", true), ("found", "x", false)] {
        let text = format!("${{if match_domain{{{domain}}}{{+{list}}}{{$value}}}}");
        let template = Template::parse(text.as_bytes()).unwrap();
        let value = template.expand(&session()).unwrap();
        assert_eq!(value.trust() == Trust::Trusted, trusted, "{text}");
        assert!(!value.as_bytes().is_empty());
    }
    // Nor does it choose a separator.
    assert_eq!(text("${if match_domain{a.example}{+outside}{y}{n}}").as_deref(), Ok("n"));
}

#[test]
fn in_text_a_quotation_is_escaped() {
    for (template, expected) in [
        ("${quote_pgsql:a'b\\\\\\n\"}", "a\\'\\'b\\\\\\\\\\\\n\\\\\\\""),
        ("${quote_mysql:a'b}", "a\\\\\\'b"),
        ("${quote_redis:a b\\\\}", "a\\\\ b\\\\\\\\"),
        ("${quote_ldap:a(b)*c\\\\ }", "a%5C28b%5C29%5C2Ac%5C5C%20"),
        ("${quote_ldap_dn:a(b)*c,\\\\ }", "a(b)*c%5C%2C%5C%5C%5C%20"),
        ("${quote_ldap_dn:i#}", "i%23"),
        ("${quote_ldap_dn:## a#  }", "%5C%23%5C%23%5C%20a%23%5C%20%5C%20"),
        ("${quote_ldap_dn: #}", "%5C%20%5C%23"),
        ("${quote_ldap_dn:  }", "%5C%20%5C%20"),
        ("${reverse_ip:::ffff:192.0.2.1}", "1.2.0.192"),
        ("${reverse_ip:::ffff:c000:201/96}", "1.2.0.192"),
        ("${quote_nis:a b}", "a b"),
    ] {
        assert_eq!(text(template), Ok(expected.to_owned()), "{template}");
    }
}

#[test]
fn a_subject_that_is_not_utf8_is_matched_byte_by_byte() {
    for (template, expected) in [
        ("${if match{$bytes}{\\N^a(..)(.)b$\\N}{$1,$2}}", "\\xc3\\xa9,\\xff"),
        ("${sg{$bytes}{\\N[\\x80-\\xff]\\N}{-}}", "a---b"),
        ("${sg{$bytes}{\\N\\w\\N}{-}}", "-\\xc3\\xa9\\xff-"),
        ("${sg{$bytes}{\\xc3\\xa9}{e}}", "ae\\xffb"),
        ("${if match{$bytes}{(?i)A\\xc3}{y}{n}}", "y"),
    ] {
        assert_eq!(text(template), Ok(expected.to_owned()), "{template}");
    }
}

#[test]
fn dangerous_things_want_their_capability() {
    for (template, capability, call) in [
        ("${readfile{/a}}", Capability::Files, HostCall::ReadFile),
        ("${stat:/a}", Capability::Files, HostCall::Stat),
        ("${if exists{/a}{}}", Capability::Files, HostCall::Exists),
        ("${readsocket{/a}{b}}", Capability::Sockets, HostCall::ReadSocket),
        ("${run{/bin/a b $x}}", Capability::Commands, HostCall::Run),
        ("${perl{a}}", Capability::Code, HostCall::Perl),
        ("${dlfunc{/a}{b}}", Capability::Code, HostCall::DlFunc),
        ("${env{HOME}}", Capability::Environment, HostCall::Env),
        ("${randint:9}", Capability::Random, HostCall::RandInt),
        ("${prvs{a@b}{c}}", Capability::Clock, HostCall::Prvs),
        ("${if crypteq{a}{b}{}}", Capability::Authentication, HostCall::CryptEq),
        ("${if saslauthd{{a}{b}}{}}", Capability::Authentication, HostCall::SaslAuthd),
    ] {
        let error = text(template).err();
        let denied = matches!(
            error,
            Some(ExpandFailure::Error(ExpandError::Denied { capability: off, .. })) if off == capability
        );
        assert!(denied, "{template}: {error:?}");
        let mut options = Options::default();
        options.capabilities = Capabilities::NONE.with(capability);
        let (asked, outcome) = requests_and_result(template, &options, &[found("")]);
        assert!(matches!(&asked[..], [Ask::Call { call: asked, .. }] if *asked == call));
        assert!(outcome.is_ok(), "{template}: {outcome:?}");
    }
}

#[test]
fn the_limit_of_a_random_number_is_decimal() {
    let mut options = Options::default();
    options.capabilities = Capabilities::NONE.with(Capability::Random);
    for (template, limit) in
        [("${randint:9}", "9"), ("${randint: 1k }", "1024"), ("${randint:}", "0")]
    {
        let (asked, outcome) = requests_and_result(template, &options, &[found("7")]);
        let [Ask::Call { arguments, .. }] = &asked[..] else { panic!("{template}: {outcome:?}") };
        let arguments: Vec<_> = arguments.iter().map(Value::as_bytes).collect();
        assert_eq!(
            (arguments, outcome),
            (vec![limit.as_bytes()], Ok("7".to_owned())),
            "{template}"
        );
    }
    for template in ["${randint:-1}", "${randint:x}"] {
        let (asked, outcome) = requests_and_result(template, &options, NONE);
        assert!(asked.is_empty() && outcome.is_err(), "{template}: {outcome:?}");
    }
}

#[test]
fn no_value_is_more_than_one_word_of_a_command() {
    let mut options = Options::default();
    options.capabilities = Capabilities::NONE.with(Capability::Commands);
    let (asked, _) = requests_and_result(
        "${run{/bin/a -b ${lc:A B} $list}}",
        &options,
        &[LookupResult::Nothing],
    );
    let [Ask::Call { arguments, .. }] = &asked[..] else { unreachable!("{asked:?}") };
    let words: Vec<_> = arguments.iter().map(Value::as_bytes).collect();
    assert_eq!(words, [&b"/bin/a"[..], b"-b", b"a b", b"<; a;b"]);
    let error = requests_and_result("${run{$x}}", &options, NONE).1;
    assert_eq!(error, Err(ExpandError::Untrusted { at: 0 }.into()));
}

/// The digests of `abc` are those of RFC 1321 and FIPS 180-2; the letters are those of Exim 4.96.
#[cfg(feature = "hash")]
#[test]
fn a_digest_of_the_variable_of_a_certificate_is_its_fingerprint() {
    let options = Options::default();
    for (template, expected) in [
        ("${md5:$cert}", "900150983CD24FB0D6963F7D28E17F72"),
        ("${md5:abc}", "900150983cd24fb0d6963f7d28e17f72"),
        ("${sha1:$cert}", "A9993E364706816ABA3E25717850C26C9CD0D89D"),
        ("${sha256:${cert}}", "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"),
        ("${base64:$cert}", "YWJj"),
        // As a part of a text, or for another operator, it is a text.
        ("${base64:$cert$cert}", "PGNlcnQ+PGNlcnQ+"),
        ("$cert ${uc:$cert} ${strlen:$cert}", "<cert> <CERT> 6"),
    ] {
        let expanded = requests_and_result(template, &options, NONE).1;
        assert_eq!(expanded, Ok(expected.to_owned()), "{template}");
    }
}

#[test]
fn headers_lists_and_states_are_the_programs() {
    for (template, expected) in [
        ("$h_subject:|$header_SUBJECT:|$rh_subject:|$h_to:|", "hello|hello| hello\\n||"),
        ("${if def:h_subject:{y}{n}}${if def:h_to:{y}{n}}", "yn"),
        ("${listnamed:local}", "a.example : *.b.example"),
        ("${listnamed_d:+more}", "*.b.example"),
        ("${if match_domain{x.B.example}{+local}{y}{n}}", "y"),
        ("${if match_domain{c.example}{!+local}{y}{n}}", "y"),
        ("${if match_address{a@x.b.example}{*@+more}{y}{n}}", "y"),
        ("${if match_local_part{Ann}{bob : ann}{y}{n}}", "y"),
        ("${if match_ip{::ffff:192.0.2.9}{192.0.2.0/28}{y}{n}}", "y"),
        ("${if first_delivery{y}{n}}${if queue_running{y}{n}}", "yn"),
        ("${if match_domain{mx.example}{@}{y}{n}}", "y"),
    ] {
        assert_eq!(text(template), Ok(expected.to_owned()), "{template}");
    }
    let error = text("${if match_domain{a}{+round}}").err();
    assert!(matches!(error, Some(ExpandFailure::Error(ExpandError::TooDeep { .. }))), "{error:?}");
}

#[test]
fn nothing_is_left_over_from_one_expansion_to_the_next() {
    assert_eq!(text("${if match{abc}{b(.)}{$1}}${if inlist{a}{a}{$value}}"), Ok("ca".to_owned()));
    assert_eq!(text("<$0$1$value$item>"), Ok("<>".to_owned()));
}

#[cfg(feature = "idna")]
#[test]
fn a_label_that_cannot_be_decoded_is_an_error_and_no_other_text() {
    for (labels, expected) in [
        ("xn--bcher-kva.example", "b\\xc3\\xbccher.example"),
        ("XN--bcher-kva.a_b.", "b\\xc3\\xbccher.a_b."),
        ("plain.example", "plain.example"),
    ] {
        let outcome = text(&format!("${{utf8_domain_from_alabel:{labels}}}"));
        assert_eq!(outcome, Ok(expected.to_owned()), "{labels}");
    }
    for labels in
        ["xn--999999999", "xn--0.pt", "a.xn--999999999.example", "xn--bcher-kva.xn--0", "xn--"]
    {
        let outcome = text(&format!("${{utf8_domain_from_alabel:{labels}}}"));
        let told = outcome.unwrap_err().to_string();
        assert!(told.contains("valid A-labels expected"), "{labels}: {told}");
    }
}

#[test]
fn without_its_feature_an_operator_says_which() {
    for (template, feature, is_on, expected) in [
        ("${md5:}", "hash", cfg!(feature = "hash"), "d41d8cd98f00b204e9800998ecf8427e"),
        ("${l_6:${hmac{sha1}{key}{a}}}", "hash", cfg!(feature = "hash"), "0db21f"),
        (
            "${utf8_domain_to_alabel:b\\xc3\\xbccher.example}",
            "idna",
            cfg!(feature = "idna"),
            "xn--bcher-kva.example",
        ),
        (
            "${utf8_domain_from_alabel:xn--bcher-kva.example}",
            "idna",
            cfg!(feature = "idna"),
            "b\\xc3\\xbccher.example",
        ),
    ] {
        let outcome = text(template);
        if is_on {
            assert_eq!(outcome, Ok(expected.to_owned()), "{template}");
        } else {
            let missing = matches!(
                outcome,
                Err(ExpandFailure::Error(ExpandError::Feature { feature: wanted, .. })) if wanted == feature
            );
            assert!(missing, "{template}: {outcome:?}");
        }
    }
}

/// A program may wait for a lookup in any thread.
#[test]
fn expansions_can_be_sent() {
    fn can_be_sent<T: Send>() {}
    can_be_sent::<Expansion<'_>>();
    can_be_sent::<event_expand::Action<'_>>();
    can_be_sent::<event_expand::Journal>();
}

/// The rows of the front page in which Exim 4.96 differs.
#[test]
fn differences_from_exim_are_those_of_the_front_page() {
    for (template, expected) in [
        ("${utf8clean:\\xe0\\x80\\xaf}", "?"),
        ("${utf8clean:\\xf0\\x80\\x80\\xaf}", "?"),
        ("${rfc2047d:=?x-unknown?Q?a=20b?=}", "a b"),
        ("${extract{4294967297}{:}{a:b:c}}", ""),
        ("${listextract{4294967297}{a:b:c}}", ""),
        ("${extract{9223372036854775807}{:}{a:b:c}}", ""),
    ] {
        assert_eq!(text(template), Ok(expected.to_owned()), "{template}");
    }
}
