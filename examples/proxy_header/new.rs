//! Writing a header.

use std::error::Error;
use std::io::{self, Write};
use std::net::SocketAddr;

use clap::Args;
use proxy_protocol::{Endpoints, Header, TlvKind, Transport, Version, WriteError, Writer};

use crate::case::{NAMES, hex};

/// Writes a header
#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct New {
    /// The client's address and port
    #[arg(value_name = "ADDRESS:PORT", requires = "destination")]
    source: Option<SocketAddr>,
    /// The address and port that the client connected to
    #[arg(value_name = "ADDRESS:PORT")]
    destination: Option<SocketAddr>,
    /// Writes a LOCAL header: the connection is the proxy's own
    #[arg(long, conflicts_with_all = ["source", "v1"])]
    local: bool,
    /// Writes version 1 (text)
    #[arg(long, conflicts_with_all = ["crc32c", "tlv", "ssl", "pad_to"])]
    v1: bool,
    /// Sets the transport to datagrams (UDP)
    #[arg(long, requires = "source", conflicts_with_all = ["local", "v1"])]
    datagram: bool,
    /// Adds a CRC-32C checksum
    #[arg(long)]
    crc32c: bool,
    /// Adds a vector; its type is a number or a name such as alpn
    #[arg(long, value_name = "TYPE=TEXT", value_parser = vector)]
    tlv: Vec<(TlvKind, String)>,
    /// Adds a TLS vector, which contains the vectors with a TLS type
    #[arg(long, value_name = "CLIENT,VERIFY", value_parser = ssl)]
    ssl: Option<(u8, u32)>,
    /// Pads the header to this length
    #[arg(long, value_name = "BYTES")]
    pad_to: Option<usize>,
    /// Writes raw bytes instead of hexadecimal
    #[arg(long)]
    raw: bool,
}

impl New {
    pub(crate) fn print(&self) -> Result<(), Box<dyn Error>> {
        let transport = if self.datagram { Transport::Datagram } else { Transport::Stream };
        let endpoints = match (self.source, self.destination) {
            (Some(source), Some(destination)) => Endpoints::Inet { transport, source, destination },
            _ if self.local => Endpoints::Local,
            _ => Endpoints::Unknown,
        };
        let mut buffer = vec![0; 65_551];
        let header = if self.v1 {
            let length = Header::new(Version::V1, endpoints).write(&mut buffer)?;
            buffer.get(..length).unwrap_or_default()
        } else {
            self.block(endpoints, &mut buffer)?
        };
        let mut out = io::stdout().lock();
        if self.raw {
            return Ok(out.write_all(header)?);
        }
        Ok(writeln!(out, "{}", hex(header))?)
    }

    fn block<'b>(
        &self,
        endpoints: Endpoints<'_>,
        buffer: &'b mut [u8],
    ) -> Result<&'b [u8], WriteError> {
        let mut writer = Writer::new(buffer, endpoints)?;
        if self.crc32c {
            writer.checksum()?;
        }
        let within = |kind: TlvKind| self.ssl.is_some() && (0x21..0x30).contains(&kind.get());
        for (kind, value) in self.tlv.iter().filter(|(kind, _)| !within(*kind)) {
            writer.tlv(*kind, value.as_bytes())?;
        }
        if let Some((client, verify)) = self.ssl {
            let mut ssl = writer.ssl(client, verify)?;
            for (kind, value) in self.tlv.iter().filter(|(kind, _)| within(*kind)) {
                ssl.tlv(*kind, value.as_bytes())?;
            }
        }
        if let Some(length) = self.pad_to {
            writer.pad_to(length)?;
        }
        Ok(writer.finish())
    }
}

fn vector(text: &str) -> Result<(TlvKind, String), String> {
    let (kind, value) = text.split_once('=').ok_or("expected TYPE=VALUE")?;
    let named = NAMES.iter().find(|(_, name, _)| *name == kind).map(|(kind, ..)| *kind);
    let number = match kind.strip_prefix("0x") {
        Some(digits) => u8::from_str_radix(digits, 16),
        None => kind.parse(),
    };
    let kind = named.or(number.ok().map(TlvKind::new));
    Ok((kind.ok_or("unknown vector type: expected a name or a number")?, value.to_owned()))
}

fn ssl(text: &str) -> Result<(u8, u32), String> {
    let (client, verify) = text.split_once(',').ok_or("expected CLIENT,VERIFY")?;
    let wrong = |error: std::num::ParseIntError| error.to_string();
    Ok((client.parse().map_err(wrong)?, verify.parse().map_err(wrong)?))
}
