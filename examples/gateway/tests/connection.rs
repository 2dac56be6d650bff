//! Connections with servers on loopback, in clear and over TLS.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ocsp_staple::Requirement;
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::{CertificateError, ClientConfig, OtherError, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::relay::settings;
use crate::gateway::delivery::connection::{
    CommandError, Connection, HandshakeError, OpenError, Target, TlsClient, TlsPlan,
};
use crate::gateway::delivery::server_check::{Authentication, Method, Reported, ServerCheck};
use crate::gateway::events::delivery_attempt::DeliveryAttempt;
use crate::gateway::events::origin::Origin;
use crate::gateway::smtp::client::{Declared, Delivery, Lost};

/// The next step of a server.
#[derive(Clone, Debug)]
enum Act {
    Say(&'static str),
    /// Reads up to the end of a line, or of a message.
    Hear(&'static str),
    Tls,
    Pause,
    Close,
}
use Act::{Close, Hear, Pause, Say, Tls};

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A certificate of its own for `mx.example`, and the settings of both sides.
struct Party {
    certificate: CertificateDer<'static>,
    server: Arc<ServerConfig>,
}

impl Party {
    fn new() -> Self {
        let key = rcgen::generate_simple_self_signed(["mx.example".to_owned()]).unwrap();
        let certificate = key.cert.der().clone();
        let secret = PrivateKeyDer::Pkcs8(key.signing_key.serialize_der().into());
        let provider = Arc::new(ring::default_provider());
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], secret)
            .unwrap();
        Self { certificate, server: Arc::new(server) }
    }

    /// A client that trusts this certificate.
    fn client(&self) -> TlsClient {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let algorithms = provider.signature_verification_algorithms;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let server_name = "mx.example".try_into().unwrap();
        let authentication =
            Authentication::new(Method::Unauthenticated, Reported::default(), algorithms);
        let (authentication, off) = (Arc::new(authentication), Requirement::Off);
        let check = ServerCheck::new(authentication, Arc::default(), algorithms, off);
        let (config, check) = (Arc::new(config), Arc::new(check));
        TlsClient { config, server_name, check, may_clear: false }
    }

    /// A server that does this, and then listens; its task returns all that it was sent.
    async fn serve(&self, acts: Vec<Act>) -> (SocketAddr, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = TlsAcceptor::from(self.server.clone());
        let task = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let (mut stream, mut sent): (Box<dyn Stream>, _) = (Box::new(stream), String::new());
            for act in acts {
                match act {
                    Say(text) => stream.write_all(text.as_bytes()).await.unwrap(),
                    Hear(end) => {
                        let start = sent.len();
                        while !sent[start..].ends_with(end) {
                            let Ok(octet) = stream.read_u8().await else { return sent };
                            sent.push(char::from(octet));
                        }
                    }
                    Tls => match acceptor.accept(stream).await {
                        Ok(secured) => {
                            stream = Box::new(secured);
                            sent.push_str("(TLS)");
                        }
                        Err(_) => return sent,
                    },
                    Pause => tokio::time::sleep(Duration::from_millis(50)).await,
                    Close => return sent,
                }
                stream.flush().await.unwrap();
            }
            while let Ok(octet) = stream.read_u8().await {
                sent.push(char::from(octet));
            }
            sent
        });
        (address, task)
    }

    /// Opens a connection to a server that does this; returns it, and all that the server was sent
    /// after the connection has ended.
    async fn open(
        &self,
        acts: &[Act],
        plan: TlsPlan,
    ) -> (Result<Box<Connection>, OpenError>, JoinHandle<String>) {
        let (address, task) = self.serve(acts.to_vec()).await;
        (open(address, &plan).await, task)
    }
}

async fn open(address: SocketAddr, plan: &TlsPlan) -> Result<Box<Connection>, OpenError> {
    let target = Target {
        address,
        try_prdr: true,
        try_chunking: true,
        needs: None,
        proxy: None,
        open_by: None,
        until: None,
    };
    let attempt = DeliveryAttempt::new(&Origin::default(), "mx.example", address, true);
    Connection::open(&target, plan, &settings(address, WAIT).settings, attempt).await
}

async fn transact(connection: &mut Connection) -> Delivery {
    let sender = "<a@client.example>".parse().unwrap();
    let recipients = vec!["b@mx.example".parse().unwrap(), "c@mx.example".parse().unwrap()];
    let parts = ["Subject: a\r\n\r\n.b\r\n".into()];
    let declared = Declared { prdr: true, ..Declared::default() };
    connection.transact((&sender, recipients), declared, &parts).await.unwrap()
}

const WAIT: Duration = Duration::from_secs(5);
const STARTTLS: &str = "250-mx.example\r\n250 STARTTLS\r\n";
const EHLO: &str = "EHLO gw.example\r\n";
/// Greeting, `EHLO` with the offer of `STARTTLS`, and the command.
const START: [Act; 4] =
    [Say("220 mx.example\r\n"), Hear("\r\n"), Say(STARTTLS), Hear("STARTTLS\r\n")];

fn with(acts: &[Act]) -> Vec<Act> {
    [&START[..], acts].concat()
}

#[tokio::test]
async fn a_message_goes_over_tls_in_a_session_that_begins_again() {
    let party = Party::new();
    for plan in [TlsPlan::IfOffered(party.client()), TlsPlan::Required(party.client())] {
        let acts = with(&[
            Say("220 go\r\n"),
            Tls,
            Hear("\r\n"),
            Say("250-mx.example\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 PRDR\r\n"),
            Hear("RCPT TO:<c@mx.example>\r\n"),
            Say("250 s\r\n250 b\r\n"),
            Pause,
            Say("250 c\r\n"),
            Hear(".b\r\n"),
            Say("353 go\r\n250 b has it\r\n"),
            Pause,
            Say("550 c does not\r\n250 end\r\n"),
            Hear("QUIT\r\n"),
            Say("221 bye\r\n"),
        ]);
        let (connection, task) = party.open(&acts, plan).await;
        let mut connection = connection.unwrap();
        let secured = connection.secured().unwrap();
        assert!(secured.outcome.cipher.starts_with("TLS1.3:TLS_"), "{:?}", secured.outcome);
        let delivery = transact(&mut connection).await;
        let replies: Vec<_> =
            delivery.recipients.iter().map(|result| result.reply().unwrap().to_string()).collect();
        assert_eq!(replies, ["250 b has it", "550 c does not"]);
        assert_eq!(delivery.lost, None);
        assert!(connection.uses_chunking() && !connection.offers_require_tls());
        connection.quit().await;
        assert_eq!(
            task.await.unwrap(),
            "EHLO gw.example\r\nSTARTTLS\r\n(TLS)EHLO gw.example\r\n\
             MAIL FROM:<a@client.example> PRDR\r\nRCPT TO:<b@mx.example>\r\n\
             RCPT TO:<c@mx.example>\r\nBDAT 18 LAST\r\nSubject: a\r\n\r\n.b\r\nQUIT\r\n"
        );
    }
}

#[tokio::test]
async fn a_refusal_of_starttls_leads_on_in_clear_only_where_tls_is_not_required() {
    let party = Party::new();
    let acts = with(&[
        Say("454 4.7.0 TLS not available\r\n"),
        Hear("\r\n"),
        Say("250 s\r\n"),
        Hear("\r\n"),
        Say("250 b\r\n"),
    ]);
    let trying = TlsClient { may_clear: true, ..party.client() };
    let (connection, task) = party.open(&acts, TlsPlan::IfOffered(trying)).await;
    let mut connection = connection.unwrap();
    assert!(connection.secured().is_none());
    let sender = "<a@client.example>".parse().unwrap();
    assert!(connection.mail(&sender, Declared::default()).await.is_ok());
    assert!(connection.rcpt(&"b@mx.example".parse().unwrap()).await.is_ok());
    drop(connection);
    let mail = "MAIL FROM:<a@client.example>\r\nRCPT TO:<b@mx.example>\r\n";
    assert_eq!(task.await.unwrap(), format!("{EHLO}STARTTLS\r\n{mail}"));

    // Without tls_tempfail_tryclear a temporary refusal does not lead on, either.
    for plan in [TlsPlan::Required(party.client()), TlsPlan::IfOffered(party.client())] {
        let (connection, task) = party.open(&acts[..5], plan).await;
        let reply = "454 4.7.0 TLS not available".parse().unwrap();
        assert_eq!(connection.unwrap_err(), OpenError::TlsRefused(reply));
        assert_eq!(task.await.unwrap(), format!("{EHLO}STARTTLS\r\nQUIT\r\n"));
    }
    let acts = with(&[Say("502 5.5.1 no TLS\r\n")]);
    let (connection, _) = party.open(&acts, TlsPlan::IfOffered(party.client())).await;
    assert!(connection.unwrap().secured().is_none());
}

#[tokio::test]
async fn without_the_offer_nothing_is_sent_where_tls_is_required() {
    let party = Party::new();
    let acts = [Say("220 mx.example\r\n"), Hear("\r\n"), Say("250 mx.example\r\n")];
    let (connection, task) = party.open(&acts, TlsPlan::Required(party.client())).await;
    assert_eq!(connection.unwrap_err(), OpenError::TlsNotOffered);
    assert_eq!(task.await.unwrap(), format!("{EHLO}QUIT\r\n"));
    let (connection, task) = party.open(&acts, TlsPlan::IfOffered(party.client())).await;
    assert!(connection.unwrap().secured().is_none());
    assert_eq!(task.await.unwrap(), EHLO);
}

/// Source: RFC 3207 section 6; CVE-2011-0411.
#[tokio::test]
async fn octets_behind_the_reply_to_starttls_are_not_believed() {
    let party = Party::new();
    for plan in [TlsPlan::IfOffered(party.client()), TlsPlan::Required(party.client())] {
        let acts = with(&[Say("220 go\r\n250-mx.example\r\n250 SIZE\r\n"), Tls]);
        let (connection, task) = party.open(&acts, plan).await;
        let stage = "STARTTLS".to_owned();
        let expected = OpenError::Lost { reason: Lost::OutOfTurn, stage };
        assert_eq!(connection.unwrap_err(), expected);
        assert_eq!(task.await.unwrap(), format!("{EHLO}STARTTLS\r\n"));
    }
}

#[tokio::test]
async fn a_failed_handshake_is_told_apart_and_nothing_is_sent_after_it() {
    let (party, other) = (Party::new(), Party::new());
    for plan in [TlsPlan::IfOffered(other.client()), TlsPlan::Required(other.client())] {
        // The client does not trust the certificate.
        let (connection, task) = party.open(&with(&[Say("220 go\r\n"), Tls]), plan.clone()).await;
        let error = connection.unwrap_err();
        let distrusted = matches!(
            &error,
            OpenError::Handshake(HandshakeError::Tls {
                error: rustls::Error::InvalidCertificate(_),
                ..
            })
        );
        assert!(distrusted, "{error:?}");
        assert_eq!(task.await.unwrap(), format!("{EHLO}STARTTLS\r\n"));
        // The server speaks no TLS.
        let nonsense = with(&[Say("220 go\r\n"), Pause, Say("500 what is this?\r\n"), Pause]);
        let (connection, _task) = party.open(&nonsense, plan.clone()).await;
        let error = connection.unwrap_err();
        assert!(matches!(error, OpenError::Handshake(HandshakeError::Tls { .. })), "{error:?}");
    }
}

#[test]
fn a_refused_certificate_is_explained_in_words() {
    let check = Party::new().client().check;
    let refused = |error: CertificateError| {
        let error = io::Error::other(rustls::Error::InvalidCertificate(error));
        OpenError::Handshake(HandshakeError::of(&error, &check)).to_string()
    };
    let verdict = io::Error::other("none of the TLSA records matches");
    assert_eq!(
        refused(CertificateError::Other(OtherError(Arc::new(verdict)))),
        "TLS session: invalid peer certificate: none of the TLSA records matches"
    );
    assert_eq!(
        refused(CertificateError::UnknownIssuer),
        "TLS session: invalid peer certificate: UnknownIssuer"
    );
    assert!(refused(CertificateError::InvalidOcspResponse).contains("OCSP staple"));
}

/// Unreadable TLS features may demand a staple.
#[test]
fn a_certificate_whose_tls_features_cannot_be_read_is_refused_in_words() {
    let algorithms = ring::default_provider().signature_verification_algorithms;
    let anyone = Authentication::new(Method::Unauthenticated, Reported::default(), algorithms);
    let request = Requirement::Request;
    let check = ServerCheck::new(Arc::new(anyone), Arc::default(), algorithms, request);
    let mut params = CertificateParams::new(["mx.example".to_owned()]).unwrap();
    let feature = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 24], vec![4, 0]);
    params.custom_extensions.push(feature);
    let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    let name = "mx.example".try_into().unwrap();
    let error = check.verify_server_cert(certificate.der(), &[], &name, &[], UnixTime::now());
    let text = HandshakeError::of(&io::Error::other(error.unwrap_err()), &check).to_string();
    let cause = "the certificate of the server is malformed: TLSFeature: unexpected tag at byte ";
    assert!(text.contains(cause), "{text}");
}

#[tokio::test]
async fn a_server_that_closes_or_falls_silent_in_the_handshake_is_told_apart() {
    let party = Party::new();
    let acts = with(&[Say("220 go\r\n"), Pause, Close]);
    let (connection, _task) = party.open(&acts, TlsPlan::Required(party.client())).await;
    assert_eq!(connection.unwrap_err(), OpenError::Handshake(HandshakeError::Closed));

    let (address, _task) = party.serve(with(&[Say("220 go\r\n")])).await;
    let mut settings = settings(address, WAIT).settings;
    settings.limits.session.command = Duration::from_millis(100);
    let target = Target {
        address,
        try_prdr: false,
        try_chunking: false,
        needs: None,
        proxy: None,
        open_by: None,
        until: None,
    };
    let attempt = DeliveryAttempt::new(&Origin::default(), "mx.example", address, true);
    let plan = TlsPlan::Required(party.client());
    let error = Connection::open(&target, &plan, &settings, attempt).await.unwrap_err();
    assert_eq!(error, OpenError::Handshake(HandshakeError::Slow));
}

/// A TLS stream has no `try_read`: what the server says out of turn must be seen all the same.
#[tokio::test]
async fn a_reply_given_too_early_is_seen_through_tls() {
    let party = Party::new();
    let acts = with(&[
        Say("220 go\r\n"),
        Tls,
        Hear("\r\n"),
        Say("250 mx.example\r\n"),
        Hear("\r\n"),
        Say("250 s\r\n"),
        Pause,
        Say("250 b, I guess\r\n"),
    ]);
    let (connection, task) = party.open(&acts, TlsPlan::Required(party.client())).await;
    let mut connection = connection.unwrap();
    let sender = "<a@client.example>".parse().unwrap();
    assert!(connection.mail(&sender, Declared::default()).await.is_ok());
    tokio::time::sleep(Duration::from_millis(200)).await;
    let reply = connection.rcpt(&"b@mx.example".parse().unwrap()).await;
    assert_eq!(reply, Err(CommandError::Lost(Lost::OutOfTurn)));
    connection.quit().await;
    assert!(!task.await.unwrap().contains("RCPT"));
}

/// The first host accepts connections and says nothing: time is left for the second one.
#[tokio::test]
async fn a_silent_server_has_only_the_time_for_the_opening() {
    let party = Party::new();
    for (acts, stage) in [
        (&[][..], "initial connection"),
        (&[Say("220 mx\r\n"), Hear("\r\n"), Say("250-mx\r\n")], "EHLO gw.example"),
    ] {
        let (address, _task) = party.serve(acts.to_vec()).await;
        let open_by = Instant::now() + Duration::from_millis(200);
        let (try_prdr, try_chunking, until) = (false, false, None);
        let (needs, proxy, open_by) = (None, None, Some(open_by));
        let target = Target { address, try_prdr, try_chunking, needs, proxy, open_by, until };
        let attempt = DeliveryAttempt::new(&Origin::default(), "mx.example", address, true);
        let plan = TlsPlan::Clear;
        let opened =
            Connection::open(&target, &plan, &settings(address, WAIT).settings, attempt).await;
        let expected = OpenError::Lost { reason: Lost::Slow, stage: stage.to_owned() };
        assert_eq!(opened.unwrap_err(), expected);
    }
}
