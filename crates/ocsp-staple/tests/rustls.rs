//! Handshakes in memory: what a server staples, and what a client makes of it.
#![cfg(feature = "rustls")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/authority.rs"]
mod authority;
#[path = "support/private_key.rs"]
mod private_key;
#[path = "support/revocation.rs"]
mod revocation;
#[path = "support/trusting.rs"]
mod trusting;

use std::sync::Arc;
use std::time::Duration;

use authority::{Authority, GOOD, Said, Wanted, extension, later, tlv};
use ocsp_staple::rustls::{Sessions, StapleVerifier, StapledKeys};
use ocsp_staple::{Requirement, Staple, StapleError, Stapled};
use private_key::private_key;
use revocation::revoked;
use rustls::client::{ClientSessionMemoryCache, Resumption, WebPkiServerVerifier};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, DnsName, PrivateKeyDer, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ClientConnection, Error, HandshakeKind,
    RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion, version,
};
use trusting::trusting;

/// The server's private key, of which all octets are this.
const SEED: u8 = 3;
const DAY: Duration = Duration::from_secs(24 * 3600);
const VERSIONS: [&SupportedProtocolVersion; 2] = [&version::TLS12, &version::TLS13];
/// The contents of the identifiers of `subjectAltName`, `basicConstraints` and `tlsfeature`.
const ALTERNATIVE_NAME: &[u8] = b"\x55\x1d\x11";
const CONSTRAINTS: &[u8] = b"\x55\x1d\x13";
const TLS_FEATURE: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x01\x18";

/// An authority that the client trusts, and a server with a certificate of it.
struct World {
    root: Authority,
    root_der: Vec<u8>,
    keys: Arc<StapledKeys>,
    key: CertifiedKey,
    server: Arc<ServerConfig>,
}

impl World {
    fn new(version: &'static SupportedProtocolVersion, more: &[Vec<u8>]) -> Self {
        let (root, server) = (Authority::new("Root", 1), Authority::new("mx.example", SEED));
        let (from, until) = (yesterday(), later(yesterday(), DAY * 90));
        let name = tlv(0x30, &[&tlv(0x82, &[b"mx.example"])]);
        let names = [&[extension(ALTERNATIVE_NAME, &name)], more].concat();
        let of_root = [extension(CONSTRAINTS, b"\x30\x03\x01\x01\xff")];
        let wanted =
            |serial, name, extensions| Wanted { serial, name, validity: (from, until), extensions };
        let root_der = root.issue(&root, &wanted(9, "Root", &of_root));
        let leaf = root.issue(&server, &wanted(1, "mx.example", &names));
        let provider = default_provider();
        let chain = vec![CertificateDer::from(leaf)];
        let private = PrivateKeyDer::Pkcs8(private_key(SEED).into());
        let key = CertifiedKey::from_der(chain, private, &provider).unwrap();
        let keys = Arc::new(StapledKeys::new());
        keys.set(None, [(&key, None)]);
        let server = server_of(version, &keys);
        Self { root, root_der, keys, key, server }
    }

    /// A host with the same keys.
    fn second(&self, version: &'static SupportedProtocolVersion) -> Arc<ServerConfig> {
        server_of(version, &self.keys)
    }

    fn staple(&self, status: &[u8]) -> Staple {
        let until = later(yesterday(), DAY * 3);
        let said = Said::new(status, yesterday(), until);
        Staple { response: self.root.respond(&self.root, &said, None).into(), until }
    }

    fn client(
        &self,
        version: &'static SupportedProtocolVersion,
        requirement: Requirement,
    ) -> (Arc<StapleVerifier>, Arc<ClientConfig>) {
        let provider = Arc::new(default_provider());
        let verifier = trusting(&self.root_der, &provider, requirement);
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(verifier.clone())
            .with_no_client_auth();
        let sessions = Sessions::new(Arc::new(ClientSessionMemoryCache::new(8)), &verifier);
        config.resumption = Resumption::store(Arc::new(sessions));
        (verifier, Arc::new(config))
    }

    fn connect(&self, client: &Arc<ClientConfig>, name: &'static str) -> Ended {
        let name = name.try_into().unwrap();
        let mut client = ClientConnection::new(client.clone(), name).unwrap();
        let mut server = ServerConnection::new(self.server.clone()).unwrap();
        let (mut refused, mut alert) = (None, None);
        for _ in 0..8 {
            let mut sent = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut sent).unwrap();
            }
            while !sent.is_empty() {
                let taken = server.read_tls(&mut &sent[..]).unwrap();
                sent.drain(..taken);
                if let Err(error) = server.process_new_packets() {
                    alert = alert.or(Some(error));
                }
            }
            let mut sent = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut sent).unwrap();
            }
            while !sent.is_empty() {
                let taken = client.read_tls(&mut &sent[..]).unwrap();
                sent.drain(..taken);
                if let Err(error) = client.process_new_packets() {
                    refused = refused.or(Some(error));
                }
            }
        }
        Ended { refused, alert, kind: client.handshake_kind() }
    }
}

fn server_of(
    version: &'static SupportedProtocolVersion,
    keys: &Arc<StapledKeys>,
) -> Arc<ServerConfig> {
    let server = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(keys.clone());
    Arc::new(server)
}

struct Ended {
    refused: Option<Error>,
    /// What the server was told.
    alert: Option<Error>,
    kind: Option<HandshakeKind>,
}

fn yesterday() -> UnixTime {
    UnixTime::since_unix_epoch(
        Duration::from_secs(UnixTime::now().as_secs()).checked_sub(DAY).unwrap(),
    )
}

fn is_refused(ended: &Ended) -> bool {
    let refused = Error::InvalidCertificate(CertificateError::InvalidOcspResponse);
    let alert = Error::AlertReceived(AlertDescription::BadCertificateStatusResponse);
    if ended.refused.is_some() {
        assert_eq!(ended.refused, Some(refused));
        assert_eq!(ended.alert, Some(alert), "alert 113");
    }
    ended.refused.is_some()
}

#[test]
fn what_a_client_wants_decides() {
    use Requirement::{Off, Request, Require};
    for version in VERSIONS {
        let world = World::new(version, &[]);
        let good = world.staple(GOOD);
        let bad = Staple { response: good.response.get(1..).unwrap().into(), ..good.clone() };
        let empty = Staple { response: [].into(), ..good.clone() };
        let revoked = world.staple(&revoked(yesterday()));
        for (staple, requirement, code, refused) in [
            (None, Off, "0", false),
            (None, Request, "1", false),
            (None, Require, "1", true),
            (Some(&empty), Request, "1", false),
            (Some(&good), Off, "0", false),
            (Some(&good), Request, "4", false),
            (Some(&good), Require, "4", false),
            (Some(&bad), Off, "0", false),
            (Some(&bad), Request, "3", true),
            (Some(&bad), Require, "3", true),
            (Some(&revoked), Request, "3", true),
            (Some(&revoked), Require, "3", true),
        ] {
            world.keys.set(None, [(&world.key, staple)]);
            let (verifier, client) = world.client(version, requirement);
            let ended = world.connect(&client, "mx.example");
            let stapled = verifier.stapled().unwrap();
            let row = format!("{version:?} {requirement:?} {stapled}");
            assert_eq!(stapled.variable("tls_out_ocsp").as_deref(), Some(code), "{row}");
            assert_eq!(is_refused(&ended), refused, "{row}");
        }
    }
}

#[test]
fn a_certificate_can_demand_a_staple() {
    for version in VERSIONS {
        let world = World::new(version, &[extension(TLS_FEATURE, b"\x30\x03\x02\x01\x05")]);
        let (_, client) = world.client(version, Requirement::Request);
        assert!(is_refused(&world.connect(&client, "mx.example")));
        let (_, client) = world.client(version, Requirement::Off);
        assert!(!is_refused(&world.connect(&client, "mx.example")));
        world.keys.set(None, [(&world.key, Some(&world.staple(GOOD)))]);
        let (verifier, client) = world.client(version, Requirement::Request);
        assert!(!is_refused(&world.connect(&client, "mx.example")));
        assert!(matches!(verifier.stapled(), Some(Stapled::Verified(_))));
    }
}

#[test]
fn a_staple_that_has_ended_is_left_out() {
    for version in VERSIONS {
        let world = World::new(version, &[]);
        let ended = Staple { until: yesterday(), ..world.staple(GOOD) };
        world.keys.set(None, [(&world.key, Some(&ended))]);
        let (verifier, client) = world.client(version, Requirement::Request);
        assert!(!is_refused(&world.connect(&client, "mx.example")));
        assert_eq!(verifier.stapled(), Some(Stapled::Missing));
    }
}

#[test]
fn staples_are_chosen_by_name() {
    let world = World::new(&version::TLS13, &[]);
    let name = DnsName::try_from("MX.example").unwrap();
    world.keys.set(Some(&name), [(&world.key, Some(&world.staple(GOOD)))]);
    let (verifier, client) = world.client(&version::TLS13, Requirement::Request);
    world.connect(&client, "mx.example");
    assert!(matches!(verifier.stapled(), Some(Stapled::Verified(_))));
    // One that is not known has the default.
    world.keys.set(Some(&name), []);
    let (verifier, client) = world.client(&version::TLS13, Requirement::Require);
    let ended = world.connect(&client, "mx.example");
    assert!(is_refused(&ended));
    assert_eq!(verifier.stapled(), Some(Stapled::Missing));
}

#[test]
fn sessions_end_with_the_staple() {
    for version in VERSIONS {
        let world = World::new(version, &[]);
        let good = world.staple(GOOD);
        world.keys.set(None, [(&world.key, Some(&good))]);
        let (_, client) = world.client(version, Requirement::Require);
        let connect = || world.connect(&client, "mx.example").kind;
        assert_eq!(connect(), Some(HandshakeKind::Full));
        assert_eq!(connect(), Some(HandshakeKind::Resumed));
        // A staple that ends at once: within the clocks' skew the client takes it, and no session.
        let said = Said::new(GOOD, yesterday(), now_but(2));
        let short = world.root.respond(&world.root, &said, None).into();
        let short = Staple { response: short, until: good.until };
        world.keys.set(None, [(&world.key, Some(&short))]);
        let (verifier, client) = world.client(version, Requirement::Require);
        for _ in 0..2 {
            let ended = world.connect(&client, "mx.example");
            assert_eq!(ended.kind, Some(HandshakeKind::Full));
            assert!(matches!(verifier.stapled(), Some(Stapled::Verified(_))));
        }
    }
}

/// A second host of a server's name, or the same after a restart, knows no session of the first.
#[test]
fn a_revocation_ends_the_sessions_of_the_name() {
    for version in VERSIONS {
        let mut world = World::new(version, &[]);
        let (good, bad) = (world.staple(GOOD), world.staple(&revoked(yesterday())));
        let (_, client) = world.client(version, Requirement::Request);
        let first = world.server.clone();
        world.keys.set(None, [(&world.key, Some(&good))]);
        let kind = |world: &World| world.connect(&client, "mx.example").kind;
        assert_eq!(kind(&world), Some(HandshakeKind::Full));
        assert_eq!(kind(&world), Some(HandshakeKind::Resumed));
        world.keys.set(None, [(&world.key, Some(&bad))]);
        world.server = world.second(version);
        assert!(is_refused(&world.connect(&client, "mx.example")));
        world.server = first.clone();
        assert!(is_refused(&world.connect(&client, "mx.example")), "{version:?}: it was resumed");
        // Nor does a session come back with a staple that is good again.
        world.keys.set(None, [(&world.key, Some(&good))]);
        world.server = world.second(version);
        assert_eq!(kind(&world), Some(HandshakeKind::Full));
        assert_eq!(kind(&world), Some(HandshakeKind::Resumed));
    }
}

fn now_but(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(UnixTime::now().as_secs() - seconds))
}

#[test]
fn without_the_issuer_a_staple_is_not_verified() {
    let world = World::new(&version::TLS13, &[]);
    world.keys.set(None, [(&world.key, Some(&world.staple(GOOD)))]);
    let provider = Arc::new(default_provider());
    let algorithms = provider.signature_verification_algorithms;
    for (requirement, refused) in [(Requirement::Request, false), (Requirement::Require, true)] {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(world.root_der.clone())).unwrap();
        let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        let verifier = StapleVerifier::new(inner.build().unwrap(), [].into(), algorithms);
        let verifier = Arc::new(verifier.with_requirement(requirement));
        let client = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&version::TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(verifier.clone())
            .with_no_client_auth();
        let ended = world.connect(&Arc::new(client), "mx.example");
        assert_eq!(is_refused(&ended), refused);
        let Some(Stapled::NotVerified(error)) = verifier.stapled() else { unreachable!() };
        let text = StapleError::from(error).to_string();
        assert_eq!(text, "the certificate of the issuer \"CN=Root\" is missing");
    }
}
