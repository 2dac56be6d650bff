//! The surroundings of texts about a host to which mail goes.

use std::net::SocketAddr;
use std::time::Duration;

use event_expand::{Ask, Variables};
use mail_types::exim::{Trust, Value, Variable};

use super::surroundings::{Answer, Surroundings, answer};
use super::text_log::TextLog;
use crate::gateway::events::outgoing_tls::OutgoingTls;
use crate::gateway::lookups::asking::Answers;

/// A host to which mail goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutgoingHost<'a> {
    /// This host's name.
    pub(crate) primary_hostname: &'a str,
    /// The domain of the recipient.
    pub(crate) domain: &'a str,
    pub(crate) host: &'a str,
    /// Once it is known.
    pub(crate) address: Option<SocketAddr>,
    pub(crate) tls: &'a OutgoingTls,
}

impl Variables for OutgoingHost<'_> {
    fn variable(&self, name: &str) -> Variable<'_> {
        let untrusted = |text: String| Value::new(text.into_bytes(), Trust::Untrusted);
        let value = match name {
            "primary_hostname" => Some(Value::trusted(self.primary_hostname)),
            "domain" => Some(untrusted(self.domain.to_owned())),
            "host" => Some(untrusted(self.host.to_owned())),
            "host_address" => self.address.map(|address| untrusted(address.ip().to_string())),
            "host_port" => self.address.map(|address| untrusted(address.port().to_string())),
            _ => return self.tls.variable(name),
        };
        value.map_or(Variable::Unset, Variable::Value)
    }

    fn certificate(&self, name: &str) -> Option<&[u8]> {
        self.tls.certificate(name)
    }
}

/// The environment of an expansion about another host.
pub(crate) struct Outgoing<'a> {
    host: OutgoingHost<'a>,
    lookups: &'a dyn Answers,
    log: TextLog,
}

impl<'a> Outgoing<'a> {
    pub(crate) fn new(host: OutgoingHost<'a>, lookups: &'a dyn Answers) -> Self {
        Self { host, lookups, log: TextLog::default() }
    }

    /// Returns the TLS of the host.
    pub(crate) fn tls(&self) -> &OutgoingTls {
        self.host.tls
    }

    /// Takes the lines for the log.
    pub(crate) fn take_log(&mut self) -> Vec<String> {
        self.log.take()
    }
}

impl Variables for Outgoing<'_> {
    fn variable(&self, name: &str) -> Variable<'_> {
        self.host.variable(name)
    }

    fn certificate(&self, name: &str) -> Option<&[u8]> {
        self.host.certificate(name)
    }
}

impl Surroundings for Outgoing<'_> {
    fn answer<'a>(&'a mut self, request: &'a Ask, spent: Duration) -> Answer<'a> {
        answer(self, self.lookups, request, spent)
    }

    fn log(&mut self) -> &mut TextLog {
        &mut self.log
    }
}

/// Tells whether there is such a variable.
pub(super) fn is_variable(name: &str) -> bool {
    variables().any(|known| known == name)
}

/// Returns the names of all.
pub(super) fn variables() -> impl Iterator<Item = &'static str> {
    let others = OF_HOST.iter().chain(OutgoingTls::VARIABLES).copied();
    ["primary_hostname"].into_iter().chain(others)
}

/// Tells whether the values of a variable come from outside.
pub(super) fn is_untrusted(name: &str) -> bool {
    OF_HOST.contains(&name) || OutgoingTls::UNTRUSTED.contains(&name)
}

pub(crate) const OF_HOST: &[&str] = &["domain", "host", "host_address", "host_port"];
