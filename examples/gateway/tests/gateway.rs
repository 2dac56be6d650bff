//! A whole gateway on loopback, whose actions write their results into a database.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use event_expand::{Event, EventName};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::relay::{Then, next_hop};
use super::scratch::Scratch;
use crate::gateway::config::{Config, opening};
use crate::gateway::dns::resolver::NameServers;
use crate::gateway::events::settings::transports;
use crate::gateway::events::variables::{FACTS, may_set};
use crate::gateway::server::{Gateway, Reload};
use crate::gateway::smtp::client::ClientLimits;

/// A gateway that runs.
pub(super) struct Running {
    pub(super) scratch: Scratch,
    pub(super) address: SocketAddr,
    /// The address of metrics, if they are on.
    pub(super) metrics: Option<SocketAddr>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    reload: mpsc::Sender<()>,
}

impl Running {
    /// Starts one whose options are these lines; a line with a table is the last. Unless they say
    /// otherwise, each event becomes a row of its trace.
    pub(super) async fn start(options: &str) -> Self {
        let scratch = Scratch::new();
        make_table(scratch.path());
        Self::start_in(scratch, options).await
    }

    pub(super) async fn start_in(scratch: Scratch, options: &str) -> Self {
        let config = Self::config(scratch.path(), options);
        Self::serve(scratch, config).await
    }

    pub(super) fn config(folder: &Path, options: &str) -> Config {
        let given: toml::Table = options.parse().unwrap();
        let ours = |section| format!("event_action = '''{}'''\n", Self::action_of(section, ""));
        let main = if given.contains_key("event_action") { "" } else { &ours(None) };
        let tables = ["remote_smtp", "local_delivery"].into_iter();
        let tables = tables.filter(|table| !given.contains_key(*table));
        let tables: Vec<_> =
            tables.map(|table| format!("\n[{table}]\n{}", ours(Some(table)))).collect();
        let tables = tables.concat();
        // Nobody is there.
        let relay = "relay_to_domains = 'nowhere.example'\nroute_data = '127.0.0.1:1'\n";
        let relay = if given.contains_key("relay_to_domains") { "" } else { relay };
        let folder = folder.display();
        let text = format!(
            "primary_hostname = 'gw.example'\nlocal_interfaces = '127.0.0.1.0'\nhost_lookup = ''\n\
             local_domains = 'example.com'\nspool_directory = '{folder}'\n{main}{relay}{options}{tables}"
        );
        Config::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// Starts one of this configuration; the files are removed at its end.
    pub(super) async fn serve(scratch: Scratch, config: Config) -> Self {
        Self::serve_changed(scratch, config, |_| {}).await
    }

    /// The same, with what no option says.
    pub(super) async fn serve_changed(
        scratch: Scratch,
        mut config: Config,
        change: impl FnOnce(&mut Gateway),
    ) -> Self {
        let servers = NameServers::read(config.dns, Path::new("/etc/resolv.conf"));
        let wait = Duration::from_millis(500);
        let quit = Duration::from_millis(100);
        let limits = &mut config.server.live.remote.limits.session;
        *limits = ClientLimits { greeting: wait, command: wait, quit, ..*limits };
        let mut gateway = Gateway::new(config.server, servers.unwrap()).unwrap();
        change(&mut gateway);
        let listeners = gateway.listen().await.unwrap();
        let address = listeners.smtp[0].local_addr().unwrap();
        let metrics = listeners.metrics.as_ref().map(|listener| listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let (reload, wanted) = mpsc::channel(1);
        let folder = scratch.path().to_owned();
        let configure = move || {
            let (file, resolv_conf) = (folder.join("reloaded.toml"), folder.join("resolv.conf"));
            Ok(opening::read_again(Some(&file), &resolv_conf)?.server)
        };
        let task = tokio::spawn(gateway.serve(listeners, Reload::new(wanted, configure), async {
            let _ = stopped.await;
        }));
        Self { scratch, address, metrics, stop, task, reload }
    }

    /// The options of one that hands mail for `next.example` to this next hop, and others.
    pub(super) fn relaying(next_hop: SocketAddr, others: &str) -> String {
        format!(
            "relay_to_domains = 'next.example'\nroute_data = '{next_hop}'\nprdr_enable = true\n{others}"
        )
    }

    /// An action of a section that writes a row, and then comes to `result`.
    pub(super) fn action_of(section: Option<&str>, result: &str) -> String {
        let is_set = |name: &&str| {
            let mut own =
                EventName::ALL.into_iter().filter(|it| transports(*it).contains(&section));
            own.any(|event| may_set(event, section, name))
        };
        let names: Vec<_> = columns().into_iter().filter(is_set).collect();
        let values = names.iter().map(|name| format!("'${{quote_sqlite:${name}}}'"));
        let values = values.collect::<Vec<_>>().join(",");
        format!(
            "${{lookup sqlite{{INSERT INTO trace ({}) VALUES ({values})}}{{}}}}{result}",
            names.join(",")
        )
    }

    /// Returns a client that has read nothing.
    pub(super) async fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).await.unwrap();
        Client { stream, received: String::new() }
    }

    pub(super) async fn client(&self) -> Client {
        let mut client = self.connect().await;
        let banner = client.reply().await;
        assert!(banner.starts_with("220 "), "{banner}");
        client
    }

    /// Has it read `reloaded.toml` among its files instead of its configuration.
    pub(super) async fn reload(&self, text: &str) {
        // A reading under way never sees a part of it.
        let [new, file] = ["new.toml", "reloaded.toml"].map(|name| self.scratch.path().join(name));
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, file).unwrap();
        self.reload.send(()).await.unwrap();
    }

    /// Stops it as a signal does; returns what it has written.
    pub(super) async fn stop(self) -> Trace {
        let scratch = self.end().await;
        Trace { rows: rows(scratch.path()), scratch }
    }

    /// Stops it; returns its files.
    pub(super) async fn end(self) -> Scratch {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
        self.scratch
    }
}

/// A next hop with these replies.
pub(super) async fn hop(replies: &[&str]) -> (SocketAddr, JoinHandle<String>) {
    let then = if replies.is_empty() { Then::Close } else { Then::Listen };
    next_hop(replies.iter().map(ToString::to_string).collect(), then).await
}

/// An SMTP client that waits for each reply.
pub(super) struct Client {
    stream: TcpStream,
    received: String,
}

impl Client {
    /// Sends a message as far as it goes; returns the reply that ended it, or the last refusal.
    pub(super) async fn send(&mut self, recipients: &[&str], parameters: &str) -> String {
        self.say("EHLO client.example").await;
        let mut last = self.say(&format!("MAIL FROM:<ann@client.example>{parameters}")).await;
        let mut accepted = false;
        for recipient in recipients {
            last = self.say(&format!("RCPT TO:<{recipient}>")).await;
            accepted |= last.starts_with('2');
        }
        if accepted {
            assert!(self.say("DATA").await.starts_with("354"));
            last = self.say("Subject: a\r\n\r\nb\r\n.").await;
            while last.starts_with("353")
                || (parameters.contains("PRDR") && !self.received.is_empty())
            {
                last = self.reply().await;
            }
        }
        last
    }

    pub(super) async fn say(&mut self, line: &str) -> String {
        self.raw(format!("{line}\r\n").as_bytes()).await;
        self.reply().await
    }

    pub(super) async fn raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    pub(super) async fn quit(mut self) {
        self.say("QUIT").await;
        self.ended().await;
    }

    /// Ends its sending; it may still read.
    pub(super) async fn end_sending(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// Resets the connection.
    pub(super) fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }

    /// Returns its connection, without octets that it has received.
    pub(super) fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// Waits until the server has closed.
    pub(super) async fn ended(&mut self) {
        let mut rest = Vec::new();
        let _ = self.stream.read_to_end(&mut rest).await;
    }

    /// Returns all that comes until the server closes.
    pub(super) async fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        let _ = self.stream.read_to_end(&mut rest).await;
        std::mem::take(&mut self.received) + &String::from_utf8_lossy(&rest)
    }

    pub(super) async fn reply(&mut self) -> String {
        loop {
            let end = self.received.split_inclusive("\r\n").scan(0, |at, line| {
                *at += line.len();
                Some((*at, line.ends_with("\r\n") && line.as_bytes().get(3) == Some(&b' ')))
            });
            let end = end.into_iter().find(|(_, last)| *last).map(|(at, _)| at);
            if let Some(end) = end {
                let rest = self.received.split_off(end);
                let reply = std::mem::replace(&mut self.received, rest);
                return reply.trim_end().to_owned();
            }
            let mut bytes = [0; 4096];
            let count = self.stream.read(&mut bytes).await.unwrap();
            assert!(count > 0, "closed after {}", self.received);
            self.received.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        }
    }
}

/// Begins TLS with the gateway whose files are in this folder.
pub(super) async fn handshake(stream: TcpStream, spool: &Path) -> TlsStream<TcpStream> {
    let mut roots = rustls::RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(spool.join("tls-cert.pem")).unwrap();
    roots.add(certificate).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let settings = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("gw.example").unwrap();
    TlsConnector::from(Arc::new(settings)).connect(name, stream).await.unwrap()
}

/// What actions have written: a row for each event, with all the variables.
pub(super) struct Trace {
    pub(super) rows: Vec<BTreeMap<String, String>>,
    #[expect(dead_code, reason = "it holds the files until the end")]
    scratch: Scratch,
}

impl Trace {
    /// The events with their data, and their number where it is not 0.
    pub(super) fn said(&self) -> Vec<String> {
        let said = self.rows.iter().map(|row| {
            let data = row["event_data"].replace('\n', "\\n");
            let errno = match row["event_defer_errno"].as_str() {
                "0" => String::new(),
                errno => format!(" errno {errno}"),
            };
            format!("{}({data}){errno}", row["event_name"])
        });
        said.collect()
    }

    pub(super) fn row(&self, event: &str) -> &BTreeMap<String, String> {
        self.rows.iter().find(|row| row["event_name"] == event).unwrap_or_else(|| panic!("{event}"))
    }
}

fn columns() -> Vec<&'static str> {
    Event::VARIABLES.into_iter().chain(FACTS).collect()
}

pub(super) fn make_table(folder: &Path) {
    let connection = rusqlite::Connection::open(folder.join("gateway.sqlite")).unwrap();
    connection.execute(&format!("CREATE TABLE trace ({})", columns().join(",")), []).unwrap();
}

pub(super) fn rows(folder: &Path) -> Vec<BTreeMap<String, String>> {
    let connection = rusqlite::Connection::open(folder.join("gateway.sqlite")).unwrap();
    let names = columns();
    let sql = format!("SELECT {} FROM trace ORDER BY rowid", names.join(","));
    let mut select = connection.prepare(&sql).unwrap();
    let text = |row: &rusqlite::Row<'_>, at: usize| -> rusqlite::Result<String> {
        let bytes = row.get_ref(at)?.as_bytes_or_null()?.unwrap_or_default();
        Ok(String::from_utf8_lossy(bytes).into_owned())
    };
    let rows = select.query_map([], |row| {
        let names = names.iter().enumerate();
        names.map(|(at, name)| Ok(((*name).to_owned(), text(row, at)?))).collect()
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}
