//! Mail servers with certificates of an authority, with and without TLSA records and staples, as Exim serves them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use dane_tlsa::{Certificate, MatchingType, Selector, TlsaRecord, Usage};

use super::authority::Authority;
use super::dane_table::Table;
use super::servers::output_of;

/// A server: its domain is `NAME.secure.test`, and its host `mx-NAME.secure.test`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StapledHost {
    pub(crate) name: &'static str,
    pub(crate) certificate: Kind,
    /// The usage of its TLSA record: that of its key, or of the authority's; with 0 there is none.
    pub(crate) usage: u8,
    pub(crate) staple: Staple,
}

/// The certificate of a server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Good,
    /// It has another name.
    Named,
    /// The authority is another one.
    Foreign,
    /// The list of the authority has it.
    Revoked,
    /// There is no TLS.
    None,
}

/// What it staples.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Staple {
    None,
    Good,
    /// That of another certificate.
    Other,
}

impl StapledHost {
    pub(crate) fn domain(&self) -> String {
        format!("{}.secure.test", self.name)
    }

    pub(crate) fn recipient(&self) -> String {
        format!("ann@{}", self.domain())
    }

    /// The name in its certificate.
    fn certified(&self) -> String {
        match self.certificate {
            Kind::Named => format!("mx-{}.elsewhere.test", self.name),
            _ => format!("mx-{}.secure.test", self.name),
        }
    }
}

/// Writes the files for these servers; the authorities `ca.pem` and `other-ca.pem`; the revocation lists `crl.pem`
/// and, which has expired, `crl-of-2025.pem`.
pub(crate) fn write(hosts: &[StapledHost], block: u16, (folder, port): (&Path, u16)) -> Table {
    let mut authority = Authority::make(&format!("hosts-{block}"), 0);
    let mut other = Authority::make(&format!("foreign-{block}"), 0);
    for authority in [&mut authority, &mut other] {
        authority.issue("other.test", "V");
        authority.prove("other.test", "other.proof");
    }
    let (mut zone, mut map) = (String::new(), String::new());
    for (host, number) in hosts.iter().zip(1..) {
        let (name, address) = (host.name, format!("127.0.1.{number}"));
        writeln!(zone, "{name} MX 10 mx-{name}\nmx-{name} A {address}").unwrap();
        let certified = host.certified();
        let by = if host.certificate == Kind::Foreign { &mut other } else { &mut authority };
        by.issue(&certified, if host.certificate == Kind::Revoked { "R" } else { "V" });
        let of = if host.usage == 2 { "ca.pem".to_owned() } else { format!("{certified}.pem") };
        if host.usage != 0 {
            let record = record(&by.path(&of), host.usage);
            writeln!(zone, "_{port}._tcp.mx-{name} TLSA {record}").unwrap();
        }
        writeln!(map, "{address}: {}", served(host, by, folder)).unwrap();
    }
    let in_2025 = "-crl_lastupdate 20250101000000Z -crl_nextupdate 20250201000000Z";
    for (file, options) in [("crl.pem", ""), ("crl-of-2025.pem", in_2025)] {
        authority.list_revoked_with(file, options);
        put(&authority, file, folder, file);
    }
    put(&authority, "ca.pem", folder, "ca.pem");
    put(&other, "ca.pem", folder, "other-ca.pem");
    Table::of(folder, &zone, &map)
}

/// What the map says of a server.
fn served(host: &StapledHost, by: &Authority, folder: &Path) -> String {
    if host.certificate == Kind::None {
        return "tls=no".to_owned();
    }
    let (name, certified) = (host.name, host.certified());
    let put = |from: &str, kind: &str| put(by, from, folder, &format!("{name}.{kind}"));
    let chain = put(&format!("{certified}.pem"), "pem");
    let key = put(&format!("{certified}.key"), "key");
    let proof = match host.staple {
        Staple::None => return format!("cert={chain} key={key}"),
        Staple::Good => {
            by.prove(&certified, "proof");
            put("proof", "proof")
        }
        Staple::Other => put("other.proof", "proof"),
    };
    format!("cert={chain} key={key} ocsp={proof}")
}

/// Copies a file of an authority, for Exim's own user; returns the path.
fn put(from: &Authority, file: &str, folder: &Path, name: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, fs::read(from.path(file)).unwrap()).unwrap();
    path.display().to_string()
}

/// The record of the first certificate in a file, for its key by SHA-256.
pub(crate) fn record(file: &str, usage: u8) -> String {
    let mut command = Command::new("openssl");
    let der = output_of(command.args(["x509", "-outform", "DER", "-in", file]), b"").stdout;
    let certificate = Certificate::parse(&der).unwrap();
    let (usage, selector) = (Usage::new(usage), Selector::new(1));
    let record =
        TlsaRecord::of_certificate(&certificate, usage, selector, MatchingType::new(1)).unwrap();
    record.to_string()
}
