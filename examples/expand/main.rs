//! Expands texts as Exim does, like `exim -be`; with `--config` as the gateway does.

mod case;
mod clock;
#[cfg(feature = "gateway")]
mod configured;
mod exim_variables;
mod process;
mod signed_address;
#[cfg(not(feature = "gateway"))]
mod without_gateway;

use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Parser;
use event_expand::Template;
use examples::cases::lines;
use examples::cases::shown::{self, Done};
use examples::gateway::policy::given::Given;
use examples::gateway::policy::place::Place;
use mail_types::exim::Trust;

use case::Case;
#[cfg(feature = "gateway")]
use configured::Configured;
use process::{NamedList, Process};
#[cfg(not(feature = "gateway"))]
use without_gateway::Configured;

fn main() -> ExitCode {
    shown::exit("expand", Arguments::parse().all())
}

/// Expands strings as Exim does, without files or commands.
///
/// Exim's variables have the values that `exim -be` gives them: of a process without a message. With --config the
/// variables, named lists, macros, lookups and lists of rules are those of a gateway.
#[derive(Debug, Parser)]
struct Arguments {
    /// Strings to expand; by default each line of standard input
    texts: Vec<String>,
    /// Sets a variable to a trusted value
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
    /// Sets a variable to an untrusted (tainted) value
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    untrusted: Vec<(String, String)>,
    /// Sets a variable such as `tls_in_peercert` to the certificate of a file, in PEM or DER; needs the feature gateway
    #[arg(long, value_name = "NAME=FILE", value_parser = assignment)]
    certificate: Vec<(String, String)>,
    /// Defines a named list, as "domainlist NAME = ITEM : ITEM"
    #[arg(long = "list", value_name = "LIST", value_parser = NamedList::parse, conflicts_with = "config")]
    lists: Vec<NamedList>,
    /// A gateway's configuration, which has the strings in a rule; needs the feature gateway
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The place of the strings in the configuration, which has their variables: an option that is expanded, a list of
    /// rules, or a place of the manual (accept, client, connect, tls, helo, mail, rcpt, prdr, data, event, host)
    #[arg(long, value_name = "OPTION", default_value = "acl_smtp_data_prdr", value_parser = place, requires = "config",
        conflicts_with = "lists")]
    place: Place,
    /// Writes one JSON object for each string
    #[arg(long)]
    json: bool,
    /// Shows the parsed string instead of its expansion
    #[arg(long)]
    explain: bool,
}

impl Arguments {
    fn all(&self) -> Done {
        let mut strings = self.strings()?;
        let mut out = io::BufWriter::new(io::stdout().lock());
        for text in &self.texts {
            self.one(text.as_bytes(), &mut strings, &mut out)?;
        }
        if !self.texts.is_empty() {
            return Ok(out.flush()?);
        }
        // Without blanks at the end, as `exim -be` has it.
        lines::each(MAX_LINE, "a string to expand a line", &mut out, |line, out| {
            self.one(line.octets.trim_ascii_end(), &mut strings, out)
        })
    }

    fn strings(&self) -> Result<Strings, Box<dyn Error>> {
        let mut given = Given::default();
        for (values, trust) in [(&self.set, Trust::Trusted), (&self.untrusted, Trust::Untrusted)] {
            for (name, value) in values {
                given.set(name, value, trust);
            }
        }
        for (name, file) in &self.certificate {
            set_certificate(&mut given, name, file)?;
        }
        Ok(match &self.config {
            Some(file) => Strings::OfRules(Box::new(Configured::new(file, self.place, given)?)),
            None => Strings::OfProcess(Box::new(Process::new(given, &self.lists))),
        })
    }

    fn one(&self, text: &[u8], strings: &mut Strings, out: &mut impl Write) -> Done {
        let text = match strings.put_macros(text) {
            Ok(text) => text,
            Err(case) => return shown::write(&case.about(text), self.json, out),
        };
        let case = if self.explain {
            match Template::parse(&text) {
                Ok(template) => Case::explained(&template),
                Err(error) => Case::wrong(&error, Some(error.at())),
            }
        } else {
            strings.expand(&text)
        };
        shown::write(&case.about(&text), self.json, out)
    }
}

/// The surroundings of the strings.
#[derive(Debug)]
enum Strings {
    OfProcess(Box<Process>),
    OfRules(Box<Configured>),
}

impl Strings {
    fn put_macros(&self, text: &[u8]) -> Result<Vec<u8>, Box<Case>> {
        match self {
            Self::OfProcess(_) => Ok(text.to_vec()),
            Self::OfRules(configured) => configured.put_macros(text),
        }
    }

    fn expand(&mut self, text: &[u8]) -> Case {
        match self {
            Self::OfProcess(process) => process.expand(text, SystemTime::now()),
            Self::OfRules(configured) => configured.expand(text),
        }
    }
}

#[cfg(feature = "gateway")]
fn set_certificate(given: &mut Given, name: &str, file: &str) -> Done {
    let found = examples::cases::certificates::certificates(file.as_ref())?;
    let first = found.into_iter().next().unwrap_or_default();
    given.set_certificate(name, first);
    Ok(())
}

#[cfg(not(feature = "gateway"))]
fn set_certificate(_: &mut Given, _: &str, _: &str) -> Done {
    Err("--certificate: built without the feature gateway".into())
}

/// The longest input line: the longest template.
const MAX_LINE: usize = 65_536;

fn place(option: &str) -> Result<Place, String> {
    Place::named(option).ok_or_else(|| {
        "expected an option that is expanded, such as route_data or remote_smtp.hosts_try_dane, a list of rules, such as \
         acl_smtp_rcpt, or a place: accept, client, connect, tls, helo, mail, rcpt, prdr, data, event or host"
            .to_owned()
    })
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
