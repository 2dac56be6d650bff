//! The common part of the tools: the output of results, and the exit status.

use std::error::Error;
use std::fmt::{Display, Write as _};
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

/// How a tool's work ended; an error is wrong usage, or input and output that fail.
pub type Done = Result<(), Box<dyn Error>>;

/// The result of a case, for programs and for people.
pub trait Shown: Serialize {
    /// What people read.
    fn text(&self) -> Vec<u8>;

    /// Tells whether the exit status is 0 with `--strict`.
    fn is_sound(&self) -> bool {
        true
    }
}

/// Writes a result: one JSON object in a line, or text.
///
/// # Errors
///
/// Those of the output.
pub fn write(outcome: &impl Shown, json: bool, out: &mut impl Write) -> Done {
    if json {
        serde_json::to_writer(&mut *out, outcome)?;
        Ok(writeln!(out)?)
    } else {
        Ok(out.write_all(&outcome.text())?)
    }
}

/// Writes octets in hexadecimal.
#[must_use]
pub fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// Puts the name of the file before the error of its input or output.
///
/// # Errors
///
/// That of the file, with its name.
pub fn named<T>(file: &Path, done: io::Result<T>) -> io::Result<T> {
    done.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", file.display())))
}

/// Reads a text.
///
/// # Errors
///
/// That of the system, or the line of the first octet that is not UTF-8; with the name of the file.
pub fn read_text(file: &Path) -> io::Result<String> {
    let text = String::from_utf8(named(file, fs::read(file))?);
    text.map_err(|error| {
        let sound = error.utf8_error().valid_up_to();
        let before = error.as_bytes().iter().take(sound);
        let line = 1 + before.filter(|octet| **octet == b'\n').count();
        let text = format!("{}: line {line}: an octet that is not UTF-8", file.display());
        io::Error::new(io::ErrorKind::InvalidData, text)
    })
}

/// Puts the name of the file before the error of its content.
///
/// # Errors
///
/// That of the content, with the name of the file.
pub fn read_in<T, E: Display>(file: &Path, read: Result<T, E>) -> Result<T, Box<dyn Error>> {
    read.map_err(|error| format!("{}: {error}", file.display()).into())
}

/// Tells who types at a terminal that the tool waits for input there.
pub fn tell_wait(input: &str) {
    if io::stdin().is_terminal() {
        eprintln!("reading from the terminal: {input}; end with Ctrl-D");
    }
}

/// Reports an error, and returns the exit status.
#[must_use]
pub fn exit(program: &str, done: Done) -> ExitCode {
    exit_strict(program, done.map(|()| true))
}

/// The same for a tool that can fail for a case: with `false` the status is 1.
#[must_use]
pub fn exit_strict(program: &str, done: Result<bool, Box<dyn Error>>) -> ExitCode {
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // A reader that has closed the pipe has seen enough.
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{program}: {error}");
            ExitCode::from(2)
        }
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
