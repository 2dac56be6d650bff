//! How mail to a next hop is secured: RFC 7672 section 2.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use mail_types::dns::{
    Answer, DnssecStatus, Inquiry, Known, Mx, Name, RecordType, Records, Session, Unanswered,
};

use crate::decision::{Bounce, Decision, Deferral};
use crate::host_addresses::HostAddresses;
use crate::host_policy::{Action, Dane, Encrypt, Host, HostPolicy, NoDane, Skip};
use crate::next_hop::NextHop;
use crate::policy_options::{InsecureMx, MtaSts, PolicyOptions};
use crate::record_set::RecordSet;

/// The question how mail to a next hop is secured, to be run in a [`Session`].
///
/// It asks for the MX records of a domain, the addresses of each host, and for the TLSA records of those
/// whose addresses are secure.
///
/// ```
/// use dane_tlsa::mail_types::dns::{DnssecStatus, Zone};
/// use dane_tlsa::{Action, Decision, NextHop, Policy};
///
/// let zone = Zone::parse("
/// example.com.                MX   10 mx.example.net.
/// mx.example.net.             A    192.0.2.1
/// _25._tcp.mx.example.net.    TLSA 3 1 1 8a9a70596e869bed72c69d97a8895dfad86f300a343feceff19e89c27c896bc9
/// ")?.with_security(DnssecStatus::Secure);
/// let policy = Policy::new(NextHop::Domain("example.com".parse()?), 25);
/// let decision = policy.session().run(|question| zone.answer(question));
/// assert_eq!(decision.to_string(), "mx.example.net: dane, names mx.example.net example.com");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Policy {
    next_hop: NextHop,
    port: u16,
    options: PolicyOptions,
}

impl Policy {
    /// Asks about a next hop whose servers listen on this port: 25, unless the administrator says
    /// otherwise.
    #[must_use]
    pub fn new(next_hop: NextHop, port: u16) -> Self {
        Self { next_hop, port, options: PolicyOptions::default() }
    }

    /// Sets the choices of the sender.
    #[must_use]
    pub fn with_options(self, options: PolicyOptions) -> Self {
        Self { options, ..self }
    }

    /// Returns the next hop.
    ///
    /// ```
    /// use dane_tlsa::{NextHop, Policy, PolicyOptions};
    ///
    /// let next_hop = NextHop::Domain("example.com".parse()?);
    /// let policy = Policy::new(next_hop.clone(), 25).with_options(PolicyOptions::default().with_required(true));
    /// assert_eq!(policy.next_hop(), &next_hop);
    /// # Ok::<(), dane_tlsa::mail_types::dns::NameError>(())
    /// ```
    #[must_use]
    pub fn next_hop(&self) -> &NextHop {
        &self.next_hop
    }

    /// Starts a session with enough questions for all hosts. A silent name leaves half of the time for
    /// the questions after it.
    #[must_use]
    pub fn session(&self) -> Session<&Self> {
        let questions = 1 + self.options.limits.hosts.saturating_mul(QUESTIONS_OF_HOST);
        Session::new(self, Vec::new(), questions).with_share(2)
    }

    fn domain(&self, domain: &Name, known: &mut Known<'_>) -> Result<Decision, Unanswered> {
        let answer = known.ask(domain, RecordType::Mx)?;
        let (hosts, canonical, security) = match &*answer {
            Answer::Failed(failure) => return Ok(Decision::Defer(Deferral::MxLookup(*failure))),
            Answer::Absent { exists: false, security, .. } => {
                if self.options.required && *security != DnssecStatus::Secure {
                    return Ok(Decision::Defer(Deferral::Required(NoDane::InsecureMx)));
                }
                return Ok(Decision::Bounce(Bounce::NoDomain));
            }
            Answer::Records { records: Records::Mx(hosts), canonical, security, .. } => {
                (hosts, canonical, *security)
            }
            answer => {
                known.note(|| format!("{domain} has no MX records: it is its own mail host"));
                // The addresses tell whether that is secure, unless nothing was validated.
                let security = match answer {
                    Answer::Absent { security: DnssecStatus::Indeterminate, .. } => {
                        DnssecStatus::Indeterminate
                    }
                    _ => DnssecStatus::Secure,
                };
                if self.options.required && security != DnssecStatus::Secure {
                    return Ok(Decision::Defer(Deferral::Required(NoDane::InsecureMx)));
                }
                if literal(domain).is_some() {
                    return Ok(Decision::Bounce(Bounce::AddressAsDomain));
                }
                let hop = Hop { names: vec![lowercase(domain)], security, is_configured: false };
                return Ok(Decision::Hosts(vec![self.host(domain, 0, &hop, known)?]));
            }
        };
        if hosts.iter().all(|mx| mx.exchange.is_root()) {
            return Ok(Decision::Bounce(Bounce::NullMx));
        }
        let is_secure = security == DnssecStatus::Secure;
        if self.options.required && !is_secure {
            return Ok(Decision::Defer(Deferral::Required(NoDane::InsecureMx)));
        }
        let mut names = vec![lowercase(domain)];
        if canonical != domain {
            names.push(lowercase(canonical));
        }
        let names = if is_secure { names } else { Vec::new() };
        let hosts = by_preference(hosts, self.options.limits.hosts);
        let hosts = hosts.iter().map(|mx| (&mx.exchange, mx.preference));
        self.hosts(hosts, &Hop { names, security, is_configured: false }, known)
    }

    fn hosts<'a>(
        &self,
        hosts: impl Iterator<Item = (&'a Name, u16)>,
        hop: &Hop,
        known: &mut Known<'_>,
    ) -> Result<Decision, Unanswered> {
        // All are asked about at once.
        let hosts = hosts.take(self.options.limits.hosts);
        let hosts: Vec<_> =
            hosts.map(|(name, preference)| self.host(name, preference, hop, known)).collect();
        if hosts.is_empty() {
            return Ok(Decision::Defer(Deferral::NoHosts));
        }
        Ok(Decision::Hosts(hosts.into_iter().collect::<Result<_, _>>()?))
    }

    /// A host that is configured by its address.
    fn literal(&self, address: IpAddr, preference: u16) -> HostPolicy {
        let set = &self.options.hosts_require_dane;
        let action = if self.options.required || set.contains(address, None) {
            Action::Skip(Skip::Required(NoDane::Literal))
        } else {
            Action::Opportunistic(NoDane::Literal)
        };
        HostPolicy { host: Host::Address(address), preference, addresses: vec![address], action }
    }

    fn host(
        &self,
        name: &Name,
        preference: u16,
        hop: &Hop,
        known: &mut Known<'_>,
    ) -> Result<HostPolicy, Unanswered> {
        let name = &lowercase(name);
        let policy = |addresses, action| HostPolicy {
            host: Host::Name(name.clone()),
            preference,
            addresses,
            action,
        };
        match literal(name) {
            Some(address) if hop.is_configured => return Ok(self.literal(address, preference)),
            Some(_) => return Ok(policy(Vec::new(), Action::Skip(Skip::AddressInMx))),
            None => {}
        }
        known.note(|| format!("host {name}"));
        known.within(|known| {
            let (v6, v4) = (known.ask(name, RecordType::Aaaa), known.ask(name, RecordType::A));
            let found =
                HostAddresses::of(name, &[(RecordType::Aaaa, &*v6?), (RecordType::A, &*v4?)]);
            let action = match found.without {
                Some(skip) => Action::Skip(skip),
                None => self.action(name, &found, hop, known)?,
            };
            Ok(policy(found.all, action))
        })
    }

    fn action(
        &self,
        name: &Name,
        found: &HostAddresses,
        hop: &Hop,
        known: &mut Known<'_>,
    ) -> Result<Action, Unanswered> {
        let is_in = |set: &mail_types::exim::HostSet| {
            found.all.iter().any(|address| set.contains(*address, Some(name)))
        };
        let required = self.options.required || is_in(&self.options.hosts_require_dane);
        let is_insecure_mx = hop.security != DnssecStatus::Secure;
        let reason = if !required && !is_in(&self.options.hosts_try_dane) {
            NoDane::NotTried
        } else if is_insecure_mx && (required || self.options.insecure_mx == InsecureMx::Off) {
            NoDane::InsecureMx
        } else {
            match candidates(name, found, known)? {
                Ok(bases) => match self.records(&bases, known)? {
                    Ok(Some(found)) => return Ok(self.authenticated(found, hop, required)),
                    Ok(None) => NoDane::NoRecords,
                    Err(skip) => return Ok(Action::Skip(skip)),
                },
                Err(Some(skip)) => return Ok(Action::Skip(skip)),
                Err(None) => NoDane::InsecureAddresses,
            }
        };
        Ok(if required {
            Action::Skip(Skip::Required(reason))
        } else if self.options.mta_sts == MtaSts::Enforce {
            Action::MtaSts(reason)
        } else {
            Action::Opportunistic(reason)
        })
    }

    /// Finds the records of the first base domain that has any in a secure answer (section 2.2.3).
    fn records(
        &self,
        bases: &[Name],
        known: &mut Known<'_>,
    ) -> Result<Result<Option<(Name, RecordSet)>, Skip>, Unanswered> {
        for base in bases {
            let Some(owner) = owner(base, self.port) else { continue };
            let answer = known.ask(&owner, RecordType::Tlsa)?;
            let wire = match &*answer {
                Answer::Failed(failure) => {
                    let (kind, failure) = (RecordType::Tlsa, *failure);
                    return Ok(Err(Skip::Lookup { name: owner, kind, failure }));
                }
                Answer::Records {
                    records: Records::Tlsa(wire),
                    security: DnssecStatus::Secure,
                    ..
                } => wire,
                _ => continue,
            };
            return Ok(match RecordSet::from_wire(wire, &self.options.limits) {
                Ok(records) => Ok(Some((base.clone(), records))),
                Err(error) => Err(Skip::TooManyRecords { name: owner, limit: error.limit }),
            });
        }
        Ok(Ok(None))
    }

    fn authenticated(&self, found: (Name, RecordSet), hop: &Hop, required: bool) -> Action {
        let (base_domain, records) = found;
        let records = Arc::new(records);
        if records.is_usable() {
            let mut reference_names = vec![base_domain];
            for name in &hop.names {
                if !reference_names.contains(name) {
                    reference_names.push(name.clone());
                }
            }
            let authenticates_next_hop = hop.security == DnssecStatus::Secure;
            return Action::Dane(Dane { records, reference_names, authenticates_next_hop });
        }
        if required {
            return Action::Skip(Skip::RequiredUsable { base_domain, records });
        }
        let mta_sts = self.options.mta_sts == MtaSts::Enforce;
        Action::Encrypt(Encrypt { records, base_domain, mta_sts })
    }
}

impl Inquiry for &Policy {
    type Verdict = Decision;

    fn evaluate(&mut self, known: &mut Known<'_>) -> Result<Decision, Unanswered> {
        match &self.next_hop {
            NextHop::Domain(domain) => self.domain(domain, known),
            NextHop::Relay(name) => {
                let hop = Hop::configured(name);
                Ok(Decision::Hosts(vec![self.host(name, 0, &hop, known)?]))
            }
            NextHop::Hosts { domain, hosts } => {
                let hop = Hop::configured(domain);
                let preference = |at| u16::try_from(at).unwrap_or(u16::MAX);
                let hosts = hosts.iter().enumerate().map(|(at, name)| (name, preference(at)));
                self.hosts(hosts, &hop, known)
            }
            NextHop::Literal(address) => {
                let host = self.literal(*address, 0);
                Ok(match host.action {
                    Action::Skip(_) => Decision::Defer(Deferral::Required(NoDane::Literal)),
                    _ => Decision::Hosts(vec![host]),
                })
            }
        }
    }
}

/// The common part of all hosts of a next hop.
struct Hop {
    /// The names of the next hop that a certificate may have (section 3.2.2).
    names: Vec<Name>,
    /// How well it is known that the hosts are those of the next hop.
    security: DnssecStatus,
    /// Whether the administrator has named the hosts.
    is_configured: bool,
}

impl Hop {
    fn configured(name: &Name) -> Self {
        let (names, security) = (vec![lowercase(name)], DnssecStatus::Secure);
        Self { names, security, is_configured: true }
    }
}

/// Returns the names that may be the TLSA base domain, in their order (RFC 7672 section 2.2.2); without any, why
/// the host is skipped, or `None` if its addresses are not secure.
fn candidates(
    name: &Name,
    found: &HostAddresses,
    known: &mut Known<'_>,
) -> Result<Result<Vec<Name>, Option<Skip>>, Unanswered> {
    if let Some(canonical) = &found.secure {
        let expanded = (canonical != name).then(|| lowercase(canonical));
        return Ok(Ok(expanded.into_iter().chain([name.clone()]).collect()));
    }
    if !found.has_alias {
        return Ok(Err(None));
    }
    // The alias itself may be secure, though its target is not.
    Ok(match &*known.ask(name, RecordType::Cname)? {
        Answer::Records { security: DnssecStatus::Secure, .. } => Ok(vec![name.clone()]),
        Answer::Failed(failure) => Err(Some(Skip::Lookup {
            name: name.clone(),
            kind: RecordType::Cname,
            failure: *failure,
        })),
        _ => Err(None),
    })
}

/// The owner of the TLSA records of a base domain; `None` if that would be too long for a name.
fn owner(base: &Name, port: u16) -> Option<Name> {
    base.child(b"_tcp").and_then(|name| name.child(format!("_{port}").as_bytes())).ok()
}

/// Returns a name in lower case, as SNI and reports have it.
fn lowercase(name: &Name) -> Name {
    if !name.labels().any(|label| label.iter().any(u8::is_ascii_uppercase)) {
        return name.clone();
    }
    let labels: Vec<_> = name.labels().map(<[u8]>::to_ascii_lowercase).collect();
    // Its limits are the same.
    Name::from_labels(labels.iter().map(Vec::as_slice)).unwrap_or_else(|_| name.clone())
}

/// Sorts by preference, the order of the answer kept among equals; each host once, and without the root.
fn by_preference(hosts: &[Mx], limit: usize) -> Vec<&Mx> {
    let mut sorted: Vec<_> = hosts.iter().filter(|mx| !mx.exchange.is_root()).collect();
    sorted.sort_by_key(|mx| mx.preference);
    let mut found: Vec<&Mx> = Vec::new();
    for mx in sorted {
        if found.len() >= limit {
            break;
        }
        if !found.iter().any(|other| other.exchange == mx.exchange) {
            found.push(mx);
        }
    }
    found
}

/// Parses a name that is an address or an address literal of RFC 5321.
fn literal(name: &Name) -> Option<IpAddr> {
    let mut room = [0; Name::MAX_OCTETS];
    let text = str::from_utf8(name.write_dotted(&mut room)).ok()?;
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let tagged = inner.split_at_checked(5).filter(|(tag, _)| tag.eq_ignore_ascii_case("ipv6:"));
    match tagged {
        Some((_, address)) => address.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => inner.parse().ok(),
    }
}

/// Both families, the alias, and two base domains.
const QUESTIONS_OF_HOST: usize = 5;
