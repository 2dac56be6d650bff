//! Making a record.

use std::path::PathBuf;

use clap::Args;
use dane_tlsa::TlsaRecord;
use dane_tlsa::mail_types::dns::Name;
use examples::cases::shown::{self, Done, Shown};
use examples::cases::typed_name;
use serde::Serialize;

use crate::key_file::Kind;

#[derive(Args, Debug)]
pub(crate) struct Wanted {
    /// A certificate, a chain, a public or a private key, in PEM or DER
    ///
    /// Of a chain the first certificate is taken, and with --usage 2 the last.
    file: PathBuf,
    #[command(flatten)]
    kind: Kind,
    /// Where the record is published
    #[command(flatten)]
    place: Place,
    /// Writes a JSON object
    #[arg(long)]
    json: bool,
}

/// The name of a record.
#[derive(Args, Clone, Debug)]
pub(crate) struct Place {
    /// The name of the server's host, as in the MX record
    #[arg(long, value_parser = typed_name::host)]
    pub(crate) host: Option<Name>,
    /// The server's port
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u16).range(1..), requires = "host")]
    pub(crate) port: u16,
}

impl Place {
    /// Returns the name that has the records, if the host is known.
    pub(crate) fn name(&self) -> Result<Option<Name>, Box<dyn std::error::Error>> {
        let Some(host) = &self.host else { return Ok(None) };
        let port = format!("_{}", self.port);
        Ok(Some(host.child(b"_tcp")?.child(port.as_bytes())?))
    }

    /// Writes a record as a line of a zone, or alone if the host is not known.
    pub(crate) fn line(&self, record: &TlsaRecord) -> Result<String, Box<dyn std::error::Error>> {
        Ok(match self.name()? {
            Some(name) => format!("{name}. IN TLSA {record}"),
            None => record.to_string(),
        })
    }
}

/// A record that was made.
#[derive(Serialize)]
struct Made {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    record: String,
    #[serde(skip)]
    line: String,
}

impl Shown for Made {
    fn text(&self) -> Vec<u8> {
        format!("{}\n", self.line).into_bytes()
    }
}

impl Wanted {
    pub(crate) fn run(&self) -> Done {
        let record = self.kind.record_of(&self.file)?;
        let (name, line) = (self.place.name()?, self.place.line(&record)?);
        let name = name.map(|name| name.to_string());
        let made = Made { name, record: record.to_string(), line };
        shown::write(&made, self.json, &mut std::io::stdout().lock())
    }
}
