//! Expands texts as Exim does, like `exim -be`.

mod case;
mod given;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use event_expand::Template;
use examples::cases::lines;
use examples::cases::shown::{self, Done};
use mail_types::exim::Trust;

use case::Case;
use given::Given;

fn main() -> ExitCode {
    shown::exit("expand", Arguments::parse().all())
}

/// Expands strings as Exim does, without lookups, files or commands.
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
    /// Writes one JSON object for each string
    #[arg(long)]
    json: bool,
    /// Shows the parsed string instead of its expansion
    #[arg(long)]
    explain: bool,
}

impl Arguments {
    fn all(&self) -> Done {
        let mut given = Given::default();
        for (values, trust) in [(&self.set, Trust::Trusted), (&self.untrusted, Trust::Untrusted)] {
            for (name, value) in values {
                given.set(name, value, trust);
            }
        }
        let mut out = io::BufWriter::new(io::stdout().lock());
        for text in &self.texts {
            self.one(text.as_bytes(), &given, &mut out)?;
        }
        if !self.texts.is_empty() {
            return Ok(out.flush()?);
        }
        shown::tell_wait("a string to expand a line");
        // Without blanks at the end, as `exim -be` has it.
        lines::each(MAX_LINE, &mut out, |line, out| self.one(line.trim_ascii_end(), &given, out))
    }

    fn one(&self, text: &[u8], given: &Given, out: &mut impl Write) -> Done {
        let case = match Template::parse(text) {
            Ok(template) if self.explain => Case::explained(&template),
            Ok(template) => match template.check(given) {
                Ok(()) => Case::expanded(template.expand(given)),
                Err(error) => Case::wrong(&error, error.at()),
            },
            Err(error) => Case::wrong(&error, error.at()),
        };
        shown::write(&case.about(text), self.json, out)
    }
}

/// The longest input line: the longest template.
const MAX_LINE: usize = 65_536;

fn assignment(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
