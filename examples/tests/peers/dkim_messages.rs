//! Broken signatures and changed messages through the gateway, by DATA and BDAT, delivered and relayed.

use super::block::Block;
use super::dialogue::Dialogue;
use super::dmarc::with_gateway;
use super::examined::{Stage, WAYS};
use super::gateway::Gateway;
use super::relay::mail;
use super::servers::{Peers, have};
use crate::dkim::signing::sign;

/// What a broken signature has, and what is told of it.
const BROKEN: [(&str, &str); 9] = [
    ("d=signed.test; s=a..b", "s= is not a DNS name"),
    ("d=signed.test; s=.a", "s= is not a DNS name"),
    ("d=signed.test; s=a.", "s= is not a DNS name"),
    ("d=signed.test; s=", "s= is not a DNS name"),
    (
        "d=signed.test; s=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "s= is not a DNS name",
    ),
    ("d=signed..test; s=s", "d= is not a DNS name"),
    ("d=.signed.test; s=s", "d= is not a DNS name"),
    ("d=signed.test; s=s; s=s", "duplicate tag s="),
    ("d=signed.test", "s= is missing"),
];

#[test]
fn a_broken_signature_does_not_keep_dmarc_from_its_fail() {
    with_gateway("", |mut gateway, _, dns| {
        let options =
            format!("dmarc_verify_hosts = \"*\"\ndmarc_reject = true\ndns_resolver = \"{dns}\"");
        let block = Block::claim();
        let strict = Gateway::start(block.own(1), &options);
        for (at, (tags, reason)) in BROKEN.into_iter().enumerate() {
            for (chunked, times) in [(false, 1), (true, 2)] {
                let subject = format!("broken-{at}-{times}");
                let field = format!(
                    "DKIM-Signature: v=1; a=rsa-sha256; {tags}; h=from; bh=AAAA; b=AAAA\r\n"
                );
                let message = field.repeat(times) + &plain(&subject);
                let reply = deliver(&gateway, "local.test", &message, chunked);
                assert!(reply.starts_with("250 "), "{tags}: {reply}");
                let kept = gateway.message(&subject);
                let result = format!("\tdkim=neutral reason=\"{reason}\"");
                assert_eq!(kept.matches(&result).count(), times, "{tags}: {kept}");
                assert!(kept.contains("\tdmarc=fail policy.dmarc=reject header.from=signed.test"));
                assert!(kept.contains("X-Quarantine: DMARC: "), "{tags}: {kept}");

                let reply = deliver(&strict, "local.test", &message, chunked);
                let refusal = "550 5.7.1 rejected by the DMARC policy of signed.test";
                assert!(reply.starts_with(refusal), "{tags}: {reply}");
            }
        }
        assert!(strict.messages().is_empty());
    });
}

#[test]
fn a_blank_before_a_colon_adds_no_field_to_a_signed_message() {
    with_gateway("", |mut gateway, _, dns| {
        let block = Block::claim();
        for (at, (added, passes)) in ADDED.into_iter().enumerate() {
            for chunked in [false, true] {
                let subject = format!("oversigned-{at}-{chunked}");
                let message = added.to_owned() + &signed(&subject, "Subject");
                assert!(deliver(&gateway, "local.test", &message, chunked).starts_with("250 "));
                check(&gateway.message(&subject), passes);
                // One that is signed so is as good as any.
                let subject = format!("blank-{at}-{chunked}");
                let message = added.to_owned() + &signed(&subject, "Subject \t");
                assert!(deliver(&gateway, "local.test", &message, chunked).starts_with("250 "));
                check(&gateway.message(&subject), passes);
            }
        }
        if !have(&["exim4"]) {
            return;
        }
        let peers = Peers::of(&block);
        let exim = peers.start(&["exim"]);
        let options = format!(
            "dmarc_verify_hosts = \"*\"\ndns_resolver = \"{dns}\"\nrelay_to_domains = \"next.test\"\n\
             route_data = \"{}\"",
            exim[0].address
        );
        let relay = Gateway::start(block.own(2), &options);
        for (at, (added, passes)) in ADDED.into_iter().enumerate() {
            for chunked in [false, true] {
                let subject = format!("onwards-{at}-{chunked}");
                let message = added.to_owned() + &signed(&subject, "Subject ");
                // The next hop, which gets it by BDAT, tells the size in a line of its own.
                let reply = deliver(&relay, "next.test", &message, chunked);
                assert!(reply.starts_with("250"), "{reply}");
                let found = mail(&exim[1].address, 2 * at + usize::from(chunked) + 1);
                let found = found.iter().find(|message| message.contains(&subject)).unwrap();
                check(&found.replace('\n', "\r\n"), passes);
            }
        }
        let broken =
            "DKIM-Signature: v=1; a=rsa-sha256; d=signed.test; s=a..b; h=from; bh=AAAA; b=AAAA\r\n";
        let message = broken.to_owned() + &plain("broken-onwards");
        assert!(deliver(&relay, "next.test", &message, true).starts_with("250"));
        let found = mail(&exim[1].address, 2 * ADDED.len() + 1);
        let found = found.iter().find(|message| message.contains("broken-onwards")).unwrap();
        assert!(found.contains("\tdkim=neutral reason=\"s= is not a DNS name\""), "{found}");
        assert!(found.contains("\tdmarc=fail policy.dmarc=reject"), "{found}");
    });
}

/// The same of one that is the author's, once and twice, wherever the message goes.
#[test]
fn a_broken_signature_is_neutral_here_and_at_the_next_hop() {
    let mut stage = Stage::new(true, "");
    for options in ["", "dmarc_reject = true"] {
        stage.restart(options);
        for (tags, reason) in BROKEN {
            let tags = tags.replace("signed", "victim").replace("test", "example");
            let field =
                format!("DKIM-Signature: v=1; a=rsa-sha256; {tags}; h=from; bh=AAAA; b=AAAA\r\n");
            for times in [1, 2] {
                let message = field.repeat(times)
                    + "From: <a@victim.example>\r\nSubject: broken\r\n\r\nhello\r\n";
                for way in WAYS {
                    let (reply, message) = stage.send("a@good.example", &message, way);
                    if !options.is_empty() {
                        let refusal = "550 5.7.1 rejected by the DMARC policy of victim.example";
                        assert!(reply.starts_with(refusal), "{tags} {way:?}: {reply}");
                        continue;
                    }
                    assert!(reply.starts_with("250 "), "{tags} {way:?}: {reply}");
                    let result = format!("\tdkim=neutral reason=\"{reason}\"");
                    let found = message.matches(&result).count();
                    assert_eq!(found, times, "{tags} {way:?}: {message}");
                    let result = "\tdmarc=fail policy.dmarc=reject header.from=victim.example";
                    assert!(message.contains(result), "{tags} {way:?}: {message}");
                    assert!(message.contains("X-Quarantine: DMARC: "), "{tags} {way:?}: {message}");
                }
            }
        }
    }
}

/// Of several selectors, for each form of the signed field's name.
#[test]
fn a_blank_before_a_colon_adds_no_field_here_or_at_the_next_hop() {
    let mut stage = Stage::new(true, "");
    for selector in ["s", "a.b"] {
        let tags = format!(
            "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=victim.orphan; s={selector}; \
             h=from:from:subject:subject"
        );
        let header = "from:<a@victim.orphan>\r\nsubject:hello\r\n";
        let signature = sign(&tags, header, "hello\r\n");
        for name in ["Subject", "Subject ", "SUBJECT \t"] {
            let signed =
                format!("{signature}From: <a@victim.orphan>\r\n{name}: hello\r\n\r\nhello\r\n");
            for (added, passes) in ADDED {
                for way in WAYS {
                    let message = added.to_owned() + &signed;
                    let (reply, message) = stage.send("a@victim.example", &message, way);
                    assert!(reply.starts_with("250 "), "{selector} {added} {way:?}: {reply}");
                    let result = if passes {
                        format!("\tdkim=pass header.d=victim.orphan header.s={selector} ")
                    } else {
                        "\tdkim=fail reason=\"signature did not verify\" header.d=victim.orphan"
                            .into()
                    };
                    assert!(message.contains(&result), "{name:?} {added} {way:?}: {message}");
                    let found = message.contains("\tdmarc=pass policy.dmarc=reject");
                    // A second author fails with it.
                    assert_eq!(found, passes, "{name:?} {added} {way:?}: {message}");
                }
            }
        }
    }
}

/// Fields that are put before a signed message, and whether its signature holds then.
const ADDED: [(&str, bool); 5] = [
    ("", true),
    ("Comments: no harm\r\n", true),
    ("Subject: evil\r\n", false),
    ("Subject : evil\r\n", false),
    ("From \t: <evil@signed.test>\r\n", false),
];

fn check(message: &str, passes: bool) {
    let dkim = if passes {
        "\tdkim=pass header.d=signed.test header.s=s header.a=ed25519-sha256"
    } else {
        "\tdkim=fail reason=\"signature did not verify\" header.d=signed.test"
    };
    assert!(message.contains(dkim), "{message}");
    assert_eq!(message.contains("\tdmarc=pass policy.dmarc=reject"), passes, "{message}");
}

/// A message that is signed under `relaxed`, so that no second From or Subject may be added; its
/// subject's field is named as it says.
fn signed(subject: &str, name: &str) -> String {
    let tags = "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=signed.test; s=s; \
                h=from:from:subject:subject";
    let header = format!("from:<a@signed.test>\r\nsubject:{subject}\r\n");
    sign(tags, &header, "hello\r\n") + &plain(subject).replace("Subject", name)
}

fn plain(subject: &str) -> String {
    format!("From: <a@signed.test>\r\nSubject: {subject}\r\n\r\nhello\r\n")
}

/// Sends a message as `a@signed.test`, whose SPF fails; returns the last reply.
fn deliver(gateway: &Gateway, domain: &str, message: &str, chunked: bool) -> String {
    let mut smtp = Dialogue::connect(gateway.port());
    assert!(smtp.reply().starts_with("220 "));
    assert!(smtp.say("EHLO client.test").starts_with("250"));
    assert!(smtp.say("MAIL FROM:<a@signed.test>").starts_with("250 "));
    assert!(smtp.say(&format!("RCPT TO:<ann@{domain}>")).starts_with("250 "));
    if chunked {
        // In two pieces, cut within the header.
        let (first, second) = message.split_at(message.len().min(20));
        smtp.send(format!("BDAT {}\r\n{first}", first.len()).as_bytes());
        assert!(smtp.reply().starts_with("250 "));
        smtp.send(format!("BDAT {} LAST\r\n{second}", second.len()).as_bytes());
        return smtp.reply();
    }
    assert!(smtp.say("DATA").starts_with("354 "));
    smtp.send(format!("{message}.\r\n").as_bytes());
    smtp.reply()
}
