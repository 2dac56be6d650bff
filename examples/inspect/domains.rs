//! The domains to inspect, and the lines of a file that have none.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use examples::cases::shown::{self, Shown, named};
use examples::cases::typed_name::domain;
use mail_types::smtp::Domain;
use serde::Serialize;

/// Domains, each once.
#[derive(Debug, Default)]
pub(crate) struct Domains {
    pub(crate) list: Vec<Domain>,
    pub(crate) unread: Vec<UnreadLine>,
}

/// A line that has no domain.
#[derive(Debug, Serialize)]
pub(crate) struct UnreadLine {
    file: String,
    line: usize,
    domain: String,
    error: String,
}

impl Domains {
    /// Adds the domains of a file to those of the arguments; - is standard input.
    pub(crate) fn new(given: &[Domain], file: Option<&Path>) -> Result<Self, Box<dyn Error>> {
        let mut domains = Self { list: given.to_vec(), unread: Vec::new() };
        if let Some(file) = file {
            domains.read(file)?;
        }
        let mut seen = BTreeSet::new();
        domains.list.retain(|domain| seen.insert(domain.to_string()));
        Ok(domains)
    }

    fn read(&mut self, file: &Path) -> Result<(), Box<dyn Error>> {
        let input: Box<dyn Read> = if file.as_os_str() == "-" {
            shown::tell_wait("a domain a line, such as example.com");
            Box::new(io::stdin().lock())
        } else {
            Box::new(named(file, File::open(file))?)
        };
        let mut octets = Vec::new();
        named(file, input.take(MAX_FILE as u64 + 1).read_to_end(&mut octets))?;
        let file = file.display();
        if octets.len() > MAX_FILE {
            return Err(format!("{file}: more than {MAX_FILE} octets").into());
        }
        for (at, line) in octets.split(|octet| *octet == b'\n').enumerate() {
            // Octets of another charset are in no domain, and must not cost the other lines.
            let line = String::from_utf8_lossy(line);
            let line = line.split('#').next().unwrap_or_default().trim();
            match domain(line) {
                _ if line.is_empty() => {}
                Ok(domain) => self.list.push(domain),
                Err(error) => {
                    // It is no name, so it can be long.
                    let domain = line.chars().take(MAX_SHOWN).collect();
                    self.unread.push(UnreadLine {
                        file: file.to_string(),
                        line: at + 1,
                        domain,
                        error,
                    });
                }
            }
        }
        if self.list.is_empty() && self.unread.is_empty() {
            let expected = "expected a domain a line, such as example.com";
            return Err(format!("{file}: no domain: {expected}").into());
        }
        Ok(())
    }
}

impl UnreadLine {
    /// Returns a line for people.
    pub(crate) fn told(&self) -> String {
        let Self { file, line, domain, error } = self;
        format!("{file}: line {line}: {domain:?}: {error}")
    }
}

impl Shown for UnreadLine {
    fn text(&self) -> Vec<u8> {
        format!("not read: {}\n", self.told()).into_bytes()
    }
}

/// The most octets of a file of domains.
const MAX_FILE: usize = 64 << 20;
/// The most characters of a line that is shown.
const MAX_SHOWN: usize = 100;
