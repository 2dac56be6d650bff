//! The reload of the configuration of a running gateway.

use std::time::Duration;

use super::gateway::Running;
use crate::gateway::config::Config;

/// Waits until new connections have this banner.
async fn has_banner(gateway: &Running, banner: &str) -> bool {
    for _ in 0..1000 {
        let stream = tokio::net::TcpStream::connect(gateway.address).await.unwrap();
        let mut line = vec![0; 200];
        stream.readable().await.unwrap();
        let length = stream.try_read(&mut line).unwrap_or(0);
        line.truncate(length);
        if String::from_utf8_lossy(&line).contains(banner) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

fn options(banner: &str, recipients: &str) -> String {
    format!(
        "smtp_banner = '{banner}'\nevent_action = ''\n\
         [[acl_smtp_rcpt]]\nverb = 'deny'\nrecipients = '{recipients}'\n"
    )
}

fn text(options: &str) -> String {
    format!(
        "primary_hostname = 'gw.example'\nlocal_interfaces = '127.0.0.1.0'\nhost_lookup = ''\n\
         local_domains = 'example.com'\n{options}"
    )
}

#[tokio::test]
async fn new_connections_have_the_new_configuration_and_others_the_old() {
    let gateway = Running::start(&options("one", "a@example.com")).await;
    let mut old = gateway.client().await;
    let said = old.say("EHLO c.example").await;
    assert!(said.starts_with("250"), "{said}");

    gateway.reload(&text(&options("two", "b@example.com"))).await;
    assert!(has_banner(&gateway, "two").await);
    let mut new = gateway.client().await;
    for (client, refused, taken) in
        [(&mut old, "a@example.com", "b@example.com"), (&mut new, "b@example.com", "a@example.com")]
    {
        client.say("EHLO c.example").await;
        client.say("MAIL FROM:<s@other.example>").await;
        let reply = client.say(&format!("RCPT TO:<{refused}>")).await;
        assert!(reply.starts_with("550"), "{reply}");
        let reply = client.say(&format!("RCPT TO:<{taken}>")).await;
        assert!(reply.starts_with("250"), "{reply}");
    }
    old.quit().await;
    new.quit().await;
    gateway.end().await;
}

#[tokio::test]
async fn a_configuration_with_an_error_changes_nothing() {
    let gateway = Running::start(&options("one", "a@example.com")).await;
    for wrong in ["smtp_banner = ", "no_such_option = 1", "[[acl_smtp_rcpt]]\nverb = 'no'\n"] {
        assert!(Config::parse(&text(wrong)).is_err(), "{wrong}");
        gateway.reload(&text(wrong)).await;
    }
    // A file that is emptied before it is written is not a configuration without options.
    for empty in ["", "\n \n"] {
        gateway.reload(empty).await;
    }
    assert!(has_banner(&gateway, "one").await);
    // The next one comes after them.
    gateway.reload(&text(&options("three", "b@example.com"))).await;
    assert!(has_banner(&gateway, "three").await);
    gateway.end().await;
}
