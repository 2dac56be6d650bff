//! Authentication results: their words, and that nothing in a value can break the header.

use mail_types::results::{AuthResult, AuthenticationResults, MethodResult, SpfIdentity};
use proptest::prelude::*;

#[test]
fn words_are_those_of_rfc_8601() {
    // RFC 8601 section 2.7.
    for (word, result) in [
        ("none", AuthResult::None),
        ("pass", AuthResult::Pass),
        ("fail", AuthResult::Fail),
        ("softfail", AuthResult::SoftFail),
        ("neutral", AuthResult::Neutral),
        ("policy", AuthResult::Policy),
        ("temperror", AuthResult::TempError),
        ("permerror", AuthResult::PermError),
    ] {
        assert_eq!(result.to_string(), word);
        assert_eq!(word.to_ascii_uppercase().parse(), Ok(result));
    }
    assert!("hardfail".parse::<AuthResult>().is_err());
    assert_eq!(
        [SpfIdentity::MailFrom, SpfIdentity::Helo].map(SpfIdentity::as_str),
        ["mailfrom", "helo"]
    );
}

#[test]
fn values_are_quoted_where_they_must_be() {
    for (value, written) in [
        ("example.com", "example.com"),
        ("ann@example.com", "ann@example.com"),
        ("@example.com", "@example.com"),
        ("", "\"\""),
        ("a b", "\"a b\""),
        ("x; dkim=pass", "\"x; dkim=pass\""),
        ("a\r\nSubject: b", "\"a??Subject: b\""),
        (r#"a"b\c"#, r#""a\"b\\c""#),
        ("[192.0.2.1]", "\"[192.0.2.1]\""),
        ("a@b@c", "\"a@b@c\""),
        ("grüße@example.com", "\"grüße@example.com\""),
    ] {
        let result =
            MethodResult::new("spf", AuthResult::Pass).with_property("smtp", "helo", value);
        assert_eq!(result.to_string(), format!("spf=pass smtp.helo={written}"));
    }
    let commented = MethodResult::new("spf", AuthResult::None).with_comment("a) x=(\\\n");
    assert_eq!(commented.to_string(), r"spf=none (a\) x=\(\\?)");
}

#[test]
fn results_come_in_their_order() {
    let mut results = AuthenticationResults::new("mx; a");
    results.push(MethodResult::new("spf", AuthResult::Fail).with_reason("no"));
    results.push(MethodResult::new("dkim", AuthResult::Pass));
    assert_eq!(results.to_string(), r#""mx; a"; spf=fail reason="no"; dkim=pass"#);
}

proptest! {
    #[test]
    fn it_is_one_line_and_one_result(value in any::<String>()) {
        let result = MethodResult::new("spf", AuthResult::Pass)
            .with_comment(&value)
            .with_reason(&value)
            .with_property("smtp", "mailfrom", &value);
        let mut results = AuthenticationResults::new(&value);
        results.push(result);
        let text = results.to_string();
        prop_assert!(!text.chars().any(char::is_control));
        // Outside quotes and comments there is but the one semicolon that was written.
        let (mut outside, mut quoted, mut depth, mut escaped) = (0, false, 0, false);
        for c in text.chars() {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' if depth == 0 => quoted = !quoted,
                '(' if !quoted => depth += 1,
                ')' if !quoted => depth -= 1,
                ';' if !quoted && depth == 0 => outside += 1,
                _ => {}
            }
        }
        prop_assert_eq!((outside, quoted, depth), (1, false, 0));
    }
}
