//! What `HAProxy` sends, live: each row starts one of its own, on loopback.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may panic")]

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use proxy_protocol::{Endpoints, Header, Options, Receiver, Ssl, TlvKind, Transport, Version};

#[test]
fn addresses_of_a_tcp_client() {
    let Some(files) = Files::new() else { return };
    for (server, version) in [
        ("send-proxy", Version::V1),
        ("send-proxy-v2", Version::V2),
        ("send-proxy-v2 proxy-v2-options crc32c", Version::V2),
    ] {
        let seen = files.run("", server, &Client::Tcp(b""));
        let header = seen.header(server);
        assert_eq!(header.version, version, "{server}");
        let Endpoints::Inet { transport, source, destination } = header.endpoints else {
            panic!("{server}: {header:?}");
        };
        assert_eq!(transport, Transport::Stream);
        assert_eq!(source, seen.client.unwrap(), "{server}");
        assert_eq!(destination, seen.frontend, "{server}");
        assert_eq!(header.tlvs.crc32c().is_some(), server.contains("crc32c"));
    }
}

#[test]
fn addresses_of_an_ipv6_client() {
    let Some(files) = Files::new() else { return };
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        return skipped("there is no IPv6 here");
    }
    for server in ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c"] {
        let seen = files.run("@ip6", server, &Client::Tcp(b""));
        let Endpoints::Inet { source, destination, .. } = seen.header(server).endpoints else {
            panic!("{server}: {seen:?}");
        };
        assert_eq!(source, seen.client.unwrap(), "{server}");
        assert_eq!(destination, seen.frontend, "{server}");
    }
}

#[test]
fn addresses_that_it_was_told_itself() {
    let Some(files) = Files::new() else { return };
    let lines: [&[u8]; 3] = [
        b"PROXY TCP4 192.0.2.1 198.51.100.25 5555 25\r\n",
        b"PROXY TCP6 2001:db8:1::1 2001:db8::25 65535 25\r\n",
        b"PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.25 1 2\r\n",
    ];
    for line in lines {
        let (_, told) = Header::parse(line).unwrap();
        for server in ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c"] {
            let seen = files.run("accept-proxy", server, &Client::Tcp(line));
            assert_eq!(seen.header(server).endpoints, told.endpoints, "{server}");
        }
    }
}

/// Version 1 says UNKNOWN; in version 2, 2.6 says LOCAL, where UNSPEC would do as well.
#[test]
fn a_client_on_a_unix_socket_has_no_address() {
    let Some(files) = Files::new() else { return };
    let seen = files.run("@unix", "send-proxy", &Client::Unix);
    assert_eq!(seen.header("send-proxy").endpoints, Endpoints::Unknown);
    let seen = files.run("@unix", "send-proxy-v2", &Client::Unix);
    let header = seen.header("send-proxy-v2");
    assert_eq!(header.version, Version::V2);
    assert!(matches!(header.endpoints, Endpoints::Local | Endpoints::Unknown), "{header:?}");
}

#[test]
fn health_checks() {
    let Some(files) = Files::new() else { return };
    let seen = files.run("", "send-proxy-v2 check inter 500ms", &Client::None);
    assert_eq!(seen.header("v2 check").endpoints, Endpoints::Local);
    // Version 1 has no word for it: the line has the addresses of the check's own connection.
    let seen = files.run("", "send-proxy check inter 500ms", &Client::None);
    let header = seen.header("v1 check");
    let Endpoints::Inet { source, .. } = header.endpoints else { panic!("{header:?}") };
    assert!(source.ip().is_loopback());
}

type Check = fn(&Header<'_>, &Ssl<'_>) -> bool;

/// Each option alone, then all; what an option asks for is there and, with one alone, nothing else.
#[test]
fn every_option_of_version_2() {
    let Some(files) = Files::new() else { return };
    let rows: [(&str, Check); 6] = [
        ("ssl", |_, ssl| ssl.version().unwrap().unwrap().starts_with("TLSv1.")),
        ("cert-cn", |_, ssl| ssl.common_name() == Ok(Some("client.example"))),
        ("ssl-cipher", |_, ssl| !ssl.cipher().unwrap().unwrap().is_empty()),
        ("cert-sig", |_, ssl| ssl.signature_algorithm().unwrap().unwrap().contains("SHA256")),
        ("cert-key", |_, ssl| ssl.key_algorithm().unwrap().unwrap().starts_with("EC")),
        ("ssl,cert-cn,ssl-cipher,cert-sig,cert-key,crc32c,unique-id,authority", |header, ssl| {
            let tlvs = header.tlvs;
            assert!(tlvs.crc32c().is_some());
            assert_eq!(tlvs.authority(), Ok(Some("mail.example")));
            assert!(!tlvs.unique_id().unwrap().is_empty());
            ssl.tlvs.iter().count() == 5
        }),
    ];
    for (option, check) in rows {
        let server = format!("send-proxy-v2 proxy-v2-options {option}");
        let seen = files.run("@mtls", &server, &Client::Tls(&["-servername", "mail.example"]));
        let header = seen.header(option);
        let ssl = header.tlvs.ssl().unwrap_or_else(|| panic!("{option}: {header:?}"));
        assert!(ssl.is_tls() && ssl.is_verified(), "{option}: {ssl:?}");
        assert!(check(&header, &ssl), "{option}: {ssl:?}");
    }
    for (option, kind) in [
        ("crc32c", TlvKind::CRC32C),
        ("unique-id", TlvKind::UNIQUE_ID),
        ("authority", TlvKind::AUTHORITY),
    ] {
        let server = format!("send-proxy-v2 proxy-v2-options {option}");
        let seen = files.run("@mtls", &server, &Client::Tls(&["-servername", "mail.example"]));
        let header = seen.header(option);
        let kinds: Vec<_> = header.tlvs.iter().map(|tlv| tlv.kind).collect();
        assert!(kinds.contains(&kind), "{option}: {kinds:?}");
        assert!(header.tlvs.ssl().is_none(), "{option}: {kinds:?}");
    }
}

#[test]
fn the_shorthands_for_tls() {
    let Some(files) = Files::new() else { return };
    for (server, name) in
        [("send-proxy-v2-ssl", None), ("send-proxy-v2-ssl-cn", Some("client.example"))]
    {
        let seen = files.run("@mtls alpn h2,http/1.1", server, &Client::Tls(&["-alpn", "h2"]));
        let header = seen.header(server);
        let ssl = header.tlvs.ssl().unwrap();
        assert!(ssl.is_tls() && ssl.has_connection_certificate(), "{ssl:?}");
        assert_eq!(ssl.common_name(), Ok(name), "{server}");
        assert_eq!(header.tlvs.alpn(), Some(&b"h2"[..]), "{server}");
    }
}

#[test]
fn a_tls_client_without_a_certificate_is_not_verified() {
    let Some(files) = Files::new() else { return };
    let seen = files.run("@tls", "send-proxy-v2-ssl", &Client::Tls(&["-no_certificate"]));
    let header = seen.header("no certificate");
    let ssl = header.tlvs.ssl().unwrap();
    assert!(ssl.is_tls() && !ssl.has_connection_certificate(), "{ssl:?}");
    assert!(!ssl.is_verified(), "{ssl:?}");
}

/// Who connects to `HAProxy`.
enum Client {
    /// Nobody: it connects by itself.
    None,
    /// Somebody who first says this.
    Tcp(&'static [u8]),
    Unix,
    /// `openssl s_client`, with these arguments.
    Tls(&'static [&'static str]),
}

/// What the server behind `HAProxy` saw.
#[derive(Debug)]
struct Seen {
    header: Vec<u8>,
    frontend: SocketAddr,
    client: Option<SocketAddr>,
}

impl Seen {
    fn header(&self, name: &str) -> Header<'_> {
        match Header::parse(&self.header) {
            Ok((b"", header)) => header,
            other => panic!("{name}: {other:?}, {}", self.header.escape_ascii()),
        }
    }
}

/// A folder with the certificates, removed in the end.
struct Files(PathBuf);

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Ends a program however the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn skipped(why: &str) {
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{why}");
    println!("SKIPPED: {why}");
}

impl Files {
    /// Makes the folder, unless `HAProxy` or `openssl` is missing.
    fn new() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        static FOUND: OnceLock<bool> = OnceLock::new();
        let has = |program: &Path, argument: &str| {
            let found = Command::new(program).arg(argument).stdout(Stdio::null()).status();
            found.is_ok_and(|status| status.success())
        };
        if !FOUND.get_or_init(|| has(&haproxy(), "-v") && has(Path::new("openssl"), "version")) {
            skipped("haproxy or openssl is not installed");
            return None;
        }
        let name =
            format!("haproxy-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let files = Self(std::env::temp_dir().join(name));
        fs::create_dir_all(&files.0).unwrap();
        for name in ["server.example", "client.example"] {
            let (key, certificate) = (files.path("key.pem"), files.path("cert.pem"));
            let status = Command::new("openssl")
                .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
                .args(["-nodes", "-sha256", "-days", "2", "-subj", &format!("/CN={name}")])
                .arg("-keyout")
                .arg(&key)
                .arg("-out")
                .arg(&certificate)
                .stderr(Stdio::null())
                .status();
            assert!(status.unwrap().success());
            let both = [fs::read(&certificate).unwrap(), fs::read(&key).unwrap()].concat();
            fs::write(files.path(&format!("{name}.pem")), both).unwrap();
            fs::rename(&certificate, files.path(&format!("{name}.crt"))).unwrap();
        }
        Some(files)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Starts `HAProxy` with one frontend and one server, lets the client connect and say EHLO, and
    /// returns what reaches the server before that.
    fn run(&self, bind: &str, server: &str, client: &Client) -> Seen {
        let backend = TcpListener::bind("127.0.0.1:0").unwrap();
        let ip = if bind.contains("@ip6") { "[::1]:0" } else { "127.0.0.1:0" };
        let frontend = TcpListener::bind(ip).unwrap().local_addr().unwrap();
        self.configure(bind, server, frontend, backend.local_addr().unwrap());
        let log = fs::File::create(self.path("log")).unwrap();
        let mut program = Command::new(haproxy());
        program.args(["-db", "-f"]).arg(self.path("cfg"));
        let _haproxy =
            Running(program.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap());
        let (connection, client) = self.connect(client, frontend);
        let header = serve(&backend, &connection);
        Seen { header, frontend, client }
    }

    fn configure(&self, bind: &str, server: &str, frontend: SocketAddr, backend: SocketAddr) {
        let (socket, pem) = (self.path("socket"), self.path("server.example.pem"));
        let tls = format!("ssl crt {}", pem.display());
        let ca = self.path("client.example.crt");
        let bind = match bind.split_once(' ').map_or((bind, ""), |(kind, rest)| (kind, rest)) {
            ("@unix", _) => format!("unix@{}", socket.display()),
            ("@tls", rest) => format!("{frontend} {tls} {rest}"),
            ("@mtls", rest) => {
                format!("{frontend} {tls} ca-file {} verify optional {rest}", ca.display())
            }
            ("accept-proxy", _) => format!("{frontend} accept-proxy"),
            _ => frontend.to_string(),
        };
        let config = format!(
            "global
  maxconn 100
  nbthread 1
defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  unique-id-format %{{+X}}o\\ %ci:%cp_%fi:%fp_%Ts_%rt:%pid
listen all
  bind {bind}
  server one {backend} {server}
"
        );
        fs::write(self.path("cfg"), config).unwrap();
    }

    /// Connects as soon as somebody listens.
    fn connect(&self, client: &Client, frontend: SocketAddr) -> (Connection, Option<SocketAddr>) {
        match client {
            Client::None => (Connection::None, None),
            Client::Unix => {
                let mut stream = patiently(|| UnixStream::connect(self.path("socket")));
                stream.write_all(SPEECH).unwrap();
                (Connection::Unix(stream), None)
            }
            Client::Tcp(first) => {
                let mut stream = patiently(|| TcpStream::connect(frontend));
                stream.write_all(&[first, SPEECH].concat()).unwrap();
                let client = stream.local_addr().unwrap();
                (Connection::Tcp(stream), Some(client))
            }
            Client::Tls(arguments) => {
                // Without a handshake it does not connect to its server.
                drop(patiently(|| TcpStream::connect(frontend)));
                let mut openssl = Command::new("openssl");
                openssl.args(["s_client", "-quiet", "-connect", &frontend.to_string()]);
                let pem = self.path("client.example.pem");
                let given = ["-cert".as_ref(), pem.as_os_str(), "-key".as_ref(), pem.as_os_str()];
                if !arguments.contains(&"-no_certificate") {
                    openssl.args(given);
                }
                openssl.args(arguments.iter().filter(|argument| **argument != "-no_certificate"));
                let output = openssl.stdin(Stdio::piped()).stdout(Stdio::null());
                let mut child = output.stderr(Stdio::null()).spawn().unwrap();
                child.stdin.as_mut().unwrap().write_all(SPEECH).unwrap();
                (Connection::Tls(Running(child)), None)
            }
        }
    }
}

/// What a client holds open.
enum Connection {
    None,
    Tcp(#[expect(dead_code, reason = "it is held open")] TcpStream),
    Unix(#[expect(dead_code, reason = "it is held open")] UnixStream),
    Tls(#[expect(dead_code, reason = "it ends with the test")] Running),
}

const SPEECH: &[u8] = b"EHLO client.example\r\n";

/// The server behind: reads the header and not a byte more, and then what the client says.
fn serve(backend: &TcpListener, connection: &Connection) -> Vec<u8> {
    backend.set_nonblocking(true).unwrap();
    let (mut stream, _) = patiently(|| backend.accept());
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut receiver = Receiver::new(Options::default(), Instant::now());
    let mut header = Vec::new();
    while receiver.outcome().is_none() {
        let mut part = vec![0; receiver.needed()];
        let read = stream.read(&mut part).unwrap();
        assert!(read > 0, "the connection ended: {}", header.escape_ascii());
        part.truncate(read);
        receiver.handle_bytes(&part);
        header.extend(part);
    }
    if !matches!(connection, Connection::None) {
        let mut speech = [0; SPEECH.len()];
        stream.read_exact(&mut speech).unwrap();
        assert_eq!(speech, SPEECH, "behind {}", header.escape_ascii());
    }
    header
}

/// Tries until it succeeds, ten seconds at most.
fn patiently<T>(mut attempt: impl FnMut() -> std::io::Result<T>) -> T {
    let start = Instant::now();
    loop {
        match attempt() {
            Ok(done) => return done,
            Err(error) => assert!(start.elapsed() < Duration::from_secs(10), "{error}"),
        }
        sleep(Duration::from_millis(10));
    }
}

/// The program; not every user's path has it.
fn haproxy() -> PathBuf {
    let path = Path::new("/usr/sbin/haproxy");
    if path.exists() { path.to_owned() } else { "haproxy".into() }
}
