//! A client with a `StapleVerifier`, and servers that staple what they are given: `openssl s_server`, which
//! reads it first, and one that takes any octets.
#![cfg(feature = "rustls")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/authority.rs"]
mod authority;
#[path = "support/p384.rs"]
mod p384;
#[path = "support/private_key.rs"]
mod private_key;
#[path = "support/revocation.rs"]
mod revocation;
#[path = "support/trusting.rs"]
mod trusting;

use std::env;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use authority::{Authority, GOOD, Said, Wanted, extension, generalized, later, tlv};
use data_encoding::BASE64;
use ocsp_staple::rustls_pki_types::UnixTime;
use ocsp_staple::{IssuerHash, Requirement, Stapled};
use p384::p384;
use private_key::private_key;
use revocation::revoked;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection};
use trusting::trusting;

/// The server's private key, of which all octets are this.
const SEED: u8 = 3;
const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);
const UNKNOWN: &[u8] = &[0x82, 0];
const OCSP_SIGNING: &[u8] = b"\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x09";
const SERVER_AUTH: &[u8] = b"\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01";
const EXTENDED_KEY_USAGE: &[u8] = b"\x55\x1d\x25";

/// So long ago, and so long from now.
fn ago(by: Duration) -> UnixTime {
    let now = Duration::from_secs(UnixTime::now().as_secs());
    UnixTime::since_unix_epoch(now.checked_sub(by).unwrap())
}

fn ahead(by: Duration) -> UnixTime {
    later(UnixTime::now(), by)
}

/// An authority, one that is not trusted, and signers of responses.
struct World {
    root: Authority,
    other: Authority,
    signer: Authority,
    /// One that signs with SHA-384.
    sha384: Authority,
    server: Authority,
    root_der: Vec<u8>,
    leaf_der: Vec<u8>,
}

impl World {
    fn new() -> Self {
        let (root, other) = (Authority::new("Root", 1), Authority::new("Other", 5));
        let (signer, server) = (Authority::new("Signer", 2), Authority::new("mx.example", SEED));
        let validity = (ago(DAY * 30), ahead(DAY * 30));
        let names = tlv(0x30, &[&tlv(0x82, &[b"mx.example"])]);
        let is_ca = [extension(b"\x55\x1d\x13", b"\x30\x03\x01\x01\xff")];
        let wanted = |serial, name, extensions| Wanted { serial, name, validity, extensions };
        Self {
            root_der: root.issue(&root, &wanted(9, "Root", &is_ca)),
            leaf_der: root
                .issue(&server, &wanted(1, "mx.example", &[extension(b"\x55\x1d\x11", &names)])),
            root,
            other,
            signer,
            sha384: p384("Signer"),
            server,
        }
    }

    /// The signer's certificate, from an authority, for a purpose, until so long from now.
    fn signer_by(&self, authority: &Authority, purpose: &[u8], until: UnixTime) -> Vec<u8> {
        Self::issue_signer(authority, &self.signer, purpose, until)
    }

    fn issue_signer(
        authority: &Authority,
        signer: &Authority,
        purpose: &[u8],
        until: UnixTime,
    ) -> Vec<u8> {
        let extensions = match purpose {
            [] => Vec::new(),
            purpose => vec![extension(EXTENDED_KEY_USAGE, purpose)],
        };
        let validity = (ago(DAY * 20), until);
        let wanted = Wanted { serial: 7, name: "Signer", validity, extensions: &extensions };
        authority.issue(signer, &wanted)
    }

    fn direct(&self, said: &Said) -> Vec<u8> {
        self.root.respond(&self.root, said, None)
    }

    fn delegated(&self, certificate: Option<&[u8]>) -> Vec<u8> {
        self.signer.respond(&self.root, &week(GOOD), certificate)
    }

    /// Each good proof by its name.
    fn good_proofs(&self) -> Vec<(&'static str, Vec<u8>)> {
        let signer = self.signer_by(&self.root, OCSP_SIGNING, ahead(DAY));
        let sha384 = Self::issue_signer(&self.root, &self.sha384, OCSP_SIGNING, ahead(DAY));
        let nonce = extension(b"\x2b\x06\x01\x05\x05\x07\x30\x01\x02", &tlv(0x04, &[&[7; 16]]));
        let nonce = tlv(0xa1, &[&tlv(0x30, &[&nonce])]);
        let by_name = Said { by_name: true, ..week(GOOD) };
        let sha256 = Said { hash: IssuerHash::Sha256, ..week(GOOD) };
        vec![
            ("direct", self.direct(&week(GOOD))),
            ("delegated", self.delegated(Some(&signer))),
            ("signer by name", self.signer.respond(&self.root, &by_name, Some(&signer))),
            ("CertID of SHA-256", self.direct(&sha256)),
            ("signature of SHA-384", self.sha384.respond(&self.root, &week(GOOD), Some(&sha384))),
            ("with a nonce", self.direct(&Said { extensions: nonce, ..week(GOOD) })),
            ("short", self.direct(&Said::new(GOOD, ago(HOUR), ahead(HOUR)))),
            ("ended within the skew", self.direct(&Said::new(GOOD, ago(DAY), ago(MINUTE)))),
            ("one of several answers", self.direct(&Said { others: others([2, 3]), ..week(GOOD) })),
        ]
    }

    /// Each bad proof by its name.
    fn bad_proofs(&self) -> Vec<(&'static str, Vec<u8>)> {
        let signer = |purpose: &[u8]| self.signer_by(&self.root, purpose, ahead(DAY));
        let by_other = self.signer_by(&self.other, OCSP_SIGNING, ahead(DAY));
        let ended = self.signer_by(&self.root, OCSP_SIGNING, ago(HOUR));
        let during = |this, next| self.direct(&Said::new(GOOD, this, next));
        let mut forged = self.direct(&week(GOOD));
        *forged.last_mut().unwrap() ^= 1;
        let reason = tlv(0xa0, &[&tlv(0x0a, &[&[1]])]);
        let compromised = tlv(0xa1, &[&generalized(ago(DAY)), &reason]);
        let failed = |status: u8| vec![0x30, 3, 0x0a, 1, status];
        vec![
            ("no nextUpdate", self.direct(&Said { next_update: None, ..week(GOOD) })),
            ("no signer in it", self.delegated(None)),
            ("ended", during(ago(DAY * 14), ago(DAY * 7))),
            ("ended an hour ago", during(ago(DAY), ago(HOUR))),
            ("of tomorrow", during(ahead(DAY), ahead(DAY * 8))),
            ("revoked", self.direct(&week(&revoked(ago(DAY))))),
            ("revoked for a reason", self.direct(&week(&compromised))),
            ("unknown", self.direct(&week(UNKNOWN))),
            (
                "none of several answers",
                self.direct(&Said { serial: 2, others: others([3, 4]), ..week(GOOD) }),
            ),
            ("another number", self.direct(&Said { serial: 2, ..week(GOOD) })),
            ("another issuer", self.root.respond(&self.other, &week(GOOD), None)),
            ("signed by another", self.other.respond(&self.root, &week(GOOD), None)),
            ("signer without a purpose", self.delegated(Some(&signer(&[])))),
            ("signer for servers", self.delegated(Some(&signer(SERVER_AUTH)))),
            ("signer has ended", self.delegated(Some(&ended))),
            ("signer of another", self.delegated(Some(&by_other))),
            (
                "signed by the server itself",
                self.server.respond(&self.root, &week(GOOD), Some(&self.leaf_der)),
            ),
            ("wrong signature", forged),
            ("malformedRequest", failed(1)),
            ("internalError", failed(2)),
            ("tryLater", failed(3)),
            ("sigRequired", failed(5)),
            ("unauthorized", failed(6)),
        ]
    }

    /// Returns the result of the staple, if it could be read as one.
    fn connect(&self, port: u16) -> Option<Stapled> {
        let provider = Arc::new(default_provider());
        let verifier = trusting(&self.root_der, &provider, Requirement::Require);
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(verifier.clone())
            .with_no_client_auth();
        let name = "mx.example".try_into().unwrap();
        let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = connected(port);
        let ended = client.complete_io(&mut stream);
        let stapled = verifier.stapled();
        assert_eq!(
            ended.is_ok(),
            matches!(stapled, Some(Stapled::Verified(_))),
            "{stapled:?} {ended:?}"
        );
        stapled
    }
}

/// An answer of an hour ago, for a week.
fn week(status: &[u8]) -> Said {
    Said::new(status, ago(HOUR), ahead(DAY * 7))
}

/// Answers for other certificates.
fn others(numbers: [u8; 2]) -> Vec<Said> {
    numbers.map(|serial| Said { serial, ..week(GOOD) }).into()
}

fn connected(port: u16) -> TcpStream {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => return stream,
            Err(error) => assert!(Instant::now() < end, "{error}"),
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// OpenSSL's server, which ends with this.
struct Server(Child);

impl Server {
    fn start(folder: &Path, port: u16) -> Self {
        let child = Command::new("openssl")
            .args(["s_server", "-quiet", "-cert", "leaf.pem", "-key", "leaf.key"])
            .args(["-status_file", "staple", "-accept", &format!("127.0.0.1:{port}")])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn write_pem(path: PathBuf, label: &str, der: &[u8]) {
    let base64 = BASE64.encode(der);
    let lines: Vec<_> = base64.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    let body = lines.join("\n");
    fs::write(path, format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")).unwrap();
}

/// A server of rustls, which looks at no staple, for one connection.
fn serve_raw(world: &World, staple: Vec<u8>) -> u16 {
    let private = PrivateKeyDer::Pkcs8(private_key(SEED).into());
    let chain = vec![CertificateDer::from(world.leaf_der.clone())];
    let key = CertifiedKey::from_der(chain, private, &default_provider()).unwrap();
    let key = CertifiedKey { ocsp: Some(staple), ..key };
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Always(Arc::new(key))));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut server = ServerConnection::new(Arc::new(config)).unwrap();
        // A client that is not content ends it.
        let _ = server.complete_io(&mut stream);
    });
    port
}

#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

fn is_verified(stapled: Option<&Stapled>) -> bool {
    matches!(stapled, Some(Stapled::Verified(_)))
}

#[test]
fn no_bad_staple_of_any_octets_is_taken() {
    let world = World::new();
    let direct = world.direct(&week(GOOD));
    let half = direct.get(..direct.len() / 2).unwrap().to_vec();
    let behind = [&direct[..], &[0]].concat();
    for (name, proof) in world.good_proofs() {
        let stapled = world.connect(serve_raw(&world, proof));
        assert!(is_verified(stapled.as_ref()), "{name}: {stapled:?}");
    }
    let malformed = [
        ("cut off", half),
        ("an octet behind it", behind),
        ("empty", Vec::new()),
        ("HTML", b"<html>".to_vec()),
    ];
    for (name, proof) in world.bad_proofs().into_iter().chain(malformed) {
        let stapled = world.connect(serve_raw(&world, proof));
        // What is empty is no staple that could be read.
        assert_eq!(stapled.is_none(), name == "empty", "{name}: {stapled:?}");
        assert!(!is_verified(stapled.as_ref()), "{name}: {stapled:?}");
    }
}

#[test]
fn no_bad_staple_of_openssls_server_is_taken() {
    if Command::new("openssl").arg("version").output().is_err() {
        assert!(env::var_os("CI").is_none_or(|ci| ci != "true"), "openssl is not there");
        eprintln!("SKIPPED: openssl is not there");
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openssl-server");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let world = World::new();
    write_pem(folder.join("leaf.pem"), "CERTIFICATE", &world.leaf_der);
    write_pem(folder.join("leaf.key"), "PRIVATE KEY", &private_key(SEED));
    let good = world.good_proofs().into_iter().map(|proof| (proof, true));
    let bad = world.bad_proofs().into_iter().map(|proof| (proof, false));
    for ((name, proof), is_good) in good.chain(bad) {
        fs::write(folder.join("staple"), proof).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let _server = Server::start(&folder, port);
        let stapled = world.connect(port);
        assert!(stapled.as_ref().is_some_and(|stapled| *stapled != Stapled::Missing), "{name}");
        assert_eq!(is_verified(stapled.as_ref()), is_good, "{name}: {stapled:?}");
    }
    fs::remove_dir_all(&folder).unwrap();
}
