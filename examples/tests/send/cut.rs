//! Connections that end after each reply: no message is lost, and none is told twice.

use super::fallback::Servers;
use super::program::tlsa;
use super::server::{Behaviour, Tls};

/// The replies of a whole session: banner, EHLO, MAIL, RCPT, DATA, the message, and QUIT; with TLS two more.
const REPLIES: [(Tls, usize); 2] = [(Tls::No, 7), (Tls::Good, 9)];

#[test]
fn a_message_counts_as_delivered_by_its_last_reply_only() {
    for (tls, replies) in REPLIES {
        for left in 0..=replies {
            let behaviour = Behaviour { tls, replies: left, ..Behaviour::default() };
            let servers = Servers::start(&[behaviour]);
            let outcome = servers.send(&servers.zone(None), "tls_tempfail_tryclear = false", &[]);
            let outcome = outcome.outcome();
            let taken = servers.messages() == [1];
            // Without the reply to QUIT it has been taken all the same.
            assert_eq!(taken, left + 1 >= replies, "{tls:?} {left}");
            let result = if taken { "delivered" } else { "deferred" };
            assert_eq!(outcome["result"], result, "{tls:?} {left}: {outcome}");
            // The host and the cause are told, wherever it ended.
            assert!(outcome["host"].as_str().is_some_and(|host| !host.is_empty()), "{outcome}");
            let reason = outcome["reason"].as_str().unwrap_or_default();
            assert!(taken || !reason.is_empty() && reason != "no host is left", "{outcome}");
        }
    }
}

#[test]
fn the_next_host_gets_what_the_first_one_cannot_have() {
    for (tls, replies) in REPLIES {
        for left in 0..replies {
            let cut = Behaviour { tls, replies: left, ..Behaviour::default() };
            let servers = Servers::start(&[cut, Behaviour::default()]);
            let record = tlsa(&servers.identity);
            let zone = servers.zone((tls == Tls::Good).then_some(&*record));
            let outcome = servers.send(&zone, "", &[]).outcome();
            // Before the last reply to the message, the first one may have it: nobody else gets it now.
            let in_doubt = left + 2 == replies;
            let result = if in_doubt { "deferred" } else { "delivered" };
            assert_eq!(outcome["result"], result, "{tls:?} {left}: {outcome}");
            let taken: usize = servers.messages().iter().sum();
            assert_eq!(taken, usize::from(!in_doubt), "{tls:?} {left}");
        }
    }
}

#[test]
fn a_refused_message_is_returned_and_a_deferred_one_is_not() {
    for (last, result, status) in
        [("550 5.7.1 not this", "failed", 69), ("451 4.3.0 not now", "deferred", 75)]
    {
        let servers = Servers::start(&[Behaviour { last, ..Behaviour::default() }]);
        let sent = servers.send(&servers.zone(None), "", &[]);
        let outcome = sent.outcome();
        assert_eq!(outcome["result"], result, "{outcome}");
        assert_eq!(outcome["reply"], last);
        assert_eq!(sent.status, status);
    }
}
