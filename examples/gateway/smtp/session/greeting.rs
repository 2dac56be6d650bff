//! `HELO`, `EHLO` and `STARTTLS`: the name of the client, and the extensions offered.

use std::net::Ipv6Addr;

use mail_types::smtp::{EnhancedCode, MailHost, Reply, ReplyCode};

use super::{Question, Session, SessionState};
use crate::gateway::smtp::command::without_last_dot;
use crate::gateway::smtp::command_error::Shown;
use crate::gateway::smtp::replies::{say, unsynchronized, wrong_argument};

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
    pub(super) fn greet(&mut self, name: &str, extended: bool) {
        let name = without_last_dot(name);
        if !self.junk_helo && !is_host(name) {
            let verb = if extended { "EHLO" } else { "HELO" };
            let shown = Shown::new(name);
            let text = format!("{verb}: {shown} is neither a domain nor an address in brackets");
            return self.error(&wrong_argument(&text));
        }
        let name = name.to_owned();
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
                "STARTTLS: not offered",
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
