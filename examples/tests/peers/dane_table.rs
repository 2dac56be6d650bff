//! Mail domains with DANE: what each publishes, which certificate its server has, and what becomes of mail to it.

use std::fmt::Write as _;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use super::dane_certificates::Certificates;

/// The outcome of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Expected {
    /// Delivered to a server that its TLSA records authenticate.
    Verified,
    /// Delivered over TLS, which none of the records authenticates.
    Encrypted,
    /// Delivered without DANE.
    NoDane,
    /// Deferred: not delivered, and not returned.
    Deferred,
    /// Returned.
    Failed,
}

use Expected::{Deferred, Encrypted, Failed, NoDane, Verified};

/// A server of its own, with its records.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// The certificate, and how much of its chain is sent; without one there is no STARTTLS.
    certificate: Option<(&'static str, &'static str)>,
    /// `usage selector matching-type object`, or a whole record.
    records: &'static [&'static str],
    pub(crate) expected: Expected,
}

const fn row(
    name: &'static str,
    certificate: &'static str,
    sends: &'static str,
    records: &'static [&'static str],
    expected: Expected,
) -> Row {
    Row { name, certificate: Some((certificate, sends)), records, expected }
}

/// RFC 7672 section 3.1, RFC 7671 sections 5 and 9.
const ROWS: [Row; 43] = [
    row("d311", "ecdsa", "chain", &["3 1 1 ecdsa"], Verified),
    row("d301", "ecdsa", "chain", &["3 0 1 ecdsa"], Verified),
    row("d312", "ecdsa", "chain", &["3 1 2 ecdsa"], Verified),
    row("d310", "ecdsa", "chain", &["3 1 0 ecdsa"], Verified),
    row("d300", "ecdsa", "chain", &["3 0 0 ecdsa"], Verified),
    row("d311-leaf", "ecdsa", "leaf", &["3 1 1 ecdsa"], Verified),
    row("d311-rsa", "rsa", "chain", &["3 1 1 rsa"], Verified),
    row("d311-p384", "p384", "chain", &["3 1 1 p384"], Verified),
    row("d311-ed25519", "ed25519", "chain", &["3 1 1 ed25519"], Verified),
    row("d211", "ecdsa", "chain", &["2 1 1 below"], Verified),
    row("d201", "ecdsa", "chain", &["2 0 1 below"], Verified),
    row("d212-rsa", "rsa", "chain", &["2 1 2 rsa-below"], Verified),
    row("d211-root", "ecdsa", "full", &["2 1 1 root"], Verified),
    row("d211-root-unsent", "ecdsa", "chain", &["2 1 1 root"], Deferred),
    row("d200-root-unsent", "ecdsa", "chain", &["2 0 0 root"], Verified),
    row("d210-root-unsent", "ecdsa", "chain", &["2 1 0 root"], Verified),
    row("d211-leaf-only", "ecdsa", "leaf", &["2 1 1 below"], Deferred),
    row("d211-of-leaf", "ecdsa", "chain", &["2 1 1 ecdsa"], Deferred),
    row("d311-of-issuer", "ecdsa", "chain", &["3 1 1 below"], Deferred),
    row("d211-name", "wrongname", "chain", &["2 1 1 below"], Deferred),
    row("d311-name", "wrongname", "chain", &["3 1 1 wrongname"], Verified),
    row("d211-expired", "expired", "chain", &["2 1 1 below"], Deferred),
    row("d311-expired", "expired", "chain", &["3 1 1 expired"], Verified),
    row("d311-notyet", "notyet", "chain", &["3 1 1 notyet"], Verified),
    row("d311-self", "self", "leaf", &["3 1 1 self"], Verified),
    row("d211-other", "other", "chain", &["2 1 1 below"], Deferred),
    row("mismatch", "ecdsa", "chain", &["3 1 1 ecdsa2"], Deferred),
    row("roll", "ecdsa", "chain", &["3 1 1 ecdsa2", "3 1 1 ecdsa"], Verified),
    row("roll-ta", "ecdsa2", "chain", &["3 1 1 ecdsa", "2 1 1 below"], Verified),
    row("mix", "ecdsa", "chain", &["3 1 1 ecdsa", "2 1 1 other-root"], Verified),
    row("agile", "ecdsa", "chain", &["3 1 2 ecdsa2", "3 1 1 ecdsa"], Deferred),
    row("agile-too", "ecdsa", "chain", &["3 1 2 ecdsa", "3 1 1 ecdsa2"], Verified),
    row("pkix-1", "ecdsa", "chain", &["1 1 1 ecdsa"], Encrypted),
    row("pkix-0", "ecdsa", "chain", &["0 0 1 below"], Encrypted),
    row("pkix-mix", "ecdsa", "chain", &["1 1 1 ecdsa", "3 1 1 ecdsa2"], Deferred),
    row("unknown-matching", "ecdsa", "chain", &["=3 1 9 0011223344"], Encrypted),
    row("unknown-selector", "ecdsa", "chain", &["=3 7 1 abababab"], Encrypted),
    row("unknown-usage", "ecdsa", "chain", &["=9 1 1 abababab"], Encrypted),
    row(
        "bad-length",
        "ecdsa",
        "chain",
        &["=3 1 1 abababababababababababababababababababab"],
        Encrypted,
    ),
    row("any-port", "ecdsa", "chain", &["*3 1 1 ecdsa"], Verified),
    Row { name: "no-starttls", certificate: None, records: &["3 1 1 ecdsa"], expected: Deferred },
    // Among more records than an answer by UDP has room for.
    row("among-many", "ecdsa", "chain", &["3 1 1 ecdsa"], Verified),
    // The first host is not authenticated, the second one is.
    row("two-hosts", "ecdsa", "chain", &["3 1 1 ecdsa2"], Verified),
];

/// Domains of `scripts/peers start dnssec`, whose hosts are at the first row's address.
const OTHERS: [(&str, Expected); 29] = [
    ("nodata.secure.test", NoDane),
    ("none.secure.test", NoDane),
    ("other-port.secure.test", NoDane),
    ("alias.secure.test", Verified),
    ("alias-zone.secure.test", Verified),
    ("alias-chain.secure.test", Verified),
    ("alias-insecure.secure.test", NoDane),
    ("alias-nowhere.secure.test", NoDane),
    ("alias-loop.secure.test", Deferred),
    ("alias-bogus.secure.test", Deferred),
    ("host-alias.secure.test", Verified),
    ("host-alias-only.secure.test", Verified),
    ("domain-alias.secure.test", Verified),
    ("insecure-host.secure.test", NoDane),
    ("implicit.secure.test", Verified),
    ("many.secure.test", Deferred),
    ("servfail.secure.test", Deferred),
    ("refused.secure.test", Deferred),
    ("silent.secure.test", Deferred),
    ("half.secure.test", Verified),
    ("null.secure.test", Failed),
    ("nowhere.secure.test", Failed),
    ("nsec.test", Verified),
    ("ed.test", Verified),
    ("optout.test", Verified),
    ("insecure.test", NoDane),
    ("securemx.insecure.test", NoDane),
    ("unsupported.test", NoDane),
    ("tampered.test", Deferred),
];

/// Domains that are bogus.
const BOGUS: [(&str, Expected); 2] = [("bogus.test", Deferred), ("expired.test", Deferred)];

/// Each domain, and what becomes of mail to it.
pub(crate) fn domains() -> Vec<(String, Expected)> {
    let own = ROWS.iter().map(|row| (format!("{}.secure.test", row.name), row.expected));
    let others = OTHERS.iter().chain(&BOGUS);
    own.chain(others.map(|(name, expected)| ((*name).to_owned(), *expected))).collect()
}

/// The files that the peers are started with.
pub(crate) struct Table {
    /// The records of the rows, for the zone `secure.test`.
    pub(crate) zone: PathBuf,
    /// The certificate and key of each address.
    pub(crate) map: PathBuf,
    /// What the zones of `scripts/peers` publish for the first row's key.
    pub(crate) digest: String,
}

impl Table {
    /// Writes them into a folder, for servers on this port.
    pub(crate) fn write(folder: &Path, port: u16) -> Self {
        let certificates = Certificates::make();
        fs::write(folder.join("root.pem"), certificates.chain("root", "leaf")).unwrap();
        fs::write(folder.join("other-root.pem"), certificates.chain("other-root", "leaf")).unwrap();
        let (mut zone, mut map) = (String::new(), String::new());
        for (row, number) in ROWS.iter().zip(1..) {
            let (name, address) = (row.name, Ipv4Addr::new(127, 0, 1, number));
            writeln!(zone, "{name} MX 10 mx-{name}\nmx-{name} A {address}").unwrap();
            for record in row.records {
                let (owner, record) = published(record, port, &certificates);
                writeln!(zone, "{owner}._tcp.mx-{name} TLSA {record}").unwrap();
            }
            let file = |kind: &str, text: &str| {
                let path = folder.join(format!("{name}.{kind}"));
                fs::write(&path, text).unwrap();
                path.display().to_string()
            };
            match row.certificate {
                None => writeln!(map, "{address}: tls=no").unwrap(),
                Some((party, sends)) => {
                    let chain = file("pem", &certificates.chain(party, sends));
                    let key = file("key", &certificates.key(party));
                    writeln!(map, "{address}: cert={chain} key={key}").unwrap();
                }
            }
        }
        zone.push_str("two-hosts MX 20 mx-d311\n");
        for number in 0..60 {
            writeln!(zone, "_{port}._tcp.mx-among-many TLSA 3 1 1 {number:064x}").unwrap();
        }
        let digest = certificates.record([3, 1, 1], "ecdsa");
        let digest = digest.rsplit(' ').next().unwrap().to_owned();
        Self { digest, ..Self::of(folder, &zone, &map) }
    }

    /// Writes these records and this map.
    pub(crate) fn of(folder: &Path, zone: &str, map: &str) -> Self {
        let (zone_file, map_file) = (folder.join("zone"), folder.join("map"));
        fs::write(&zone_file, zone).unwrap();
        fs::write(&map_file, map).unwrap();
        Self { zone: zone_file, map: map_file, digest: String::new() }
    }
}

/// The owner and the data of a record.
fn published(record: &str, port: u16, certificates: &Certificates) -> (String, String) {
    if let Some(whole) = record.strip_prefix('=') {
        return (format!("_{port}"), whole.to_owned());
    }
    let (owner, record) = match record.strip_prefix('*') {
        Some(record) => ("*".to_owned(), record),
        None => (format!("_{port}"), record),
    };
    let words: Vec<_> = record.split(' ').collect();
    let [usage, selector, matching_type, party] = words.try_into().unwrap();
    let numbers = [usage, selector, matching_type].map(|number| number.parse().unwrap());
    (owner, certificates.record(numbers, party))
}
