//! The inspection of a mail host: its policy, the certificates that it sends, and its OCSP staple.

use std::io;
use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::thread;

use dane_tlsa::mail_types::dns::Name;
use dane_tlsa::{
    Action, Check, Finding, FindingKind, Host, HostPolicy, Limits, RecordSet, Review, Skip,
};
use examples::cases::certificates::written;
use examples::cases::host_outcome::HostOutcome;
use examples::cases::public_address::is_public;
use examples::cases::server_chain::{self, Sent};
use ocsp_staple::{Certificate, CertificateStatus, Issuer};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::UnixTime;

use crate::inspection::{Defect, MailHost, Server, Severity};
use crate::sentences::{self, Sentence};

/// The servers that are asked for their certificates.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reach {
    Nobody,
    /// Those at public addresses: a stranger must not lead this host to others.
    Public,
    Everybody,
}

/// Inspects a host, and its servers within reach.
pub(crate) fn inspect(policy: &HostPolicy, port: u16, reach: Reach) -> MailHost {
    let mut host = MailHost {
        policy: HostOutcome::new(policy),
        servers: Vec::new(),
        defects: of_policy(policy),
    };
    let (records, names) = expected(policy);
    if matches!(policy.action, Action::Skip(_)) {
        return host;
    }
    if reach == Reach::Nobody {
        host.defects.extend(of_records(policy, &records, &names));
        return host;
    }
    let count = policy.addresses.len();
    if count > MAX_ADDRESSES {
        let text = format!("{count} addresses: only the first {MAX_ADDRESSES} are connected to");
        host.defects.push(Defect::new(Severity::Notice, policy.host.to_string(), text));
    }
    let addresses = policy.addresses.iter().take(MAX_ADDRESSES);
    let addresses: Vec<_> = addresses.map(|ip| SocketAddr::new(*ip, port)).collect();
    let told = ask(&addresses, reach, (&records, &names));
    for (address, told) in addresses.into_iter().zip(told) {
        let about = format!("{} [{}]", policy.host, address.ip());
        let server = match told {
            None => {
                let defect = Defect::new(Severity::Problem, about, NOT_PUBLIC.to_owned());
                host.defects.push(defect.breaking(sentences::NO_ADDRESS));
                let error = Some(format!("not asked: {NOT_PUBLIC}"));
                Server { error, ..Server::new(address) }
            }
            Some(Ok(sent)) => judge(address, &about, &sent, (&records, &names), &mut host.defects),
            Some(Err(failure)) => {
                host.defects.push(of_connection(policy, about, &failure));
                Server { error: Some(failure.text), ..Server::new(address) }
            }
        };
        host.servers.push(server);
    }
    host
}

/// The reason why a server has shown no certificate.
#[derive(Debug)]
struct Failure {
    text: String,
    /// Whether there is no connection, or no reply on it.
    is_silent: bool,
}

/// Asks the servers within reach for their certificates: all at once, so that slow ones take no longer than one.
fn ask(
    addresses: &[SocketAddr],
    reach: Reach,
    (records, names): (&RecordSet, &[Name]),
) -> Vec<Option<Result<Sent, Failure>>> {
    let ask = |address: &SocketAddr| {
        let sent = server_chain::sent(&address.to_string(), address.port(), true, records, names);
        sent.map_err(|error| Failure {
            text: error.to_string(),
            // A failed handshake is invalid data.
            is_silent: error
                .downcast_ref::<io::Error>()
                .is_some_and(|error| error.kind() != io::ErrorKind::InvalidData),
        })
    };
    let is_within = |address: &SocketAddr| reach == Reach::Everybody || is_public(address.ip());
    thread::scope(|scope| {
        let asked = addresses
            .iter()
            .map(|address| is_within(address).then(|| scope.spawn(move || ask(address))));
        let asked: Vec<_> = asked.collect();
        let sent = asked.into_iter().map(|asked| {
            asked.map(|asked| asked.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        sent.collect()
    })
}

/// The records by which a host is authenticated, and its names, the TLSA base domain first.
fn expected(policy: &HostPolicy) -> (RecordSet, Vec<Name>) {
    let none = || RecordSet::new(Vec::new(), &Limits::default()).unwrap_or_default();
    let own = match &policy.host {
        Host::Name(name) => vec![name.clone()],
        Host::Address(_) => Vec::new(),
    };
    match &policy.action {
        Action::Dane(dane) => ((*dane.records).clone(), dane.reference_names.clone()),
        Action::Encrypt(encrypt) => ((*encrypt.records).clone(), vec![encrypt.base_domain.clone()]),
        _ => (none(), own),
    }
}

/// The defects that records have whatever a server sends.
fn of_records(policy: &HostPolicy, records: &RecordSet, names: &[Name]) -> Vec<Defect> {
    let algorithms = default_provider().signature_verification_algorithms.all;
    let review = Check::new(records, names, algorithms).review(&[], UnixTime::now());
    let findings = review.findings.iter().filter(|finding| {
        matches!(
            finding.kind,
            FindingKind::EmptyDigest
                | FindingKind::Unusable(_)
                | FindingKind::Duplicate
                | FindingKind::Full
        )
    });
    findings.map(|finding| of_finding(finding, policy.host.to_string())).collect()
}

fn of_finding(finding: &Finding, about: String) -> Defect {
    let defect = Defect::new(finding.severity(), about, finding.to_string());
    defect.breaking(sentences::of_tlsa(&finding.kind))
}

/// The defects of a host's policy.
fn of_policy(policy: &HostPolicy) -> Vec<Defect> {
    let (text, sentence) = match &policy.action {
        Action::Encrypt(_) => {
            ("none of its TLSA records can be used".to_owned(), Some(sentences::UNUSABLE))
        }
        Action::Skip(reason) => {
            let sentence = match reason {
                Skip::AddressInMx => Some(sentences::ADDRESS_IN_MX),
                Skip::NoAddress => Some(sentences::NO_ADDRESS),
                Skip::Lookup { .. } => Some(sentences::NO_ANSWER),
                _ => None,
            };
            (reason.to_string(), sentence)
        }
        _ => return Vec::new(),
    };
    let defect = Defect::new(Severity::Problem, policy.host.to_string(), text);
    vec![match sentence {
        Some(sentence) => defect.breaking(sentence),
        None => defect,
    }]
}

/// The defect of a server that shows no certificate.
fn of_connection(policy: &HostPolicy, about: String, failure: &Failure) -> Defect {
    let (severity, sentence) = match policy.action {
        Action::Dane(_) => (Severity::Problem, Some(sentences::UNAUTHENTICATED)),
        Action::Encrypt(_) => (Severity::Problem, Some(sentences::UNUSABLE)),
        _ => (Severity::Warning, failure.is_silent.then_some(sentences::NO_SESSION)),
    };
    let defect = Defect::new(severity, about, failure.text.clone());
    match sentence {
        Some(sentence) => defect.breaking(sentence),
        None => defect,
    }
}

/// Compares the certificates with the records, and looks at the staple.
fn judge(
    address: SocketAddr,
    about: &str,
    sent: &Sent,
    (records, names): (&RecordSet, &[Name]),
    defects: &mut Vec<Defect>,
) -> Server {
    let (now, mut server) = (UnixTime::now(), Server::new(address));
    server.certificates = sent.chain.len();
    let algorithms = default_provider().signature_verification_algorithms.all;
    if records.records().next().is_some() {
        let review = Check::new(records, names, algorithms).review(&sent.chain, now);
        server.tlsa = Some(if review.verdict.is_match() { "match" } else { "no-match" });
        server.rollover = Some(rollover(&review));
        let findings = review.findings.iter();
        defects.extend(findings.map(|finding| of_finding(finding, about.to_owned())));
    }
    let chain: Result<Vec<_>, _> = sent.chain.iter().map(|der| Certificate::parse(der)).collect();
    let (leaf, issuers) = match chain.as_deref().map(<[_]>::split_first) {
        Ok(Some(chain)) => chain,
        Ok(None) => return server,
        Err(error) => {
            let text = format!("a certificate cannot be read: {error}");
            let defect = Defect::new(Severity::Warning, about.to_owned(), text);
            defects.push(defect.breaking(sentences::UNREADABLE));
            return server;
        }
    };
    server.expires = Some(written(leaf.not_after()));
    let defect = staple(leaf, issuers, &sent.staple, now, &mut server);
    defects.extend(defect.map(|(severity, text, sentence)| {
        Defect::new(severity, about.to_owned(), text).breaking(sentence)
    }));
    server
}

/// The state of the published set: RFC 7671 section 8.1.
fn rollover(review: &Review) -> &'static str {
    let is_other = |finding: &Finding| finding.kind == FindingKind::LeftOver;
    match (review.verdict.is_match(), review.findings.iter().any(is_other)) {
        (false, _) => "broken",
        (true, true) => "under-way",
        (true, false) => "steady",
    }
}

/// Verifies the staple; returns the defect, if there is one.
fn staple(
    leaf: &Certificate<'_>,
    issuers: &[Certificate<'_>],
    staple: &[u8],
    now: UnixTime,
    server: &mut Server,
) -> Option<(Severity, String, Sentence)> {
    if staple.is_empty() {
        let text = "the certificate requires an OCSP staple, and the server sends none".to_owned();
        let is_due = leaf.requires_staple();
        return is_due.then_some((Severity::Problem, text, sentences::MUST_STAPLE));
    }
    let algorithms = default_provider().signature_verification_algorithms.all;
    let check = ocsp_staple::Check::new(leaf, issuers.iter().map(Issuer::from), algorithms);
    let text = match check.map(|check| check.verify(staple, now)) {
        Ok(Ok(proof)) => {
            server.staple = Some(proof.to_string());
            if proof.status == CertificateStatus::Good {
                return None;
            }
            format!("the OCSP staple: {proof}")
        }
        Ok(Err(error)) => error.to_string(),
        Err(error) => format!("the OCSP staple: {error}"),
    };
    Some((Severity::Problem, text, sentences::STAPLE))
}

/// Why a server is not asked.
const NOT_PUBLIC: &str = "no public address (RFC 6890), so no mail from elsewhere comes there; --allow-private connects to it";
/// The most addresses of a host that are connected to.
const MAX_ADDRESSES: usize = 4;
