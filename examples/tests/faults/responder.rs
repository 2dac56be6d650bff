//! A responder of OCSP that is dead, silent, or never ends its response.

use std::cell::RefCell;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use super::clients::{MAIL, Mail};
use super::fault::{Gateway, check_mail, lasting, under_load};
use crate::peers::authority::Authority;
use crate::peers::block::Block;
use crate::peers::servers::have;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fault {
    Dead,
    Silent,
    /// A body that says that it is short, and is not; then one that has no length.
    Endless,
    /// A header section without an end.
    EndlessHeader,
}

/// A server in the place of the responder.
struct Impostor {
    asked: Arc<AtomicUsize>,
    ended: Arc<AtomicBool>,
    thread: JoinHandle<()>,
    port: u16,
}

impl Impostor {
    fn start(port: u16, fault: Fault) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let (asked, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, end) = (Arc::clone(&asked), Arc::clone(&ended));
        let thread = thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                if end.load(Ordering::Acquire) {
                    return;
                }
                count.fetch_add(1, Ordering::AcqRel);
                let end = Arc::clone(&end);
                thread::spawn(move || {
                    let _ = stream.read(&mut [0; 4096]);
                    let (start, piece): (&[u8], &[u8]) = match fault {
                        Fault::Dead => return,
                        Fault::Silent => (b"", b""),
                        Fault::Endless => (
                            b"HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\n\r\n",
                            &[0x30; 4096],
                        ),
                        Fault::EndlessHeader => (b"HTTP/1.1 200 OK\r\n", b"X-More: of it\r\n"),
                    };
                    let mut is_open = stream.write_all(start).is_ok();
                    while is_open && !end.load(Ordering::Acquire) {
                        if piece.is_empty() {
                            thread::sleep(Duration::from_millis(20));
                        }
                        is_open = stream.write_all(piece).is_ok();
                    }
                });
            }
        });
        Self { asked, ended, thread, port }
    }

    /// Ends it; its port is free then.
    fn end(self) {
        self.ended.store(true, Ordering::Release);
        // The last connection that it accepts.
        drop(std::net::TcpStream::connect(("127.0.0.1", self.port)));
        self.thread.join().unwrap();
    }
}

fn client(authority: &Authority) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority.path("ca.pem")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Clients that require no staple get TLS as before.
#[test]
fn a_responder_that_does_not_answer_holds_up_no_mail() {
    if !have(&["openssl"]) {
        return;
    }
    let block = Block::claim();
    let port = block.own(0);
    for fault in [Fault::Dead, Fault::Silent, Fault::Endless, Fault::EndlessHeader] {
        let mut authority = Authority::make("faults-ocsp-authority", port);
        authority.issue("mx.test", "V");
        let mail = Mail { tls: Some(client(&authority)), ..MAIL };
        // The certificate is new to the gateway: it asks at once, and again while the fault lasts.
        let impostor = Impostor::start(port, fault);
        let (pem, key) = (authority.path("mx.test.pem"), authority.path("mx.test.key"));
        let options = format!("tls_certificate = '{pem}'\ntls_privatekey = '{key}'");
        let gateway = Gateway::start("faults-ocsp", &options);
        let before = gateway.memory();
        let impostor = RefCell::new(Some(impostor));
        let responder = RefCell::new(None);
        let told = under_load(
            &gateway.address,
            &[mail],
            || (),
            || {
                let impostor = impostor.take().unwrap();
                assert!(impostor.asked.load(Ordering::Acquire) > 0, "{fault:?}");
                impostor.end();
                responder.replace(Some(authority.respond()));
            },
        );
        assert!(told.during.len() > 10, "{fault:?}: {:?}", told.during);
        let all = told.during.iter().all(|attempt| attempt.answer.is_taken());
        assert!(all, "{fault:?}: {:?}", told.during);
        check_mail(|| gateway.mail(), &told.all);
        let grown = gateway.memory().saturating_sub(before);
        assert!(grown < 32 << 10, "{fault:?}: {grown} KiB more");
        if lasting() >= BACKOFF {
            wait_for_staple(&gateway, fault);
        }
    }
}

fn wait_for_staple(gateway: &Gateway, fault: Fault) {
    let start = Instant::now();
    while !gateway.program.log().contains("OCSP staple is good until") {
        assert!(start.elapsed() < BACKOFF * 4, "{fault:?}: {}", gateway.program.log());
        thread::sleep(Duration::from_millis(100));
    }
}

/// The gateway asks again after half of this to all of it, and then after twice as long.
const BACKOFF: Duration = Duration::from_mins(1);
