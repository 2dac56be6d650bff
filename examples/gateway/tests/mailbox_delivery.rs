//! Deliveries of a whole gateway into the Maildirs of recipients, and into quarantine.

use std::fs;
use std::path::Path;

use super::gateway::{Client, Running};

/// Returns the messages under `new`, in the order of their names.
fn messages(maildir: &Path) -> Vec<String> {
    let entries = fs::read_dir(maildir.join("new")).into_iter().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

/// Sends a message by PRDR; returns the replies at its end.
async fn send_by_prdr(client: &mut Client, recipients: &[&str]) -> Vec<String> {
    client.say("EHLO client.example").await;
    client.say("MAIL FROM:<ann@client.example> PRDR").await;
    for recipient in recipients {
        assert!(client.say(&format!("RCPT TO:<{recipient}>")).await.starts_with("250"));
    }
    client.say("DATA").await;
    let mut replies = vec![client.say("Subject: a\r\n\r\nb\r\n.").await];
    if replies[0].starts_with("353") {
        for _ in 0..=recipients.len() {
            replies.push(client.reply().await);
        }
    }
    replies
}

/// A gateway whose options name its folder as `DIR`.
async fn start(options: &str) -> Running {
    let scratch = super::scratch::Scratch::new();
    super::gateway::make_table(scratch.path());
    let folder = scratch.path().display().to_string();
    Running::start_in(scratch, &options.replace("DIR", &folder)).await
}

#[tokio::test]
async fn each_recipient_has_its_own_file() {
    let running = start("maildir = 'DIR/each/$domain/$local_part'").await;
    let mut client = running.client().await;
    let recipients =
        ["ann@example.com", "\"../x\"@example.com", "a/b@example.com", "bob@example.com"];
    client.say("EHLO client.example").await;
    client.say("MAIL FROM:<ann@client.example>").await;
    for recipient in recipients {
        let reply = client.say(&format!("RCPT TO:<{recipient}>")).await;
        let expected =
            if recipient.contains('/') { "550 5.1.1 no such mailbox here" } else { "250" };
        assert!(reply.starts_with(expected), "{recipient}: {reply}");
    }
    client.say("DATA").await;
    let reply = client.say("Subject: a\r\n\r\nb\r\n.").await;
    assert!(reply.starts_with("250 2.0.0 OK id="), "{reply}");
    client.quit().await;
    let scratch = running.end().await;
    let folder = scratch.path().join("each/example.com");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    for name in ["ann", "bob"] {
        let [message] = &messages(&folder.join(name))[..] else { panic!("{name}") };
        let begin = format!(
            "Return-Path: <ann@client.example>\r\nDelivered-To: {name}@example.com\r\nReceived: "
        );
        assert!(message.starts_with(&begin), "{message}");
        assert!(message.contains(&format!("for <{name}@example.com>;")), "{message}");
        assert!(message.ends_with("\r\nSubject: a\r\n\r\nb\r\n"), "{message}");
        let others = ["ann", "bob"].map(|other| message.contains(&format!("{other}@example.com")));
        assert_eq!(others, [name == "ann", name == "bob"], "{message}");
    }
    assert!(messages(&scratch.path().join("maildir")).is_empty());
}

/// A file is in the place of bob's Maildir.
#[tokio::test]
async fn a_maildir_that_fails_defers_all_or_with_prdr_its_recipient() {
    let running = start("maildir = 'DIR/each/$local_part'\nprdr_enable = true").await;
    let folder = running.scratch.path().join("each");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("bob"), "").unwrap();
    let mut client = running.client().await;
    let all = ["ann@example.com", "bob@example.com", "carl@example.com"];
    let reply = client.send(&all, "").await;
    assert_eq!(reply, "451 4.3.0 cannot store the message, try again later");
    let count = |name: &str| messages(&folder.join(name)).len();
    assert_eq!((count("ann"), count("carl")), (0, 0));

    let replies = send_by_prdr(&mut client, &all).await;
    let codes: Vec<_> = replies.iter().map(|reply| &reply[..3]).collect();
    assert_eq!(codes, ["353", "250", "451", "250", "250"], "{replies:?}");
    assert_eq!((count("ann"), count("carl")), (1, 1));
    let replies = send_by_prdr(&mut client, &["bob@example.com"]).await;
    assert!(replies.len() == 1 && replies[0].starts_with("451"), "{replies:?}");
    fs::remove_file(folder.join("bob")).unwrap();
    let replies = send_by_prdr(&mut client, &["bob@example.com"]).await;
    assert!(replies.len() == 1 && replies[0].starts_with("250"), "{replies:?}");
    assert_eq!(count("bob"), 1);
    client.quit().await;
    running.end().await;
}

/// With PRDR, the rules on the message as a whole come before the delivery.
#[tokio::test]
async fn a_message_that_is_refused_as_a_whole_is_delivered_to_nobody() {
    let rule = "\n[[acl_smtp_data]]\nverb = 'deny'";
    let running =
        start(&format!("maildir = 'DIR/each/$local_part'\nprdr_enable = true{rule}")).await;
    let mut client = running.client().await;
    let replies = send_by_prdr(&mut client, &["ann@example.com", "bob@example.com"]).await;
    assert!(replies.last().unwrap().starts_with("550"), "{replies:?}");
    assert!(!running.scratch.path().join("each").exists());
    client.quit().await;
    running.end().await;
}

const LOTTERY: &str = "\n[[acl_smtp_data]]\nverb = 'quarantine'\nlog_message = 'a lottery'";

#[tokio::test]
async fn quarantine_is_a_folder_of_the_maildir() {
    for (options, places) in [
        ("maildir = 'DIR/mail'", &["mail/.Quarantine"][..]),
        ("", &["maildir/.Quarantine"]),
        ("maildir = 'DIR/mail'\nquarantine_maildir = 'DIR/held'", &["held"]),
        ("quarantine_maildir = 'DIR/held/$local_part'", &["held/ann", "held/bob"]),
        ("maildir = 'DIR/each/$local_part'", &["each/ann/.Quarantine", "each/bob/.Quarantine"]),
        ("maildir = 'DIR/each/$local_part'\nquarantine_maildir = 'DIR/held'", &["held"]),
    ] {
        let running = start(&format!("{options}{LOTTERY}")).await;
        let mut client = running.client().await;
        let reply = client.send(&["ann@example.com", "bob@example.com"], "").await;
        assert!(reply.starts_with("250 2.0.0 OK id="), "{options}: {reply}");
        let folder = running.scratch.path();
        for place in places {
            let [message] = &messages(&folder.join(place))[..] else {
                panic!("{options}: {place}")
            };
            assert!(message.contains("\r\nX-Quarantine: a lottery\r\n"), "{message}");
            let to = place.split('/').find(|name| matches!(*name, "ann" | "bob"));
            let field = to.map(|name| format!("\r\nDelivered-To: {name}@example.com\r\n"));
            assert_eq!(message.contains("Delivered-To: "), field.is_some(), "{message}");
            assert!(field.is_none_or(|field| message.contains(&field)), "{message}");
            let mark = folder.join(place).join("maildirfolder").exists();
            assert_eq!(mark, place.ends_with(".Quarantine"), "{options}");
        }
        for inbox in ["maildir", "mail", "each/ann", "each/bob"] {
            assert!(messages(&folder.join(inbox)).is_empty(), "{options}: {inbox}");
        }
        client.quit().await;
        running.end().await;
    }
}

/// Those of Bcc are among them: a shared file names all on request only.
#[tokio::test]
async fn a_shared_file_does_not_name_its_recipients() {
    let all = ["ann@example.com", "bob@example.com"];
    for (options, recipients, fields) in [
        ("", &all[..1], "Delivered-To: ann@example.com\r\n"),
        ("", &all[..], ""),
        (
            "envelope_to_add = true",
            &all[..1],
            "Delivered-To: ann@example.com\r\nEnvelope-To: ann@example.com\r\n",
        ),
        ("envelope_to_add = true", &all, "Envelope-To: ann@example.com,\r\n\tbob@example.com\r\n"),
    ] {
        let running = start(options).await;
        let mut client = running.client().await;
        assert!(client.send(recipients, "").await.starts_with("250"));
        client.quit().await;
        let scratch = running.end().await;
        let [message] = &messages(&scratch.path().join("maildir"))[..] else { panic!("{options}") };
        let begin = format!("Return-Path: <ann@client.example>\r\n{fields}Received: ");
        assert!(message.starts_with(&begin), "{message}");
        assert_eq!(message.contains("bob@"), fields.contains("bob@"), "{message}");
    }
}

#[tokio::test]
async fn discarded_mail_has_no_quarantine() {
    let running = start(&format!("store = 'discard'{LOTTERY}")).await;
    let mut client = running.client().await;
    assert!(client.send(&["ann@example.com"], "").await.starts_with("250"));
    client.quit().await;
    let scratch = running.end().await;
    assert!(!scratch.path().join("maildir").exists());
}
