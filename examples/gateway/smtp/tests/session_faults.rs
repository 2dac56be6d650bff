//! The replies to wrong commands, which the log has too: they name the command, and the parameter or the position.

use std::sync::Arc;

use super::session::{Talk, ready, settings};
use crate::gateway::smtp::session::{Fault, Session, SessionSettings};

/// The reply to a line, at the start of a session or with a sender.
fn reply(line: &str) -> String {
    let mut talk = Talk::new(settings());
    talk.replies();
    if !line.contains("HLO") && !line.contains("HELO") {
        talk.say("EHLO c.example\r\n");
    }
    if line.starts_with("RCPT") {
        talk.say("MAIL FROM:<>\r\n");
    }
    talk.session.take_faults();
    let reply = talk.say(&format!("{line}\r\n"));
    let faults = talk.session.take_faults();
    assert_eq!(faults.len(), 1, "{line}: {reply}");
    assert_eq!(format!("{}\r\n", faults[0].1), reply, "the log has the same");
    assert_eq!(faults[0].0, if reply.starts_with("530") { Fault::Protocol } else { Fault::Syntax });
    reply.trim_end().to_owned()
}

#[test]
fn replies_name_the_command_and_the_parameter_or_the_position() {
    for (line, expected) in [
        ("", r#"500 5.5.2 unrecognized command """#),
        ("XCLIENT a=b", r#"500 5.5.2 unrecognized command "XCLIENT""#),
        ("NOOP \u{1}", "500 5.5.2 octet 0x01 is not allowed in a command, at octet 5"),
        ("EHLO", "501 5.5.4 EHLO: domain or address required"),
        ("EHLO a_b", r#"501 5.5.4 EHLO: "a_b" is neither a domain nor an address in brackets"#),
        ("HELO [a]", r#"501 5.5.4 HELO: "[a]" is neither a domain nor an address in brackets"#),
        ("VRFY", "501 5.5.4 VRFY: argument required"),
        ("DATA now", "501 5.5.4 DATA: no argument allowed"),
        ("BDAT", "501 5.5.4 BDAT: the chunk size is not a number"),
        ("BDAT 0 FIRST", "501 5.5.4 BDAT: only LAST may follow the chunk size"),
        ("MAIL TO:<a@b.example>", "501 5.5.4 MAIL: FROM: is missing"),
        (
            "MAIL FROM:a@b.example",
            "501 5.1.7 MAIL: invalid sender address: no angle brackets around it",
        ),
        (
            "MAIL FROM:<a b@c.example>",
            "501 5.1.7 MAIL: invalid sender address: invalid character in the local part, at byte 2",
        ),
        (
            "MAIL FROM:<a@b..example>",
            "501 5.1.7 MAIL: invalid sender address: invalid domain or address literal after the @, at byte 3",
        ),
        ("MAIL FROM:<>SIZE=1", r#"501 5.5.4 MAIL: space required between the path and "SIZE=1""#),
        ("MAIL FROM:<> SIZE=1=2", r#"501 5.5.4 MAIL: malformed parameter "SIZE=1=2""#),
        ("MAIL FROM:<> SIZE=1 size=2", r#"501 5.5.4 MAIL: duplicate parameter "SIZE""#),
        ("MAIL FROM:<> SIZE=+5", r#"501 5.5.4 MAIL: SIZE is not a number: "+5""#),
        ("MAIL FROM:<> SIZE", "501 5.5.4 MAIL: parameter SIZE needs a value"),
        ("MAIL FROM:<> SMTPUTF8=1", "501 5.5.4 MAIL: parameter SMTPUTF8 takes no value"),
        (
            "MAIL FROM:<> BODY=BINARYMIME",
            r#"501 5.5.4 MAIL: unsupported value of BODY: "BINARYMIME""#,
        ),
        ("MAIL FROM:<> auth=<>", r#"555 5.5.4 MAIL: unknown parameter "AUTH""#),
        ("MAIL FROM:<> PRDR", "555 5.5.4 MAIL: parameter PRDR was not offered"),
        // RFC 8689 section 2 knows it inside TLS only.
        ("MAIL FROM:<> REQUIRETLS", "530 5.7.10 MAIL: parameter REQUIRETLS needs TLS"),
        ("RCPT TO:<>", "501 5.1.3 RCPT: invalid recipient address: it is empty"),
        ("RCPT TO:<a@b.example> NOTIFY=NEVER", r#"555 5.5.4 RCPT: unknown parameter "NOTIFY""#),
        ("RCPT TO:<a@b.example> =1", r#"501 5.5.4 RCPT: malformed parameter "=1""#),
    ] {
        assert_eq!(reply(line), expected);
    }
    let seventeen = (0..17).map(|at| format!("x{at}=1")).collect::<Vec<_>>().join(" ");
    let many = reply(&format!("MAIL FROM:<> {seventeen}"));
    assert_eq!(many, "501 5.5.4 MAIL: more than 16 parameters");
    let mut talk = Talk::new(settings());
    talk.replies();
    talk.say("HELO c.example\r\n");
    let answer = talk.say("MAIL FROM:<> SIZE=1\r\n");
    assert_eq!(answer, "555 5.5.4 MAIL: parameter \"SIZE\" needs EHLO\r\n");
}

#[test]
fn replies_to_commands_out_of_order_name_them_too() {
    let mut talk = Talk::new(SessionSettings { smtp_max_synprot_errors: 100, ..settings() });
    talk.replies();
    for (line, expected) in [
        ("MAIL FROM:<>", "503 5.5.1 EHLO or HELO required before MAIL"),
        ("EXPN list", "502 5.5.1 EXPN: not implemented"),
        ("EHLO c.example\r\nRCPT TO:<a@b.example>", "503 5.5.1 MAIL required before RCPT"),
        ("DATA", "503 5.5.1 MAIL and RCPT required before DATA"),
        ("BDAT 0", "503 5.5.1 MAIL and RCPT required before BDAT"),
        ("MAIL FROM:<>\r\nMAIL FROM:<>", "503 5.5.1 MAIL: sender already given"),
        ("DATA", "554 5.5.1 DATA: no valid recipients"),
        ("BDAT 0", "554 5.5.1 BDAT: no valid recipients"),
        (
            "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nBDAT 0\r\nDATA",
            "503 5.5.1 DATA not allowed after BDAT",
        ),
        ("STARTTLS", "220 2.0.0 go ahead"),
        ("STARTTLS", "502 5.5.1 STARTTLS: not offered"),
    ] {
        let replies = talk.say(&format!("{line}\r\n"));
        assert_eq!(replies.lines().last(), Some(expected), "{line}");
    }
}

/// Text of a client is cut, and its invisible characters are escaped.
#[test]
fn replies_and_log_lines_have_no_long_and_no_invisible_text_of_the_client() {
    for (sent, shown) in [
        ("x\u{202e}y", r"x\u{202e}y"),
        ("a\u{200b}\u{ad}b", r"a\u{200b}\u{ad}b"),
        ("a\u{85}b", r"a\u{85}b"),
        ("a\u{e0041}", r"a\u{e0041}"),
        (r"a\r\nb", r"a\\r\\nb"),
    ] {
        for line in [format!("{sent} x"), format!("MAIL FROM:<> {sent}=1")] {
            let reply = reply(&line);
            assert!(reply.contains(&format!("\"{shown}")) && reply.is_ascii(), "{line:?}: {reply}");
        }
    }
    let long = "\u{fffb}".repeat(1000);
    for line in
        [long.clone(), format!("MAIL FROM:<> {long}"), format!("RCPT TO:<a@b.example> {long}")]
    {
        let reply = reply(&line);
        assert!(reply.len() < 200 && reply.ends_with("...\""), "{reply}");
    }
    let keyword = "X".repeat(2000);
    assert!(reply(&format!("MAIL FROM:<> {keyword}")).len() < 100);
}

/// RFC 5321 section 4.1.1 has a space between words, and white space of any kind at the end; Exim takes these too.
#[test]
fn a_tab_is_a_blank_after_the_verb() {
    let mut talk = Talk::new(settings());
    talk.replies();
    for (line, expected) in [
        ("EHLO \tc.example\t", "250-"),
        ("MAIL FROM:\t<a@b.example>\tSIZE=5 \tBODY=7BIT\t \t", "250 2.1.0"),
        ("RCPT \t TO:<c@d.example>\t", "250 2.1.5"),
        ("BDAT \t6\tLAST\t\r\na: b", "250 2.0.0"),
        ("NOOP \tx", "250 2.0.0"),
        ("NOOP\t", "250 2.0.0"),
        ("MAIL\tFROM:<a@b.example>", "500 5.5.2 unrecognized command \"MAIL\\tFROM:<"),
    ] {
        let answer = talk.say(&format!("{line}\r\n"));
        assert!(answer.starts_with(expected), "{line:?}: {answer}");
    }
    assert_eq!(talk.messages, ["a: b\r\n"]);
}

/// It makes the name absolute, which is the same name; in EHLO as in an address.
#[test]
fn a_dot_behind_a_domain_is_dropped() {
    for (line, code) in [
        ("EHLO c.example.", "250-"),
        ("MAIL FROM:<a@b.example.>", "250 "),
        ("RCPT TO:<a@b.example.>", "250 "),
        ("EHLO c.example..", "501 "),
        ("MAIL FROM:<a@b.example..>", "501 "),
        ("RCPT TO:<a@b.example..>", "501 "),
        ("RCPT TO:<a@.>", "501 "),
        ("RCPT TO:<postmaster.>", "501 "),
        ("EHLO [192.0.2.1].", "501 "),
        ("MAIL FROM:<a@[192.0.2.1].>", "501 "),
    ] {
        let mut talk = Talk::new(settings());
        talk.replies();
        talk.say("EHLO first.example\r\n");
        if line.starts_with("RCPT") {
            talk.say("MAIL FROM:<>\r\n");
        }
        assert!(talk.say(&format!("{line}\r\n")).starts_with(code), "{line}");
    }
    let mut talk = ready(settings());
    talk.say("RCPT TO:<e@B.example.>\r\n");
    let recipients = &talk.session.transaction().unwrap().recipients;
    assert_eq!(recipients[1].to_string(), "e@b.example");
}

/// RFC 6531 section 3.4: the client must say SMTPUTF8 for a domain of U-labels too; section 3.5: the codes.
#[test]
fn an_address_with_other_than_ascii_needs_smtputf8() {
    for address in ["\u{fc}@b.example", "a@b\u{fc}cher.example", "\"\u{fc}\"@b.example"] {
        let mut talk = ready(settings());
        let answer = talk.say(&format!("RCPT TO:<{address}>\r\n"));
        let expected = "553 5.6.7 RCPT: the address needs the parameter SMTPUTF8 of MAIL\r\n";
        assert_eq!(answer, expected, "{address}");
        talk.say("RSET\r\n");
        let answer = talk.say(&format!("MAIL FROM:<{address}>\r\n"));
        let expected = "550 5.6.7 MAIL: the address needs the parameter SMTPUTF8 of MAIL\r\n";
        assert_eq!(answer, expected, "{address}");
        let answer =
            talk.say(&format!("MAIL FROM:<{address}> SMTPUTF8\r\nRCPT TO:<{address}>\r\n"));
        assert!(answer.starts_with("250 2.1.0") && answer.contains("250 2.1.5"), "{answer}");
    }
    // The name in EHLO never is one (section 3.7.1), except where anything is.
    let mut talk = Talk::new(settings());
    talk.replies();
    assert!(talk.say("EHLO b\u{fc}cher.example\r\n").starts_with("501 "));
    let session = Session::new(Arc::new(settings()), true);
    let mut talk = Talk { session, ..Talk::new(settings()) };
    talk.replies();
    assert!(talk.say("EHLO b\u{fc}cher.example\r\n").starts_with("250-"));
}
