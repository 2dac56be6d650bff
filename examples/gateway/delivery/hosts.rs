//! The hosts of a next hop, and how mail to each is secured.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use dane_tlsa::{
    Action, Bounce, Decision, Failure, Host, HostPolicy, MtaSts, Policy, PolicyOptions, Skip,
};
use mail_types::dns::{
    Answer, DnssecStatus, Name, Note, Question, RecordType, Resolve, Resolving, run_cached,
};
use mail_types::exim::{HostSet, List};
use thiserror::Error;

use super::measure;
use super::mta_sts::StsPolicy;
use super::next_hop::{RouteData, RouteTo};
use super::remote::Remote;
use crate::gateway::events::delivery_attempt::{dane_failed, host_unused, no_address};
use crate::gateway::events::origin::Origin;

/// A search for the hosts of a next hop.
pub(crate) struct HostSearch<'a> {
    pub(crate) route: &'a RouteData,
    /// The name of this host, which gets no mail from itself.
    pub(crate) own: &'a Name,
    pub(crate) dnssec: Dnssec,
    pub(crate) options: PolicyOptions,
    pub(crate) sts: Option<&'a StsPolicy>,
    /// Answers of an earlier search, which are not asked for again.
    pub(crate) known: &'a [(Question, Arc<Answer>)],
    pub(crate) resolver: &'a dyn Resolve,
    pub(crate) time: Duration,
}

/// The use of DNSSEC for a next hop: `dnssec_request_domains` and `dnssec_require_domains`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Dnssec {
    /// Not requested: no answer counts as secure.
    Off,
    Requested,
    /// MX records and addresses that are not secure are not used.
    Required,
}

/// The hosts that were found, in the order of attempts.
#[derive(Debug)]
pub(crate) struct Hosts {
    pub(crate) port: u16,
    pub(crate) list: Vec<RemoteHost>,
    /// Whether DNSSEC or an MTA-STS policy says which hosts the next hop has.
    pub(crate) is_secure: bool,
    /// The answers by which they were found.
    pub(crate) answers: Vec<(Question, Arc<Answer>)>,
    /// The questions and answers.
    pub(crate) trace: Vec<Note>,
}

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct RemoteHost {
    pub(crate) policy: HostPolicy,
    /// Whether it was found by secure answers; `None` where DNSSEC was not requested, or nothing was asked.
    pub(crate) found_securely: Option<bool>,
    /// The policy with DANE, where it is for a report only.
    pub(crate) reported: Option<HostPolicy>,
    /// Why the host is not used.
    pub(crate) unused: Option<Unused>,
}

/// Why a host is not used now.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(crate) enum Unused {
    #[error(transparent)]
    Skip(#[from] Skip),
    #[error(
        "the addresses of the host are not secure by DNSSEC, which dnssec_require_domains demands"
    )]
    InsecureAddresses,
    #[error("the MTA-STS policy of the domain does not name the host")]
    NotInMtaSts,
}

/// Why a next hop has no hosts.
#[derive(Debug, Error)]
pub(crate) enum NoHosts {
    #[error("{reason}")]
    Deferred { reason: String, failure: Option<Box<Failure>> },
    #[error(transparent)]
    Bounced(#[from] Bounce),
    #[error("the MX records of the domain point to this host")]
    Loop,
    #[error("no host of the domain has an address")]
    NoAddress,
    #[error("an option of [remote_smtp] cannot be expanded now")]
    Undecided,
}

impl NoHosts {
    /// Counts a failure of DANE, and raises the events of a next hop without hosts.
    pub(crate) fn report(&self, next_hop: &str, remote: &Remote, origin: &Origin) {
        let uses_dane = remote.settings.lists.use_dane();
        match self {
            // Nothing was asked.
            Self::Undecided => return host_unused(origin, next_hop, &self.to_string(), true),
            Self::Deferred { failure: Some(failure), .. } if uses_dane => {
                measure::dane_failed(&remote.metrics, failure.result);
                dane_failed(origin, next_hop, None, failure.result);
            }
            _ => {}
        }
        no_address(origin, next_hop, &self.to_string());
    }

    /// Tells whether the message is to be returned.
    pub(crate) fn is_permanent(&self) -> bool {
        matches!(self, Self::Bounced(_) | Self::Loop | Self::NoAddress)
    }
}

impl HostSearch<'_> {
    /// Asks the DNS for the hosts.
    pub(crate) async fn run(&self) -> Result<Hosts, NoHosts> {
        let policy = Policy::new(self.route.next_hop(), self.route.port);
        let policy = policy.with_options(self.options.clone());
        let vouching = Vouching { resolver: self.resolver, dnssec: self.dnssec };
        let mut session = policy.session().traced();
        let known = |asked: &Question| {
            let mut known = self.known.iter();
            known.find(|(question, _)| question == asked).map(|(_, answer)| Arc::clone(answer))
        };
        let decision = run_cached(&mut session, &vouching, self.time, &known).await;
        let answers = AnswersOf(session.answers());
        let found = match decision {
            Decision::Hosts(hosts) => hosts,
            Decision::Defer(reason) => {
                let failure = policy.failure(&decision).map(Box::new);
                return Err(NoHosts::Deferred { reason: reason.to_string(), failure });
            }
            Decision::Bounce(reason) => return Err(reason.into()),
        };
        let is_secure = match &self.route.to {
            RouteTo::Domain(domain) => answers.is_secure(&Name::from(domain), RecordType::Mx),
            RouteTo::Host(_) | RouteTo::Address(_) => true,
        };
        if self.dnssec == Dnssec::Required && !is_secure {
            let reason =
                "the MX records are not secure by DNSSEC, which dnssec_require_domains demands";
            return Err(NoHosts::Deferred { reason: reason.to_owned(), failure: None });
        }
        let found = in_order(without(found, self.own)?);
        let hosts: Vec<_> =
            found.into_iter().map(|host| self.judge(host, &answers, is_secure)).collect();
        let has_none = |host: &RemoteHost| {
            matches!(host.unused, Some(Unused::Skip(Skip::NoAddress | Skip::AddressInMx)))
        };
        if hosts.iter().all(has_none) {
            return Err(NoHosts::NoAddress);
        }
        let is_secure = is_secure || self.sts.is_some_and(StsPolicy::is_enforced);
        Ok(Hosts {
            port: self.route.port,
            list: hosts,
            is_secure,
            answers: session.answers().to_vec(),
            trace: session.trace().to_vec(),
        })
    }

    /// `is_secure` is of the answer that names the host.
    fn judge(
        &self,
        mut policy: HostPolicy,
        answers: &AnswersOf<'_>,
        is_secure: bool,
    ) -> RemoteHost {
        let found_securely = match &policy.host {
            Host::Name(name) if self.dnssec != Dnssec::Off => {
                let mut kinds = policy.addresses.iter().copied().map(kind_of);
                Some(is_secure && kinds.all(|kind| answers.is_secure(name, kind)))
            }
            Host::Name(_) | Host::Address(_) => None,
        };
        if let (Dnssec::Required, Host::Name(name)) = (self.dnssec, &policy.host) {
            policy.addresses.retain(|address| answers.is_secure(name, kind_of(*address)));
        }
        let unused = match &policy.action {
            Action::Skip(skip) => Some(skip.clone().into()),
            _ if policy.addresses.is_empty() => Some(Unused::InsecureAddresses),
            _ if self.is_outside_sts(&policy) => Some(Unused::NotInMtaSts),
            _ => None,
        };
        RemoteHost { policy, found_securely, reported: None, unused }
    }

    /// Tells whether MTA-STS decides about the host and does not name it (RFC 8461 section 4.1).
    fn is_outside_sts(&self, policy: &HostPolicy) -> bool {
        let decides = match &policy.action {
            Action::MtaSts(_) => true,
            Action::Encrypt(encrypt) => encrypt.mta_sts,
            // Its MX record is not secure: who has forged that has a host with TLSA records too.
            Action::Dane(dane) if !dane.authenticates_next_hop => {
                self.sts.is_some_and(StsPolicy::is_enforced)
            }
            _ => false,
        };
        let Host::Name(name) = &policy.host else { return false };
        decides && !self.sts.is_some_and(|sts| sts.names(name))
    }
}

impl Hosts {
    /// Notes what DANE says of the hosts in `set`, for a report; they are used as without DANE.
    pub(super) fn report(&mut self, with_dane: &Self, set: &HostSet) {
        for host in &mut self.list {
            let policy = &host.policy;
            let name = match &policy.host {
                Host::Name(name) => Some(name),
                Host::Address(_) => None,
            };
            if policy.addresses.iter().any(|address| set.contains(*address, name)) {
                let same = |other: &&RemoteHost| other.policy.host == policy.host;
                host.reported = with_dane.list.iter().find(same).map(|host| host.policy.clone());
            }
        }
    }
}

/// The mode of an MTA-STS policy, for the choice of hosts.
pub(crate) fn mode(sts: Option<&StsPolicy>) -> MtaSts {
    match sts {
        Some(sts) if sts.is_enforced() => MtaSts::Enforce,
        Some(sts) if sts.is_testing() => MtaSts::Testing,
        _ => MtaSts::None,
    }
}

/// Returns the set of these hosts. A name that a list would not read, or read as something else, stands for the
/// addresses of its host.
///
/// # Errors
///
/// [`NoHosts::Undecided`]: a set without its hosts would leave them without DANE.
pub(crate) fn set_of<'a>(hosts: impl Iterator<Item = &'a HostPolicy>) -> Result<HostSet, NoHosts> {
    let is_plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_');
    let is_read = |name: &str| HostSet::new(List::new(name)).is_ok();
    let mut items = Vec::new();
    for host in hosts {
        let name = host.host.to_string();
        match &host.host {
            Host::Name(_) if name.bytes().all(is_plain) && is_read(&name) => items.push(name),
            _ => items.extend(host.addresses.iter().map(ToString::to_string)),
        }
    }
    // A list of IPv6 addresses needs another separator.
    let text = format!("<; {}", items.join(" ; "));
    HostSet::new(List::new(&text)).map_err(|_| NoHosts::Undecided)
}

/// Removes this host, and the hosts that are no better (RFC 5321 section 5.1).
fn without(mut hosts: Vec<HostPolicy>, own: &Name) -> Result<Vec<HostPolicy>, NoHosts> {
    let is_own = |host: &&HostPolicy| matches!(&host.host, Host::Name(name) if name == own);
    if let Some(best) = hosts.iter().find(is_own).map(|host| host.preference) {
        hosts.retain(|host| host.preference < best);
        if hosts.is_empty() {
            return Err(NoHosts::Loop);
        }
    }
    Ok(hosts)
}

/// Sorts by preference; hosts of the same one in random order (RFC 5321 section 5.1).
fn in_order(mut hosts: Vec<HostPolicy>) -> Vec<HostPolicy> {
    let random = RandomState::new();
    hosts.sort_by_cached_key(|host| (host.preference, random.hash_one(&host.host)));
    hosts
}

fn kind_of(address: IpAddr) -> RecordType {
    if address.is_ipv4() { RecordType::A } else { RecordType::Aaaa }
}

/// The answers of a search.
struct AnswersOf<'a>(&'a [(Question, Arc<Answer>)]);

impl AnswersOf<'_> {
    fn is_secure(&self, name: &Name, kind: RecordType) -> bool {
        let mut answers =
            self.0.iter().filter(|(asked, _)| asked.name == *name && asked.kind == kind);
        answers.any(|(_, answer)| match &**answer {
            Answer::Records { security, .. } | Answer::Absent { security, .. } => {
                *security == DnssecStatus::Secure
            }
            Answer::Failed(_) => false,
        })
    }
}

/// A resolver whose word for DNSSEC counts only where DNSSEC is requested.
struct Vouching<'a> {
    resolver: &'a dyn Resolve,
    dnssec: Dnssec,
}

impl Resolve for Vouching<'_> {
    fn answer(&self, question: Question, time: Duration) -> Resolving<'_> {
        let asked = self.resolver.answer(question, time);
        if self.dnssec != Dnssec::Off {
            return asked;
        }
        Box::pin(async move {
            let (question, mut answer) = asked.await;
            if let Answer::Records { security, .. } | Answer::Absent { security, .. } = &mut answer
            {
                *security = DnssecStatus::Indeterminate;
            }
            (question, answer)
        })
    }
}

impl fmt::Debug for HostSearch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostSearch").field("route", &self.route).finish_non_exhaustive()
    }
}
