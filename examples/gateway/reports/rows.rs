//! The writer of the file of rows.

use std::path::Path;

use dmarc_policy::RowDisposition;
use mail_types::results::AuthResult;
use rusqlite::{Connection, Error, Result, params};

use crate::cases::dmarc_rows::{PATIENCE, Row, VERSION, version};

/// The open file.
#[derive(Debug)]
pub struct Rows {
    file: Connection,
}

impl Rows {
    /// Opens a file for writing, and makes it if it is missing.
    ///
    /// # Errors
    ///
    /// The file cannot be opened, or has another version.
    pub fn create(path: &Path) -> Result<Self> {
        let file = Connection::open(path)?;
        file.busy_timeout(PATIENCE)?;
        file.pragma_update(None, "journal_mode", "wal")?;
        // A crash of the machine may lose the rows of the last seconds.
        file.pragma_update(None, "synchronous", "normal")?;
        if version(&file)? == 0 {
            file.execute_batch(SCHEMA)?;
        }
        if version(&file)? == VERSION { Ok(Self { file }) } else { Err(Error::InvalidQuery) }
    }

    /// Adds rows, all or none.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn add(&mut self, rows: &[Row]) -> Result<()> {
        let transaction = self.file.transaction()?;
        {
            let mut insert = transaction.prepare(INSERT)?;
            for Row { received, policy_domain, record, discovery, feedback } in rows {
                let reasons: Vec<_> =
                    feedback.reasons.iter().map(|reason| reason.kind.as_str()).collect();
                let signatures = feedback.signatures.iter();
                let signatures =
                    signatures.map(|s| (&s.domain, &s.selector, s.result.map(AuthResult::as_str)));
                let signatures = serde_json::to_string(&signatures.collect::<Vec<_>>());
                let spf = feedback.spf_result.as_ref();
                insert.execute(params![
                    i64::try_from(*received).unwrap_or(i64::MAX),
                    policy_domain,
                    record,
                    discovery.as_str(),
                    feedback.source.to_string(),
                    feedback.disposition.map(RowDisposition::as_str),
                    feedback.dkim,
                    feedback.spf,
                    reasons.join(" "),
                    feedback.header_from,
                    feedback.envelope_from,
                    signatures.unwrap_or_default(),
                    spf.map(|spf| &spf.domain),
                    spf.and_then(|spf| spf.result).map(AuthResult::as_str),
                ])?;
            }
        }
        transaction.commit()
    }

    /// Removes the rows before a time, in seconds.
    pub(crate) fn forget_before(&self, second: u64) -> Result<usize> {
        let second = i64::try_from(second).unwrap_or(i64::MAX);
        self.file.execute("DELETE FROM dmarc WHERE received < ?1", [second])
    }
}

const SCHEMA: &str = "
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS dmarc (
    received INTEGER NOT NULL,      -- seconds since 1970, UTC
    policy_domain TEXT NOT NULL,
    record TEXT NOT NULL,
    discovery_method TEXT NOT NULL,
    source TEXT NOT NULL,           -- the client's address
    disposition TEXT NOT NULL,
    dkim INTEGER NOT NULL,          -- whether it passed and was aligned
    spf INTEGER NOT NULL,
    reasons TEXT NOT NULL,          -- words, with blanks between
    header_from TEXT NOT NULL,
    envelope_from TEXT,
    signatures TEXT NOT NULL,       -- JSON: [[domain, selector, result], ...]
    spf_domain TEXT,
    spf_result TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS dmarc_received ON dmarc (received);
PRAGMA user_version = 1;
COMMIT;
";

const INSERT: &str =
    "INSERT INTO dmarc VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
