//! The arguments of tools for the trace and the record of a case that asks the DNS.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::shown::{Done, named};

/// The arguments for the output of a case.
#[derive(Args, Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "clap fills it in")]
pub struct OutputArguments {
    /// Shows each step of the evaluation, each DNS question and each answer
    #[arg(long)]
    pub trace: bool,
    /// Writes the cases with their DNS answers to this file
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Writes one JSON object for each case
    #[arg(long)]
    pub json: bool,
}

impl OutputArguments {
    /// Makes the file of the cases, if one is wanted.
    ///
    /// # Errors
    ///
    /// That of the file.
    pub fn recorder(&self) -> io::Result<Recorder> {
        Ok(Recorder(self.record.as_ref().map(|file| named(file, File::create(file))).transpose()?))
    }
}

/// The file of the cases with their answers, if one is wanted.
#[derive(Debug)]
pub struct Recorder(Option<File>);

impl Recorder {
    /// Writes a case, with the answers that came.
    ///
    /// # Errors
    ///
    /// Those of the file.
    pub fn write(&mut self, case: &impl Serialize) -> Done {
        let Some(file) = &mut self.0 else { return Ok(()) };
        serde_json::to_writer(&mut *file, case)?;
        Ok(writeln!(file)?)
    }
}
