//! The argument of HELO and EHLO.

use mail_types::smtp::Helo;

#[test]
fn each_form_is_told_apart() {
    let domain = |text: &str| Helo::Domain(text.parse().unwrap());
    let literal = |text: &str| Helo::Literal(text.parse().unwrap());
    let junk = |text: &str| Helo::Junk(text.into());
    for (text, helo) in [
        ("mx.example.com", domain("mx.example.com")),
        ("MX.Example.com.", domain("mx.example.com")),
        ("localhost", domain("localhost")),
        ("192.0.2.1", domain("192.0.2.1")),
        ("[192.0.2.1]", literal("192.0.2.1")),
        ("[IPv6:2001:db8::1]", literal("2001:db8::1")),
        ("[2001:db8::1]", literal("2001:db8::1")),
        ("[192.0.2.1].", junk("[192.0.2.1].")),
        ("[192.0.2]", junk("[192.0.2]")),
        ("my_pc.example.com", junk("my_pc.example.com")),
        ("my_pc.example.com.", junk("my_pc.example.com.")),
        ("a..example", junk("a..example")),
        ("-a.example", junk("-a.example")),
        ("b\u{fc}.example", junk("b\u{fc}.example")),
        ("", junk("")),
        (".", junk(".")),
    ] {
        assert_eq!(Helo::new(text), helo, "{text}");
    }
}

#[test]
fn the_text_has_one_line() {
    assert_eq!(Helo::new("a\r\nb").to_string(), "a??b");
    assert_eq!(Helo::new("[2001:DB8::1]").to_string(), "[IPv6:2001:db8::1]");
    assert_eq!(Helo::new("MX.example.").to_string(), "mx.example");
}
