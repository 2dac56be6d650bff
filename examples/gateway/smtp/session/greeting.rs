//! `HELO`, `EHLO` and `STARTTLS`: the name of the client, and the extensions offered.

use std::net::Ipv6Addr;

use mail_types::smtp::{EnhancedCode, MailHost, Reply, ReplyCode};

use super::{Question, Session, SessionState};
use crate::gateway::smtp::replies::{say, unsynchronized};

/// The client's greeting.
#[derive(Clone, Debug, Default)]
pub struct Greeting {
    /// The argument of `HELO` or `EHLO`; empty before either.
    pub name: String,
    /// Whether it was `EHLO`.
    pub extended: bool,
    /// Whether TLS is on.
    pub tls: bool,
}

impl Session {
    pub(super) fn greet(&mut self, mut name: String, extended: bool) {
        // A trailing dot makes the name absolute; it is the same name.
        if name.len() > 1 && name.ends_with('.') && !name.ends_with("..") {
            name.pop();
        }
        if !self.junk_helo && !is_host(&name) {
            return self.error(&say(
                ReplyCode::ARGUMENT_ERROR,
                EnhancedCode::of::<5, 5, 4>(),
                "invalid domain or address",
            ));
        }
        self.counts.greetings = self.counts.greetings.saturating_add(1);
        self.offered = Some(Greeting { name, extended, tls: self.greeting.tls });
        self.state = SessionState::Deciding(Question::Greeting);
    }

    /// Replies to the offered greeting. One that is refused leaves the session as it was (RFC 5321 section 4.1.4).
    pub(super) fn greeted(&mut self, reply: &Reply, is_accepted: bool) {
        let Some(greeting) = self.offered.take().filter(|_| is_accepted) else {
            return self.answer(reply);
        };
        let settings = &self.settings;
        let text = format!("{} greets {}", settings.primary_hostname, greeting.name);
        let mut reply = Reply::new(ReplyCode::OK, &text);
        if greeting.extended {
            let size = format!("SIZE {}", settings.message_size_limit);
            let offers =
                [&size, "8BITMIME", "SMTPUTF8", "PIPELINING", "CHUNKING", "ENHANCEDSTATUSCODES"];
            reply = offers.iter().fold(reply, |reply, offer| reply.with_line(offer));
            if settings.prdr_enable {
                reply = reply.with_line(prdr::KEYWORD);
            }
            if settings.tls_advertise && !greeting.tls {
                reply = reply.with_line("STARTTLS");
            }
            if greeting.tls {
                // RFC 8689 section 2: only inside TLS.
                reply = reply.with_line("REQUIRETLS");
            }
            reply = reply.with_line("HELP");
        }
        self.greeting = greeting;
        self.end_transaction(&reply);
    }

    pub(super) fn start_tls(&mut self) {
        if !self.settings.tls_advertise || self.greeting.tls {
            return self.error(&say(
                ReplyCode::NOT_IMPLEMENTED,
                EnhancedCode::of::<5, 5, 1>(),
                "TLS not offered",
            ));
        }
        if !self.input.is_empty() {
            return self.violate(&unsynchronized()); // Input sent in clear text must not count as TLS.
        }
        self.answer(&say(ReplyCode::READY, EnhancedCode::SUCCESS, "go ahead"));
        self.state = SessionState::Handshake;
    }
}

/// Tells whether a client may use this name: a domain, or an address in brackets. Many clients omit
/// the tag of an IPv6 address.
fn is_host(name: &str) -> bool {
    let untagged = || {
        let address = name.strip_prefix('[')?.strip_suffix(']')?;
        address.parse::<Ipv6Addr>().ok()
    };
    name.parse::<MailHost>().is_ok() || untagged().is_some()
}
