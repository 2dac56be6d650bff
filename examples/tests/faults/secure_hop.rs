//! A next hop with secure TLSA records, under faults of the DNS and of the hop: no message goes to it but over TLS that they
//! authenticate.

use std::net::TcpListener;

use dane_tlsa::{Certificate, MatchingType, Selector, TlsaRecord, Usage};
use hickory_resolver::proto::rr::RData;
use hickory_resolver::proto::rr::rdata::TLSA;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::CertificateDer;

use super::clients::{Answer, Attempt, MAIL, Mail, attempt, of};
use super::fault::{Gateway, during, under_load};
use super::name_server::{Entry, Mode, NameServer, loopback};
use crate::send::server::{Behaviour, Identity, Server, Tls};

pub(super) const RELAYED: Mail = Mail { to: "b@next.test", ..MAIL };

/// The record of a server's key.
fn record(identity: &Identity) -> RData {
    record_of(&identity.certificate, Usage::DANE_EE)
}

fn record_of(certificate: &[u8], usage: Usage) -> RData {
    let certificate = Certificate::parse(certificate).unwrap();
    let (selector, kind) = (Selector::new(1), MatchingType::new(1));
    let record = TlsaRecord::of_certificate(&certificate, usage, selector, kind).unwrap();
    data(&record.to_wire())
}

fn data(wire: &[u8]) -> RData {
    let data = wire[3..].to_vec();
    RData::TLSA(TLSA::new(wire[0].into(), wire[1].into(), wire[2].into(), data))
}

/// A hop whose TLSA records are these, a DNS that says so, and a gateway that relays to it.
pub(super) struct Stage {
    hop: Server,
    dns: NameServer,
    pub(super) gateway: Gateway,
}

impl Stage {
    fn new(name: &str, behaviour: Behaviour, identity: &Identity, records: Vec<RData>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let hop = Server::start(listener, behaviour, identity);
        let port = hop.address.port();
        let owner: &'static str = format!("_{port}._tcp.hop.test").leak();
        let host: Entry = ("hop.test", loopback());
        let truth = records.into_iter().map(|record| (owner, record)).chain([host.clone()]);
        let dns = NameServer::start(truth.collect(), vec![host]);
        let options = format!(
            "dns_resolver = '{}'\nrelay_to_domains = 'next.test'\nroute_data = 'hop.test:{port}'",
            dns.address
        );
        Self { hop, dns, gateway: Gateway::start(name, &options) }
    }

    /// Nothing of a message went to the hop in clear.
    fn check_clear(&self) {
        let told = self.hop.told();
        let is_mail = |line: &&String| line.starts_with("MAIL") || line.starts_with("RCPT");
        assert_eq!(told.clear.iter().find(is_mail), None, "{:?}", told.clear);
    }
}

#[test]
fn a_dns_that_fails_or_lies_sends_nothing_below_secure_records() {
    let identity = Identity::of("hop.test");
    let records = vec![record(&identity)];
    let stage = Stage::new("faults-secure-dns", Behaviour::default(), &identity, records);
    let mut taken = 0;
    for mode in Mode::DEAD.into_iter().chain(Mode::FORGED) {
        let told = under_load(
            &stage.gateway.address,
            &[RELAYED],
            || stage.dns.set(mode),
            || stage.dns.set(Mode::Sound),
        );
        let during = of(&RELAYED, &told.during);
        assert!(!during.iter().any(|answer| answer.is_taken()), "{mode:?}: {during:?}");
        taken += told.all.iter().filter(|attempt| attempt.answer.is_taken()).count();
        stage.check_clear();
        assert_eq!(stage.hop.told().messages, taken, "{mode:?}");
    }
    assert!(taken > 0);
}

/// The hop itself has a fault, or someone before it: it offers no TLS, refuses it, says more in clear behind it, or has another key.
#[test]
fn a_hop_without_sound_tls_gets_nothing() {
    let (identity, other) = (Identity::of("hop.test"), Identity::of("hop.test"));
    let rows = Tls::FAULTS.map(|tls| (tls, &identity));
    for (tls, own) in rows.into_iter().chain([(Tls::Good, &other)]) {
        let behaviour = Behaviour { tls, ..Behaviour::default() };
        let records = vec![record(&identity)];
        let stage = Stage::new("faults-secure-hop", behaviour, own, records);
        for Attempt { answer, .. } in during(&stage.gateway.address, &RELAYED) {
            assert!(matches!(&answer, Answer::Deferred(_)), "{tls:?}: {answer:?}");
        }
        stage.check_clear();
        let told = stage.hop.told();
        assert!(told.connections > 0 && told.messages == 0, "{tls:?}: {told:?}");
        assert!(!told.secret.iter().any(|line| line.starts_with("MAIL")), "{tls:?}: {told:?}");
    }
    // Without records the same hop gets mail in clear.
    let behaviour = Behaviour { tls: Tls::Refused, ..Behaviour::default() };
    let stage = Stage::new("faults-open-hop", behaviour, &identity, Vec::new());
    assert!(attempt(&stage.gateway.address, &RELAYED).answer.is_taken());
    assert!(stage.hop.told().clear.iter().any(|line| line.starts_with("MAIL")));
}

/// At a limit a message is delivered; beyond it, it waits.
#[test]
fn sets_of_records_and_certificates_have_limits() {
    let (mut identity, authority) = issued();
    let of_authority = || vec![record_of(&authority, Usage::DANE_TA)];
    for (certificates, records, is_taken) in [
        (1, set(&identity, RECORDS), true),
        (1, set(&identity, RECORDS + 1), false),
        (CERTIFICATES, of_authority(), true),
        (CERTIFICATES + 1, of_authority(), false),
        // The first alone is looked at.
        (CERTIFICATES + 1, set(&identity, 1), true),
        // More than a client of TLS reads.
        (300, set(&identity, 1), false),
    ] {
        identity.more = vec![authority.clone(); certificates - 1];
        let shown = format!("{certificates} certificates and {} records", records.len());
        let stage = Stage::new("faults-limits", Behaviour::default(), &identity, records);
        let before = stage.gateway.memory();
        let sent = during(&stage.gateway.address, &RELAYED);
        for Attempt { answer, .. } in &sent {
            let is_expected = if is_taken { answer.is_taken() } else { answer.is_deferred() };
            assert!(is_expected, "{shown}: {answer:?}");
        }
        stage.check_clear();
        assert_eq!(stage.hop.told().messages, if is_taken { sent.len() } else { 0 }, "{shown}");
        let grown = stage.gateway.memory().saturating_sub(before);
        assert!(grown < 16 << 10, "{shown}: {grown} KiB more");
    }
}

/// So many records, the last of which is the server's.
fn set(identity: &Identity, count: usize) -> Vec<RData> {
    let other = |number: usize| {
        let number = u8::try_from(number).unwrap();
        data(&[&[3, 1, 1], &[number; 32][..]].concat())
    };
    (1..count).map(other).chain([record(identity)]).collect()
}

/// A hop at each limit and one beyond, with whether it gets mail. Each starts when it is asked for.
pub(super) fn at_the_limits(name: &str) -> impl Iterator<Item = (Stage, bool)> {
    let (mut identity, authority) = issued();
    identity.more = vec![authority.clone(); CERTIFICATES - 1];
    let of_authority = vec![record_of(&authority, Usage::DANE_TA)];
    let sets = [
        (of_authority, true),
        (set(&identity, RECORDS), true),
        (set(&identity, RECORDS + 1), false),
    ];
    let stage = move |records| Stage::new(name, Behaviour::default(), &identity, records);
    sets.into_iter().map(move |(records, is_taken)| (stage(records), is_taken))
}

/// A server with a certificate of an authority, and that of the authority.
fn issued() -> (Identity, CertificateDer<'static>) {
    let (root, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&root).unwrap().der().clone();
    let leaf = CertificateParams::new(vec!["hop.test".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &Issuer::from_params(&params, &root)).unwrap();
    let certificate = leaf.der().clone();
    (Identity { certificate, more: Vec::new(), key, staple: Vec::new() }, authority)
}

/// `dane_tlsa::Limits` by default.
const RECORDS: usize = 100;
const CERTIFICATES: usize = 10;
