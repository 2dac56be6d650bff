//! Shows PROXY headers, and writes them.

mod case;
mod new;

use std::error::Error;
use std::io::{self, Read, Write};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use examples::cases::lines;
use examples::cases::shown::{self, Shown as _};
use proxy_protocol::{Header, HeaderError, Options};

use case::Case;
use new::New;

fn main() -> ExitCode {
    let Arguments { show, action } = Arguments::parse();
    let done = match action {
        Some(Action::Write(header)) => header.print().map(|()| true),
        None => show.all(),
    };
    shown::exit_strict("proxy_header", done)
}

/// Decodes PROXY protocol headers, or writes one.
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(flatten)]
    show: Show,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    Write(Box<New>),
}

#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
struct Show {
    /// Headers in hexadecimal; by default each line of standard input
    headers: Vec<String>,
    /// Reads one header from standard input as it is on the wire, and not in hexadecimal
    #[arg(long, conflicts_with = "headers")]
    raw: bool,
    /// Exits with 1 if a header could not be read, is not valid or is incomplete
    #[arg(long)]
    strict: bool,
    /// Writes one JSON object for each header
    #[arg(long)]
    json: bool,
    /// Reads each header as the start of a datagram that must contain the whole header
    #[arg(long)]
    datagram: bool,
    /// Accepts an IPv4 address in a TCP6 line
    #[arg(long)]
    ipv4_in_tcp6: bool,
    /// Rejects headers without addresses
    #[arg(long)]
    refuse_unknown: bool,
    /// The longest header of version 2, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 4096)]
    max_header: usize,
}

impl Show {
    /// Returns whether the exit status is that of success.
    fn all(&self) -> Result<bool, Box<dyn Error>> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        let mut is_sound = true;
        for header in &self.headers {
            let case = self.case(header.as_bytes());
            is_sound &= case.is_sound();
            shown::write(&case, self.json, &mut out)?;
        }
        if !self.headers.is_empty() {
            out.flush()?;
            return Ok(is_sound || !self.strict);
        }
        if self.raw {
            shown::tell_wait("a PROXY header");
            let mut bytes = Vec::new();
            if io::stdin().lock().take(MAX_RAW).read_to_end(&mut bytes)? == 0 {
                return Err("no case on standard input: expected a PROXY header".into());
            }
            let case = self.parse(&bytes);
            shown::write(&case, self.json, &mut out)?;
            out.flush()?;
            return Ok(case.is_sound() || !self.strict);
        }
        let wanted = "a PROXY header in hexadecimal a line";
        lines::each(MAX_LINE, wanted, &mut out, |line, out| {
            let case = self.case(line.octets);
            is_sound &= case.is_sound();
            shown::write(&case.on_line(line.number), self.json, out)
        })?;
        Ok(is_sound || !self.strict)
    }

    fn case(&self, text: &[u8]) -> Case {
        match bytes(text) {
            Ok(bytes) => self.parse(&bytes),
            Err(at) if at >= MAX_LINE => Case::wrong("line too long", at),
            Err(at) => Case::wrong("not hexadecimal", at),
        }
    }

    fn parse(&self, bytes: &[u8]) -> Case {
        let mut options = Options::default();
        options.ipv4_in_tcp6 = self.ipv4_in_tcp6;
        options.unknown = !self.refuse_unknown;
        options.limits.header = self.max_header;
        let parse = if self.datagram { Header::parse_datagram } else { Header::parse_with };
        match parse(bytes, &options) {
            Ok((rest, header)) => Case::sound(&header, bytes.len() - rest.len()),
            Err(HeaderError::Incomplete { needed }) => Case::incomplete(needed.get()),
            Err(error) => Case::failed(error),
        }
    }
}

/// The longest header: one of version 2 with all its vectors.
const MAX_RAW: u64 = 65_551;
/// The longest input line: the longest header, as hexadecimal pairs with blanks between them.
const MAX_LINE: usize = 3 * 65_551;

/// Decodes a line of hexadecimal pairs, with or without blanks between them; the error is the position of the first other character.
fn bytes(text: &[u8]) -> Result<Vec<u8>, usize> {
    if text.len() > MAX_LINE {
        return Err(text.len());
    }
    let mut bytes = Vec::new();
    let mut high = None;
    for (at, &c) in text.iter().enumerate() {
        if c.is_ascii_whitespace() && high.is_none() {
            continue;
        }
        let digit = char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let digit = digit.ok_or(at)?;
        match high.take() {
            None => high = Some(digit),
            Some(high) => bytes.push((high << 4) | digit),
        }
    }
    if high.is_some() { Err(text.len()) } else { Ok(bytes) }
}
