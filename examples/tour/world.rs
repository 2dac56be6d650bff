//! The parts of the tour, put together.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use dane_tlsa::TlsaRecord;
use dane_tlsa::hickory::ValidatingResolver;
use examples::gateway::config::{Config, opening};
use examples::gateway::delivery::sender::{Envelope, Sender, SenderSettings};
use examples::gateway::dns::resolver::NameServers;
use examples::gateway::server::{Gateway, Reload};
use hickory_resolver::proto::rr::rdata::tlsa::{CertUsage, Matching, Selector};
use hickory_resolver::proto::rr::rdata::{A, MX, TLSA, TXT};
use hickory_resolver::proto::rr::{Name, RData};
use mail_types::hickory::ResolverSettings;
use mail_types::smtp::ReversePath;
use rcgen::KeyPair;
use ring::digest::{SHA256, digest};
use rusqlite::Connection;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::Done;
use crate::authority::Authority;
use crate::balancer::Balancer;
use crate::mail::{SELECTOR, Signer};
use crate::name_server::NameServer;
use crate::narration::Narration;
use crate::responder::Responder;
use crate::signed_zone::SignedZone;

/// All parts, running.
pub(crate) struct World {
    folder: PathBuf,
    zone: Arc<SignedZone>,
    names: NameServer,
    _responder: Responder,
    good: MailServer,
    revoked: MailServer,
    pub(crate) signer: Signer,
}

/// A gateway with its balancer.
struct MailServer {
    balancer: Balancer,
    stop: oneshot::Sender<()>,
    gateway: JoinHandle<()>,
}

impl World {
    /// Starts everything on free ports of this host.
    pub(crate) async fn start(narration: &mut Narration) -> Done<Self> {
        narration.scene("The parts, in one process");
        let folder = std::env::temp_dir().join(format!("eximia-tour-{}", std::process::id()));
        fs::create_dir(&folder)?;
        let started = Self::start_in(&folder, narration).await;
        if started.is_err() {
            let _ = fs::remove_dir_all(&folder);
        }
        started
    }

    async fn start_in(folder: &Path, narration: &mut Narration) -> Done<Self> {
        let key = KeyPair::generate()?;
        let responding = Arc::new(KeyPair::from_pem(&key.serialize_pem())?);
        let responder = Responder::start(responding, REVOKED_SERIAL).await?;
        let authority = Authority::new(responder.address, key)?;
        narration.tell("an authority: a root, an intermediate, and two certificates");
        narration.tell(format!("its OCSP responder on {}", responder.address));
        let hosts = ["mx.receiver.example", "mx.wrong.example", "mx.nothing.example"];
        for (name, hosts, serial) in
            [("good", &hosts[..], 1), ("revoked", &["mx.revoked.example"], REVOKED_SERIAL)]
        {
            let issued = authority.issue(hosts, serial)?;
            fs::write(folder.join(name).with_extension("pem"), issued.chain)?;
            fs::write(folder.join(name).with_extension("key"), issued.key)?;
        }
        let signer = Signer::new("sender.example")?;
        // The zone has the ports of the balancers, and the gateways need the zone.
        let (good, revoked) = (Balancer::listen().await?, Balancer::listen().await?);
        let ports = [good.local_addr()?.port(), revoked.local_addr()?.port()];
        let zone = Arc::new(zone(ports, &authority.tlsa()?, &signer)?);
        let names = NameServer::start(Arc::clone(&zone)).await?;
        narration.tell(format!("a name server with a signed zone on {}", names.address));
        let good = MailServer::start("good", good, folder, names.address, narration).await?;
        let revoked =
            MailServer::start("revoked", revoked, folder, names.address, narration).await?;
        let saved = folder.join("good/ocsp");
        wait(|| fs::read_dir(&saved).is_ok_and(|mut files| files.next().is_some())).await?;
        narration.tell("the gateway has fetched the OCSP response of the good certificate");
        wait(|| responder.revocations() > 0).await?;
        narration.tell("the responder has said that the other certificate is revoked");
        let events = Connection::open(folder.join("outgoing.sqlite"))?;
        events.execute_batch("CREATE TABLE outgoing (event, host, data, dane, ocsp)")?;
        let folder = folder.to_owned();
        Ok(Self { folder, zone, names, _responder: responder, good, revoked, signer })
    }

    /// Cuts connections after this many octets of the client; 0 cuts none.
    pub(crate) fn cut_after(&self, octets: u64) {
        self.good.balancer.cut_after(octets);
    }

    /// Makes a sender that validates by DNSSEC itself, with an empty cache.
    pub(crate) fn sender(&self, recipients: &[&str]) -> Done<Sender> {
        let database = self.folder.join("outgoing.sqlite");
        let options = format!(
            "primary_hostname = 'client.sender.example'\nspool_directory = '{}'\nsqlite_dbfile = '{}'\n\
             [remote_smtp]\nhosts_require_dane = '*'\nhosts_require_ocsp = '*'\n{EVENT_ACTION}",
            self.folder.join("sender").display(),
            database.display(),
        );
        let is_revoked = recipients.iter().any(|recipient| recipient.ends_with("@revoked.example"));
        let server = if is_revoked { &self.revoked } else { &self.good };
        let servers = [self.names.address];
        let anchors = Arc::new(self.zone.anchors());
        let resolver = ValidatingResolver::new(&servers, anchors, Duration::from_secs(5));
        Ok(Sender::new(SenderSettings {
            options: Config::for_sender(&options)?,
            resolver: Arc::new(resolver),
            route: None,
            port: server.balancer.address.port(),
            timeout: Duration::from_mins(1),
        })?)
    }

    /// Sends a message; returns the outcome of each recipient.
    pub(crate) async fn send(&self, recipients: &[&str], message: &str) -> Done<Vec<Value>> {
        let outcomes = self.sender(recipients)?.send(&envelope(recipients)?, message.into()).await;
        outcomes.iter().map(|outcome| Ok(serde_json::to_value(outcome)?)).collect()
    }

    /// Returns the messages in the Maildirs.
    pub(crate) fn messages(&self) -> Done<Vec<String>> {
        let mut messages = Vec::new();
        for name in ["good", "revoked"] {
            for file in fs::read_dir(self.folder.join(name).join("maildir/new"))? {
                messages.push(fs::read_to_string(file?.path())?);
            }
        }
        Ok(messages)
    }

    /// Returns the messages in the Maildirs once there are so many, or at the end of the patience: a message is answered
    /// when it is in the journal, and its file comes after that.
    pub(crate) async fn delivered(&self, count: usize) -> Done<Vec<String>> {
        for _ in 0..PATIENCE.as_millis() / PAUSE.as_millis() {
            let messages = self.messages()?;
            if messages.len() >= count {
                return Ok(messages);
            }
            sleep(PAUSE).await;
        }
        self.messages()
    }

    /// Stops the gateways; returns the events of the sender and of each gateway, in the order of their names,
    /// and removes all files.
    pub(crate) async fn end(self) -> Done<[Vec<String>; 3]> {
        self.good.end().await?;
        self.revoked.end().await?;
        let outgoing = events(&self.folder.join("outgoing.sqlite"), "outgoing")?;
        let incoming = events(&self.folder.join("good/gateway.sqlite"), "events")?;
        let revoked = events(&self.folder.join("revoked/gateway.sqlite"), "events")?;
        fs::remove_dir_all(&self.folder)?;
        Ok([outgoing, incoming, revoked])
    }
}

/// Returns an envelope with these recipients.
pub(crate) fn envelope(recipients: &[&str]) -> Done<Envelope> {
    let recipients = recipients.iter().map(|recipient| recipient.parse());
    Ok(Envelope {
        sender: ReversePath::Mailbox("ann@sender.example".parse()?),
        recipients: recipients.collect::<Result<_, _>>()?,
        require_tls: false,
    })
}

/// The records of all domains.
fn zone([port, revoked]: [u16; 2], good: &TlsaRecord, signer: &Signer) -> Done<SignedZone> {
    let mut zone = SignedZone::new()?;
    let text = |text: &str| RData::TXT(TXT::new(vec![text.to_owned()]));
    let nothing = digest(&SHA256, b"");
    let other = digest(&SHA256, b"another key");
    let records = [
        ("receiver.example", port, &*good.data),
        ("revoked.example", revoked, &*good.data),
        ("wrong.example", port, other.as_ref()),
        ("nothing.example", port, nothing.as_ref()),
    ];
    for (domain, port, data) in records {
        let host = format!("mx.{domain}.");
        zone.add(domain, RData::MX(MX::new(10, Name::from_ascii(&host)?)))?;
        zone.add(&host, RData::A(A::new(127, 0, 0, 1)))?;
        let usage = CertUsage::DaneTa;
        let tlsa = TLSA::new(usage, Selector::Spki, Matching::Sha256, data.to_vec());
        zone.add(&format!("_{port}._tcp.{host}"), RData::TLSA(tlsa))?;
    }
    zone.add("sender.example", text("v=spf1 ip4:192.0.2.10 -all"))?;
    zone.add("_dmarc.sender.example", text("v=DMARC1; p=reject"))?;
    zone.add(&format!("{SELECTOR}._domainkey.sender.example"), text(&signer.record()))?;
    zone.add("_dmarc.victim.example", text("v=DMARC1; p=reject"))?;
    Ok(zone)
}

impl MailServer {
    /// Starts a gateway with the certificate of this name, behind a balancer.
    async fn start(
        name: &str,
        balancer: TcpListener,
        folder: &Path,
        names: SocketAddr,
        narration: &Narration,
    ) -> Done<Self> {
        let text = GATEWAY
            .replace("FOLDER", &folder.display().to_string())
            .replace("NAME", name)
            .replace("SERVER", &names.to_string());
        let file = folder.join(name).with_extension("toml");
        fs::write(&file, text)?;
        let resolv_conf = Path::new(ResolverSettings::SYSTEM);
        let (config, _) = opening::read(Some(&file), resolv_conf)?;
        let servers = NameServers::read(config.dns, resolv_conf)?;
        let gateway = Gateway::new(config.server, servers)?;
        let listeners = gateway.listen().await?;
        let addresses = listeners.addresses()?;
        let address = *addresses.first().ok_or("the gateway listens nowhere")?;
        let (stop, stopped) = oneshot::channel();
        let (_, wanted) = mpsc::channel(1);
        let reload = Reload::new(wanted, || Err("the tour reloads nothing".into()));
        let gateway = tokio::spawn(async move {
            let stopped = async { stopped.await.unwrap_or_default() };
            gateway.serve(listeners, reload, stopped).await;
        });
        let balancer = Balancer::start(balancer, address, CLIENT.parse()?)?;
        narration.tell(format!(
            "a gateway on {address} with the {name} certificate, behind a balancer on {} that names \
             {CLIENT} as the client",
            balancer.address
        ));
        Ok(Self { balancer, stop, gateway })
    }

    async fn end(self) -> Done {
        // It has ended already only after a panic, which the task reports.
        let _ = self.stop.send(());
        Ok(self.gateway.await?)
    }
}

/// Waits until a gateway has fetched an OCSP response.
async fn wait(fetched: impl Fn() -> bool) -> Done {
    for _ in 0..PATIENCE.as_millis() / PAUSE.as_millis() {
        if fetched() {
            return Ok(());
        }
        sleep(PAUSE).await;
    }
    Err("a gateway has fetched no OCSP response".into())
}

fn events(database: &Path, table: &str) -> Done<Vec<String>> {
    let database = Connection::open(database)?;
    let select = format!("SELECT event FROM {table} ORDER BY event, rowid");
    let mut select = database.prepare(&select)?;
    let rows = select.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The configuration of a gateway.
const GATEWAY: &str = r#"
primary_hostname = "mx.receiver.example"
local_interfaces = "127.0.0.1.0"
spool_directory = "FOLDER/NAME"
dns_resolver = "SERVER"
local_domains = "receiver.example : revoked.example : wrong.example : nothing.example"
host_lookup = ""
proxy_required_hosts = "127.0.0.1"
prdr_enable = true
tls_certificate = "FOLDER/NAME.pem"
tls_privatekey = "FOLDER/NAME.key"
dmarc_verify_hosts = "*"
dmarc_reject = true
event_select = "*"

[[acl_smtp_data_prdr]]
verb = "defer"
local_parts = "later"
message = "450 4.2.2 the mailbox is full"

[[acl_smtp_data_prdr]]
verb = "deny"
local_parts = "never"
message = "550 5.7.1 not this message"

[[acl_smtp_data_prdr]]
verb = "accept"
"#;

/// Each event of the sender is a row.
const EVENT_ACTION: &str = "event_action = \"${lookup sqlite{INSERT INTO outgoing VALUES \
    ('$event_name', '${quote_sqlite:$host}', '${quote_sqlite:$event_data}', '$tls_out_dane', \
    '$tls_out_ocsp')}{}}\"\n";

/// The client that the balancer names.
pub(crate) const CLIENT: &str = "192.0.2.10:40000";
const REVOKED_SERIAL: u8 = 2;
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(20);
