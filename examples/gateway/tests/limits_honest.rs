//! Honest clients with much mail: each of their messages arrives, though refusals are counted.

use super::gateway::{Client, Running};

const COUNTED: &str = "event_action = ''\nstore = 'discard'\nsmtp_max_refused_hosts = '*'\n";

async fn greeted(running: &Running) -> Client {
    let mut client = running.client().await;
    client.say("EHLO c.example").await;
    client
}

/// Sends one message to as many of these as are taken, their commands in one pipeline; returns those
/// who are to get another.
async fn send(client: &mut Client, recipients: Vec<String>) -> Vec<String> {
    let commands = recipients.iter().map(|to| format!("RCPT TO:<{to}>\r\n"));
    let commands = "MAIL FROM:<a@b.example>\r\n".to_owned() + &commands.collect::<String>();
    client.raw(commands.as_bytes()).await;
    assert!(client.reply().await.starts_with("250"));
    let mut left = Vec::new();
    for recipient in recipients {
        let reply = client.reply().await;
        if reply.starts_with("45") {
            left.push(recipient);
        } else {
            assert!(reply.starts_with("250"), "{recipient}: {reply}");
        }
    }
    assert!(client.say("DATA").await.starts_with("354"));
    assert!(client.say("a: b\r\n\r\nc\r\n.").await.starts_with("250"));
    left
}

fn recipients(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("r{number}@example.com")).collect()
}

#[tokio::test]
async fn fifteen_hundred_recipients_in_one_pipeline() {
    let running = Running::start(COUNTED).await;
    let mut client = greeted(&running).await;
    let left = send(&mut client, recipients(1500)).await;
    assert_eq!(left.len(), 500);
    assert!(send(&mut client, left).await.is_empty());
    client.quit().await;
    running.end().await;
}

#[tokio::test]
async fn thirty_recipients_of_thirty_content_filters() {
    let rule = "\n[[acl_smtp_rcpt]]\nverb = 'warn'\nprofile = '$local_part'\n";
    let running = Running::start(&format!("{COUNTED}{rule}")).await;
    let mut client = greeted(&running).await;
    let (mut left, mut messages) = (recipients(30), 0);
    while !left.is_empty() {
        left = send(&mut client, left).await;
        messages += 1;
    }
    assert_eq!(messages, 30);
    client.quit().await;
    running.end().await;
}

#[tokio::test]
async fn fifty_recipients_who_are_put_off_beside_one_who_is_not() {
    let rule = "\n[[acl_smtp_rcpt]]\nverb = 'defer'\nlocal_parts = '!r50 : *'\n";
    let running = Running::start(&format!("{COUNTED}{rule}")).await;
    let mut client = greeted(&running).await;
    assert_eq!(send(&mut client, recipients(51)).await, recipients(50));
    // Each in a transaction of its own.
    for recipient in recipients(50) {
        client.say("MAIL FROM:<a@b.example>").await;
        assert!(client.say(&format!("RCPT TO:<{recipient}>")).await.starts_with("451"));
        assert!(client.say("RSET").await.starts_with("250"));
    }
    assert!(send(&mut client, vec!["r50@example.com".to_owned()]).await.is_empty());
    client.quit().await;
    running.end().await;
}
