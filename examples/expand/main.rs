//! Expands texts as Exim does, like `exim -be`.

mod case;
mod given;

use std::error::Error;
use std::io::{self, BufRead, Read, Write};
use std::process::ExitCode;

use clap::Parser;
use event_expand::Template;
use mail_types::Trust;

use case::Case;
use given::Given;

fn main() -> ExitCode {
    match Arguments::parse().all() {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever has closed the pipe has seen enough.
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("expand: {error}");
            ExitCode::from(2)
        }
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Expands texts as Exim does; asks for nothing outside, and makes no lookups.
#[derive(Debug, Parser)]
struct Arguments {
    /// Texts to expand; without any, each line of standard input is one
    texts: Vec<String>,
    /// Sets a variable whose value is trusted
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
    /// Sets a variable whose value comes from outside
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    untrusted: Vec<(String, String)>,
    /// Writes one JSON object for each text
    #[arg(long)]
    json: bool,
    /// Shows how a text is understood, instead of expanding it
    #[arg(long)]
    explain: bool,
}

impl Arguments {
    fn all(&self) -> Result<(), Box<dyn Error>> {
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
        let mut input = io::stdin().lock();
        let mut line = Vec::new();
        while self.texts.is_empty() {
            line.clear();
            // A byte more than fits tells a line that is too long.
            let read = (&mut input).take(MAX_LINE + 2).read_until(b'\n', &mut line)?;
            if read == 0 {
                break;
            }
            if !line.ends_with(b"\n") && line.len() as u64 > MAX_LINE {
                input.skip_until(b'\n')?;
            }
            // As `exim -be` does.
            self.one(line.trim_ascii_end(), &given, &mut out)?;
            out.flush()?;
        }
        Ok(out.flush()?)
    }

    fn one(&self, text: &[u8], given: &Given, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
        let case = match Template::parse(text) {
            Ok(template) if self.explain => Case::explained(&template),
            Ok(template) => match template.check(given) {
                Ok(()) => Case::expanded(template.expand(given)),
                Err(error) => Case::wrong(&error, error.at()),
            },
            Err(error) => Case::wrong(&error, error.at()),
        };
        if self.json {
            serde_json::to_writer(&mut *out, &case)?;
            Ok(writeln!(out)?)
        } else {
            Ok(out.write_all(&case.text(text))?)
        }
    }
}

/// The longest line that is read: the longest template.
const MAX_LINE: u64 = 65_536;

fn assignment(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("there is no = in it")?;
    Ok((name.to_owned(), value.to_owned()))
}
