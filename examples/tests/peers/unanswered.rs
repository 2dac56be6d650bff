//! DNS questions without an answer, and their effect on a message.

use super::dmarc::plain;
use super::examined::{Stage, WAYS, mail};
use crate::dkim::signing::sign;

/// What cannot be asked about is the sender's choice.
#[test]
fn a_dead_name_below_the_author_domain_does_not_get_a_message_by() {
    let mut stage = Stage::new(true, "");
    let forged = mail("From: a@victim.example");
    let mut cases =
        vec![("a@good.example".to_owned(), signed_by("victim.example", "victim.example"))];
    for dead in ["servfail", "refused", "alias", "x.refused", "x.alias"] {
        let domain = format!("{dead}.victim.example");
        cases.push((format!("a@{domain}"), forged.clone()));
        cases.push(("a@good.example".to_owned(), signed_by("victim.example", &domain)));
    }
    for (options, code, marked) in [
        ("", "250", true),
        ("dmarc_reject = true", "451 4.7.1 ", false),
        ("dmarc_temperror = 'accept'", "250", false),
        ("dmarc_reject = true\ndmarc_temperror = 'quarantine'", "250", true),
        ("dmarc_temperror = 'defer'", "451 4.7.1 ", false),
    ] {
        stage.restart(options);
        for (sender, message) in &cases {
            for way in WAYS {
                let (reply, message) = stage.send(sender, message, way);
                assert!(reply.starts_with(code), "{options} {sender} {way:?}: {reply}");
                let found = message.contains("X-Quarantine: DMARC of victim.example");
                assert_eq!(found, marked, "{options} {sender} {way:?}: {message}");
                if code == "250" {
                    assert!(message.contains("dmarc=temperror"), "{message}");
                }
            }
        }
    }
    // Where a failure is accepted, an answer that is missing is too.
    for options in ["dmarc_temperror = 'defer'", "dmarc_reject = true"] {
        stage.restart(options);
        let mild = mail("From: a@mild.example");
        let (reply, message) = stage.send("a@servfail.mild.example", &mild, WAYS[0]);
        assert!(reply.starts_with("250") && !message.contains("X-Quarantine"), "{reply} {message}");
    }
}

/// Nobody answers for the sender's domain: if it is not the author's, nothing depends on it; if it is
/// one below, the message fares as with a dead name.
#[test]
fn a_name_server_that_is_silent_for_one_domain_does_not_get_a_message_by() {
    let mut stage = Stage::new(true, "");
    let forged = mail("From: a@victim.example");
    let signed = signed_by("victim.example", "silent.victim.example");
    for (sender, message, result, strict) in [
        ("a@silent.example", &forged, "\tdmarc=fail ", "550 5.7.1 "),
        ("a@silent.victim.example", &forged, "\tdmarc=temperror", "451 4.7.1 "),
        ("a@good.example", &signed, "\tdmarc=temperror", "451 4.7.1 "),
    ] {
        for way in [WAYS[0], WAYS[3]] {
            stage.restart("dmarc_timeout = '2s'");
            let (reply, message_there) = stage.send(sender, message, way);
            assert!(reply.starts_with("250"), "{sender} {way:?}: {reply}");
            assert!(message_there.contains(result), "{sender} {way:?}: {message_there}");
            assert!(message_there.contains("X-Quarantine: DMARC"), "{sender}: {message_there}");
            stage.restart("dmarc_timeout = '2s'\ndmarc_reject = true");
            let (reply, _) = stage.send(sender, message, way);
            assert!(reply.starts_with(strict), "{sender} {way:?}: {reply}");
        }
    }
    // The author's own name is silent, and names between it and the one with the record.
    for author in ["mute.victim.example", "x.mute.victim.example", "a.b.c.mute.victim.example"] {
        for (options, code, marked) in
            [("", "250", true), ("dmarc_reject = true", "451 4.7.1 ", false)]
        {
            stage.restart(&format!("dmarc_timeout = '4s'\n{options}"));
            let message = mail(&format!("From: a@{author}"));
            let (reply, message) = stage.send("a@good.example", &message, WAYS[0]);
            assert!(reply.starts_with(code), "{options} {author}: {reply}");
            let found = message.contains("X-Quarantine: DMARC");
            assert_eq!(found, marked, "{options} {author}: {message}");
        }
    }
    // Whose own domain answers passes: what is silent is another's.
    let (reply, message) = stage.send("a@good.example", &mail("From: a@good.example"), WAYS[0]);
    assert!(reply.starts_with("250") && message.contains("\tdmarc=pass "), "{reply} {message}");
}

/// Who asks for less than rejection gets no more: quarantine, also where an answer is missing.
#[test]
fn what_a_domain_asks_for_is_what_is_done() {
    let mut stage = Stage::new(true, "");
    for options in ["", "dmarc_reject = true"] {
        stage.restart(options);
        for (author, marked) in
            [("wary.example", true), ("testing.example", true), ("mild.example", false)]
        {
            let forged = mail(&format!("From: a@{author}"));
            let aligned = format!("a@servfail.{author}");
            for (sender, result) in
                [("a@good.example", "dmarc=fail "), (&aligned, "dmarc=temperror")]
            {
                for way in WAYS {
                    let (reply, message) = stage.send(sender, &forged, way);
                    assert!(reply.starts_with("250"), "{options} {author} {way:?}: {reply}");
                    assert!(message.contains(result), "{options} {author} {way:?}: {message}");
                    let found = message.contains("X-Quarantine: DMARC");
                    assert_eq!(found, marked, "{options} {author} {sender} {way:?}: {message}");
                }
            }
        }
    }
}

/// The name server of the parent domain is down. Nothing depends on it if no identifier has passed, if
/// alignment is strict, or if one that has passed is the author's own domain or one below.
#[test]
fn what_changes_nothing_is_not_asked() {
    let mut stage = Stage::new(true, "");
    let own = signed_by("victim.orphan", "victim.orphan");
    let below = signed_by("strict.orphan", "mail.strict.orphan");
    for (options, refusal) in [("", "250"), ("dmarc_reject = true", "550 5.7.1 ")] {
        stage.restart(options);
        for (sender, message, passes) in [
            ("a@victim.example", &mail("From: a@victim.orphan"), false),
            ("a@good.example", &mail("From: a@victim.orphan"), false),
            ("a@mail.strict.orphan", &mail("From: a@strict.orphan"), false),
            ("a@good.example", &below, false),
            ("a@victim.orphan", &mail("From: a@victim.orphan"), true),
            ("a@victim.example", &own, true),
        ] {
            for way in WAYS {
                let (reply, message) = stage.send(sender, message, way);
                let expected = if passes { "250" } else { refusal };
                assert!(reply.starts_with(expected), "{options} {sender} {way:?}: {reply}");
                if reply.starts_with("250") {
                    let result = if passes { "\tdmarc=pass " } else { "\tdmarc=fail " };
                    assert!(message.contains(result), "{options} {sender} {way:?}: {message}");
                }
            }
        }
    }
    assert!(!stage.server.asked().iter().any(|name| name == "_dmarc.orphan"));
    // Where it is asked for the sake of reports, its failure is no reason to doubt the pass.
    for way in WAYS {
        let (reply, message) = stage.send("a@sister.orphan", &own, way);
        assert!(reply.starts_with("250"), "{way:?}: {reply}");
        assert!(message.contains("\tspf=pass smtp.mailfrom=sister.orphan"), "{way:?}: {message}");
        assert!(message.contains("\tdmarc=pass "), "{way:?}: {message}");
    }
}

/// The same where it matters: a domain has passed that is of the author's organization if the parent
/// has a record.
#[test]
fn what_may_change_the_verdict_is_asked() {
    let mut stage = Stage::new(true, "");
    let forged = mail("From: a@victim.orphan");
    for way in WAYS {
        let (reply, message) = stage.send("a@sister.orphan", &forged, way);
        assert!(reply.starts_with("250"), "{way:?}: {reply}");
        assert!(message.contains("\tspf=pass smtp.mailfrom=sister.orphan"), "{message}");
        assert!(message.contains("\tdmarc=temperror"), "{way:?}: {message}");
        assert!(message.contains("X-Quarantine: DMARC of victim.orphan"), "{way:?}: {message}");
    }
    assert!(stage.server.asked().iter().any(|name| name == "_dmarc.orphan"));
    stage.restart("dmarc_reject = true");
    for way in WAYS {
        let (reply, _) = stage.send("a@sister.orphan", &forged, way);
        assert!(reply.starts_with("451 4.7.1 "), "{way:?}: {reply}");
    }
}

#[test]
fn a_name_server_that_does_not_know_edns_is_understood() {
    let mut stage = Stage::new(false, "");
    for (fields, result) in
        [("From: a@victim.example", "dmarc=fail "), ("From: a@good.example", "dmarc=pass ")]
    {
        let (reply, message) = stage.send("a@good.example", &mail(fields), WAYS[0]);
        assert!(reply.starts_with("250") && message.contains(result), "{reply} {message}");
    }
}

/// A message from an author, with a good signature of a domain.
fn signed_by(author: &str, domain: &str) -> String {
    let tags = format!("v=1; a=ed25519-sha256; c=relaxed/relaxed; d={domain}; s=s; h=from:subject");
    let header = format!("from:<a@{author}>\r\nsubject:x\r\n");
    sign(&tags, &header, "hello\r\n") + &plain(&format!("a@{author}"), "x").replace('\n', "\r\n")
}
