//! REQUIRETLS: RFC 8689 section 2.

use super::session::{Talk, settings};

fn talk(tls: bool) -> (Talk, String) {
    let mut talk = Talk::new(settings());
    talk.replies();
    talk.say("EHLO client.example\r\n");
    if tls {
        talk.say("STARTTLS\r\n");
    }
    let offers = talk.say("EHLO client.example\r\n");
    (talk, offers)
}

#[test]
fn it_is_offered_inside_tls_only() {
    for tls in [false, true] {
        let (_, offers) = talk(tls);
        assert_eq!(offers.contains("250-REQUIRETLS\r\n"), tls, "{offers}");
    }
}

#[test]
fn the_parameter_has_no_value_and_exists_inside_tls_only() {
    for (tls, greeting, parameter, expected) in [
        (true, "EHLO", "REQUIRETLS", "250 2.1.0"),
        (true, "EHLO", "requiretls SIZE=10", "250 2.1.0"),
        (true, "EHLO", "REQUIRETLS=yes", "501 5.5.4"),
        (true, "EHLO", "REQUIRETLS REQUIRETLS", "501 5.5.4"),
        (true, "HELO", "REQUIRETLS", "555 5.5.4"),
        (false, "EHLO", "REQUIRETLS", "530 5.7.10"),
        (false, "HELO", "REQUIRETLS", "555 5.5.4"),
    ] {
        let (mut talk, _) = talk(tls);
        talk.say(&format!("{greeting} client.example\r\n"));
        let answer = talk.say(&format!("MAIL FROM:<a@b.example> {parameter}\r\n"));
        assert!(answer.starts_with(expected), "{tls} {greeting} {parameter}: {answer}");
    }
}
