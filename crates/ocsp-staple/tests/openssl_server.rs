//! A client with a `StapleVerifier` and `openssl s_server`, which staples whatever it is given.
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

use std::env;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use authority::{Authority, GOOD, Said, Wanted, extension, later, tlv};
use data_encoding::BASE64;
use ocsp_staple::rustls_pki_types::UnixTime;
use ocsp_staple::{Requirement, Stapled};
use private_key::private_key;
use revocation::revoked;
use rustls::crypto::ring::default_provider;
use rustls::{ClientConfig, ClientConnection};
use trusting::trusting;

/// The server's private key, of which all octets are this.
const SEED: u8 = 3;
const HOUR: Duration = Duration::from_secs(3600);
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
            server,
        }
    }

    /// The signer's certificate, from an authority, for a purpose, until so long from now.
    fn signer_by(&self, authority: &Authority, purpose: &[u8], until: UnixTime) -> Vec<u8> {
        let extensions = match purpose {
            [] => Vec::new(),
            purpose => vec![extension(EXTENDED_KEY_USAGE, purpose)],
        };
        let validity = (ago(DAY * 20), until);
        let wanted = Wanted { serial: 7, name: "Signer", validity, extensions: &extensions };
        authority.issue(&self.signer, &wanted)
    }

    fn direct(&self, said: &Said) -> Vec<u8> {
        self.root.respond(&self.root, said, None)
    }

    fn delegated(&self, certificate: Option<&[u8]>) -> Vec<u8> {
        self.signer.respond(&self.root, &week(GOOD), certificate)
    }

    /// Each proof by its name, and whether it is good.
    fn proofs(&self) -> Vec<(&'static str, Vec<u8>, bool)> {
        let signer = |purpose: &[u8]| self.signer_by(&self.root, purpose, ahead(DAY));
        let by_other = self.signer_by(&self.other, OCSP_SIGNING, ahead(DAY));
        let ended = self.signer_by(&self.root, OCSP_SIGNING, ago(HOUR));
        let during = |this, next| self.direct(&Said::new(GOOD, this, next));
        let nonce = extension(b"\x2b\x06\x01\x05\x05\x07\x30\x01\x02", &tlv(0x04, &[&[7; 16]]));
        let nonce = tlv(0xa1, &[&tlv(0x30, &[&nonce])]);
        let mut forged = self.direct(&week(GOOD));
        *forged.last_mut().unwrap() ^= 1;
        let failed = |status: u8| vec![0x30, 3, 0x0a, 1, status];
        vec![
            ("direct", self.direct(&week(GOOD)), true),
            ("delegated", self.delegated(Some(&signer(OCSP_SIGNING))), true),
            ("with a nonce", self.direct(&Said { extensions: nonce, ..week(GOOD) }), true),
            ("short", during(ago(HOUR), ahead(HOUR)), true),
            ("no nextUpdate", self.direct(&Said { next_update: None, ..week(GOOD) }), false),
            ("no signer in it", self.delegated(None), false),
            ("ended", during(ago(DAY * 14), ago(DAY * 7)), false),
            ("ended an hour ago", during(ago(DAY), ago(HOUR)), false),
            ("of tomorrow", during(ahead(DAY), ahead(DAY * 8)), false),
            ("revoked", self.direct(&week(&revoked(ago(DAY)))), false),
            ("unknown", self.direct(&week(UNKNOWN)), false),
            ("another number", self.direct(&Said { serial: 2, ..week(GOOD) }), false),
            ("another issuer", self.root.respond(&self.other, &week(GOOD), None), false),
            ("signed by another", self.other.respond(&self.root, &week(GOOD), None), false),
            ("signer without a purpose", self.delegated(Some(&signer(&[]))), false),
            ("signer for servers", self.delegated(Some(&signer(SERVER_AUTH))), false),
            ("signer has ended", self.delegated(Some(&ended)), false),
            ("signer of another", self.delegated(Some(&by_other)), false),
            (
                "signed by the server itself",
                self.server.respond(&self.root, &week(GOOD), Some(&self.leaf_der)),
                false,
            ),
            ("wrong signature", forged, false),
            ("malformedRequest", failed(1), false),
            ("internalError", failed(2), false),
            ("tryLater", failed(3), false),
            ("sigRequired", failed(5), false),
            ("unauthorized", failed(6), false),
        ]
    }

    fn connect(&self, port: u16) -> Stapled {
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
        let stapled = verifier.stapled().unwrap();
        assert_eq!(ended.is_ok(), matches!(stapled, Stapled::Verified(_)), "{stapled} {ended:?}");
        stapled
    }
}

/// An answer of an hour ago, for a week.
fn week(status: &[u8]) -> Said {
    Said::new(status, ago(HOUR), ahead(DAY * 7))
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
    for (name, proof, is_good) in world.proofs() {
        fs::write(folder.join("staple"), proof).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let _server = Server::start(&folder, port);
        let stapled = world.connect(port);
        assert_ne!(stapled, Stapled::Missing, "{name}");
        assert_eq!(matches!(stapled, Stapled::Verified(_)), is_good, "{name}: {stapled}");
    }
    fs::remove_dir_all(&folder).unwrap();
}
