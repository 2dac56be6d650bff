//! What the next hop is told of a message, and what it gets.

use super::gateway::Running;
use super::relay::{Then, next_hop};

/// The replies to the connection, EHLO, MAIL, RCPT, DATA and the message.
fn replies(size: &str) -> Vec<String> {
    let ehlo = format!("250-next.example\r\n250 SIZE{size}\r\n");
    let all = ["220 next\r\n", &ehlo, "250 s\r\n", "250 r\r\n", "354 go\r\n", "250 q\r\n"];
    all.map(str::to_owned).to_vec()
}

/// RFC 1870 section 6: the number is that of what is sent, with `Received` and the other fields added here.
#[tokio::test]
async fn the_size_counts_the_fields_that_are_added() {
    for (limit, given, told, code) in [
        ("", " SIZE=100", " SIZE=1124", "250 "),
        ("", "", "", "250 "),
        ("", " SIZE=0", "", "250 "),
        (" 2000", " SIZE=976", " SIZE=2000", "250 "),
        (" 2000", " SIZE=977", "", "552 5.3.4 message too large for the next hop"),
    ] {
        let (hop, task) = next_hop(replies(limit)[..4].to_vec(), Then::Listen).await;
        let running = Running::start(&Running::relaying(hop, "")).await;
        let mut client = running.client().await;
        client.say("EHLO c.example").await;
        client.say(&format!("MAIL FROM:<a@c.example>{given}")).await;
        let reply = client.say("RCPT TO:<ann@next.example>").await;
        assert!(reply.starts_with(code), "{limit}{given}: {reply}");
        client.quit().await;
        running.end().await;
        let sent = task.await.unwrap();
        let mail = sent.lines().find(|line| line.starts_with("MAIL"));
        let expected = format!("MAIL FROM:<a@c.example>{told}");
        assert_eq!(mail, code.starts_with("250").then_some(&*expected), "{limit}{given}");
    }
}

/// RFC 5321 sections 4.1.1.4 and 4.5.3.1: any of the ASCII codes, and lines of any length.
#[tokio::test]
async fn long_lines_and_nul_are_passed_on_as_they_are() {
    let body = format!("{}\r\na\0b\0\r\n\0.\r\n", "x".repeat(5000));
    for bdat in [false, true] {
        let (hop, task) = next_hop(replies(""), Then::Listen).await;
        let running = Running::start(&Running::relaying(hop, "")).await;
        let mut client = running.client().await;
        client.say("EHLO c.example").await;
        client.say("MAIL FROM:<a@c.example>").await;
        client.say("RCPT TO:<ann@next.example>").await;
        let text = format!("Subject: x\r\n\r\n{body}");
        let reply = if bdat {
            client.raw(format!("BDAT {} LAST\r\n{text}", text.len()).as_bytes()).await;
            client.reply().await
        } else {
            client.say("DATA").await;
            client.say(&format!("{text}.")).await
        };
        assert!(reply.starts_with("250 "), "{reply}");
        client.quit().await;
        running.end().await;
        assert!(task.await.unwrap().contains(&format!("\r\n\r\n{body}.\r\n")));
    }
}
