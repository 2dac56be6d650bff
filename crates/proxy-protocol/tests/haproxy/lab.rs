//! Starts a `HAProxy` with one frontend and one server, a client before it and the server behind it.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use proxy_protocol::{Header, Options, Receiver};

/// The client of `HAProxy`.
pub(crate) enum Client {
    /// No client: `HAProxy` connects by itself.
    None,
    /// A client that first sends this.
    Tcp(&'static [u8]),
    Unix,
    /// `openssl s_client`, with these arguments.
    Tls(&'static [&'static str]),
}

/// The input of the server behind `HAProxy`.
#[derive(Debug)]
pub(crate) struct Seen {
    header: Vec<u8>,
    pub(crate) frontend: SocketAddr,
    pub(crate) client: Option<SocketAddr>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Header<'_> {
        match Header::parse(&self.header) {
            Ok((b"", header)) => header,
            other => panic!("{name}: {other:?}, {}", self.header.escape_ascii()),
        }
    }
}

/// A folder with the certificates, removed in the end.
pub(crate) struct Files(PathBuf);

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

pub(crate) fn skipped(why: &str) {
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{why}");
    println!("SKIPPED: {why}");
}

impl Files {
    /// Makes the folder, unless `HAProxy` or `openssl` is missing.
    pub(crate) fn new() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        static FOUND: OnceLock<bool> = OnceLock::new();
        if std::env::var_os("EXIMIA_PEERS").is_some_and(|wanted| wanted == "none") {
            println!("SKIPPED: no peers are wanted");
            return None;
        }
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

    /// Starts `HAProxy` with one frontend and one server, and returns the octets that reach the server
    /// before the client's EHLO.
    pub(crate) fn seen_by_server(&self, bind: &str, server: &str, client: &Client) -> Seen {
        let backend = TcpListener::bind("127.0.0.1:0").unwrap();
        let (frontend, _haproxy) = self.start(bind, server, backend.local_addr().unwrap());
        let (connection, client) = self.connect(client, frontend);
        let header = serve(&backend, &connection);
        Seen { header, frontend, client }
    }

    /// Starts it on a port that is free; another program may be faster, then on the next.
    fn start(&self, bind: &str, server: &str, backend: SocketAddr) -> (SocketAddr, Running) {
        // Below the ports that clients are given.
        static PORT: AtomicU32 = AtomicU32::new(0);
        let ip = if bind.contains("@ip6") { "[::1]" } else { "127.0.0.1" };
        for _ in 0..50 {
            let next = std::process::id() * 37 + PORT.fetch_add(1, Ordering::Relaxed);
            let frontend: SocketAddr = format!("{ip}:{}", 23_000 + next % 9_000).parse().unwrap();
            if TcpListener::bind(frontend).is_err() {
                continue;
            }
            self.configure(bind, server, frontend, backend);
            let log = fs::File::create(self.path("log")).unwrap();
            let mut program = Command::new(haproxy());
            program.args(["-db", "-f"]).arg(self.path("cfg"));
            program.stdout(log.try_clone().unwrap()).stderr(log);
            let mut haproxy = Running(program.spawn().unwrap());
            while haproxy.0.try_wait().unwrap().is_none() {
                if self.answers().is_ok_and(|answers| answers) {
                    return (frontend, haproxy);
                }
                sleep(Duration::from_millis(5));
            }
        }
        panic!("{}", fs::read_to_string(self.path("log")).unwrap());
    }

    /// Whether it answers questions, which it does once it listens everywhere.
    fn answers(&self) -> std::io::Result<bool> {
        let mut stream = UnixStream::connect(self.path("control"))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"show info\n")?;
        Ok(stream.read(&mut [0; 64])? > 0)
    }

    fn configure(&self, bind: &str, server: &str, frontend: SocketAddr, backend: SocketAddr) {
        let control = self.path("control");
        let _ = fs::remove_file(&control);
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
  stats socket {}
defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  unique-id-format %{{+X}}o\\ %ci:%cp_%fi:%fp_%Ts_%rt:%pid
listen all
  bind {bind}
  server one {backend} {server}
",
            control.display()
        );
        fs::write(self.path("cfg"), config).unwrap();
    }

    /// Connects as soon as the server listens.
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

/// The open connection of a client.
enum Connection {
    None,
    Tcp(#[expect(dead_code, reason = "it is held open")] TcpStream),
    Unix(#[expect(dead_code, reason = "it is held open")] UnixStream),
    Tls(#[expect(dead_code, reason = "it ends with the test")] Running),
}

const SPEECH: &[u8] = b"EHLO client.example\r\n";

/// The server: reads exactly the header, then the client's text.
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
        assert_eq!(receiver.handle_bytes(&part), part.len(), "no more than is needed");
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
