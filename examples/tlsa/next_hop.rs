//! A next hop as it is written, and the decision about it.

use std::error::Error;
use std::fmt::{Display, Write as _};
use std::net::{AddrParseError, IpAddr};

use clap::ValueEnum;
use dane_tlsa::mail_types::dns::Name;
use dane_tlsa::mail_types::exim::{HostSet, List};
use dane_tlsa::mail_types::smtp::MailHost;
use dane_tlsa::{Decision, InsecureMx, MtaSts, NextHop, Policy, PolicyOptions};
use examples::cases::dns::DnsEntry;
use examples::cases::host_outcome::HostOutcome;
use examples::cases::shown::Shown;
use examples::cases::trace::{self, TraceLine};
use examples::cases::typed_name;
use serde::{Deserialize, Serialize};

/// A next hop, as it is written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) next_hop: String,
    #[serde(default)]
    pub(crate) kind: Kind,
    /// Of the kind `hosts`: the hosts, the first to be tried first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) hosts: Vec<String>,
    #[serde(default = "smtp")]
    pub(crate) port: u16,
    #[serde(default)]
    pub(crate) mode: Mode,
    #[serde(default)]
    pub(crate) insecure_mx: InsecureMxMode,
    #[serde(default)]
    pub(crate) mta_sts: MtaStsMode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hosts_try_dane: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hosts_require_dane: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) dns: Option<Vec<DnsEntry>>,
}

fn smtp() -> u16 {
    25
}

/// The kind of a next hop.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A domain, with MX records or without
    #[default]
    Domain,
    /// A host that the administrator has configured
    Relay,
    /// A domain whose hosts the administrator has configured, instead of its MX records
    Hosts,
    /// An address
    Literal,
}

/// Whether DANE is a must.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// Where there are TLSA records
    #[default]
    Try,
    /// Without it, mail is deferred
    Require,
}

/// The treatment of hosts from MX records without DNSSEC.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum InsecureMxMode {
    /// Their TLSA records are not looked up
    #[default]
    Off,
    /// Their TLSA records are used
    Dane,
}

/// The MTA-STS policy of the domain.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MtaStsMode {
    /// Nothing
    #[default]
    None,
    /// The mode of its policy is testing
    Testing,
    /// The mode of its policy is enforce
    Enforce,
}

impl Case {
    pub(crate) fn policy(&self) -> Result<Policy, Box<dyn Error>> {
        if self.port == 0 {
            return Err("port: 0 is not the port of a server".into());
        }
        let insecure_mx = match self.insecure_mx {
            InsecureMxMode::Off => InsecureMx::Off,
            InsecureMxMode::Dane => InsecureMx::Dane,
        };
        let mta_sts = match self.mta_sts {
            MtaStsMode::None => MtaSts::None,
            MtaStsMode::Testing => MtaSts::Testing,
            MtaStsMode::Enforce => MtaSts::Enforce,
        };
        let mut options = PolicyOptions::default()
            .with_required(self.mode == Mode::Require)
            .with_insecure_mx(insecure_mx)
            .with_mta_sts(mta_sts);
        if let Some(text) = &self.hosts_try_dane {
            options.hosts_try_dane = host_set("hosts_try_dane", text)?;
        }
        if let Some(text) = &self.hosts_require_dane {
            options.hosts_require_dane = host_set("hosts_require_dane", text)?;
        }
        Ok(Policy::new(self.next_hop()?, self.port).with_options(options))
    }

    fn next_hop(&self) -> Result<NextHop, String> {
        let text = self.next_hop.as_str();
        let name = || name("next_hop", text);
        let literal = address(text);
        if !self.hosts.is_empty() && self.kind != Kind::Hosts {
            return Err("hosts: only a next hop of the kind hosts has them".to_owned());
        }
        Ok(match self.kind {
            Kind::Domain => match literal {
                // A mail address may have one in place of a domain.
                Ok(address) => NextHop::Literal(address),
                Err(_) => NextHop::Domain(name()?),
            },
            Kind::Relay => NextHop::Relay(name()?),
            Kind::Hosts if self.hosts.is_empty() => {
                return Err("hosts: a next hop of the kind hosts needs at least one".to_owned());
            }
            Kind::Hosts => {
                let hosts = self.hosts.iter().map(|host| self::name("hosts", host));
                NextHop::Hosts { domain: name()?, hosts: hosts.collect::<Result<_, _>>()? }
            }
            Kind::Literal => {
                NextHop::Literal(literal.map_err(|error| wrong("next_hop", text, &error))?)
            }
        })
    }
}

/// Reads an address, or an address literal as in a mail address.
fn address(text: &str) -> Result<IpAddr, AddrParseError> {
    match text.parse() {
        Ok(MailHost::Address(address)) => Ok(address),
        _ => text.parse(),
    }
}

fn name(field: &str, text: &str) -> Result<Name, String> {
    typed_name::host(text).map_err(|error| wrong(field, text, &error))
}

fn host_set(field: &str, text: &str) -> Result<HostSet, String> {
    HostSet::new(List::new(text)).map_err(|error| wrong(field, text, &error))
}

fn wrong(field: &str, text: &str, error: &dyn Display) -> String {
    format!("{field} {text:?}: {error}")
}

/// The result.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Outcome {
    /// The action for the message, if no host can be tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hosts: Option<Vec<HostOutcome>>,
    /// The result type of a report (RFC 8460), where it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<usize>,
    /// The line of the case, if it came from standard input and could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trace: Vec<TraceLine>,
}

impl Outcome {
    pub(crate) fn wrong(error: &str, at: usize) -> Self {
        Self { error: Some(error.to_owned()), at: Some(at), ..Self::default() }
    }

    /// Adds the line of a case that could not be read.
    pub(crate) fn on_line(self, line: usize) -> Self {
        Self { line: self.error.is_some().then_some(line), ..self }
    }

    pub(crate) fn new(policy: &Policy, decision: &Decision) -> Self {
        let (action, reason) = match decision {
            Decision::Hosts(hosts) => {
                let hosts = hosts.iter().map(HostOutcome::new).collect();
                return Self { hosts: Some(hosts), ..Self::default() };
            }
            Decision::Defer(reason) => ("defer-message", reason.to_string()),
            Decision::Bounce(reason) => ("bounce", reason.to_string()),
        };
        let failure = policy.failure(decision).map(|failure| failure.result.as_str());
        Self { action: Some(action), reason: Some(reason), failure, ..Self::default() }
    }

    pub(crate) fn with_trace(self, trace: Vec<TraceLine>) -> Self {
        Self { trace, ..self }
    }
}

impl Shown for Outcome {
    fn is_sound(&self) -> bool {
        self.hosts.iter().flatten().any(HostOutcome::is_tried)
    }

    fn text(&self) -> Vec<u8> {
        let mut text = String::new();
        for host in self.hosts.iter().flatten() {
            host.write(&mut text);
        }
        if let (Some(action), Some(reason)) = (self.action, &self.reason) {
            let _ = writeln!(text, "{action}: {reason}");
        }
        if let Some(failure) = self.failure {
            let _ = writeln!(text, "  {:<10} {failure}", "report");
        }
        if let Some(error) = &self.error {
            let line = self.line.map(|line| format!("line {line}: ")).unwrap_or_default();
            let _ = writeln!(text, "malformed: {line}{error}");
        }
        text.push_str(&trace::text(&self.trace));
        text.into_bytes()
    }
}
