//! The reader of the file of rows.

use std::ops::Range;
use std::path::Path;

use dmarc_policy::{
    DiscoveryMethod, FeedbackRow, Override, OverrideKind, RowDisposition, SignatureRow, SpfRow,
};
use examples::cases::dmarc_rows::{PATIENCE, Row, VERSION, version};
use rusqlite::{Connection, Error, OpenFlags, Result, Row as Line};

/// The reason why a file has no rows.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenRowsError {
    #[error("{0}")]
    Sqlite(#[from] Error),
    #[error("not the dmarc.sqlite of a gateway, but another SQLite database")]
    OtherFile,
    #[error("rows of version {version}, but this program reads version {VERSION}")]
    Version { version: i64 },
}

/// The file, open.
#[derive(Debug)]
pub(crate) struct Rows {
    file: Connection,
}

impl Rows {
    /// Opens a file to read from.
    pub(crate) fn open(path: &Path) -> std::result::Result<Self, OpenRowsError> {
        // A reader of a file in WAL mode must be able to write beside it.
        let file = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        file.busy_timeout(PATIENCE)?;
        match version(&file)? {
            VERSION => Ok(Self { file }),
            0 => Err(OpenRowsError::OtherFile),
            version => Err(OpenRowsError::Version { version }),
        }
    }

    /// Hands out the rows of a period, the end not in it, those of a domain's record together.
    pub(crate) fn each<E: From<Error>>(
        &self,
        period: &Range<u64>,
        mut take: impl FnMut(Row) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut query = self.file.prepare(SELECT)?;
        let second = |second| i64::try_from(second).unwrap_or(i64::MAX);
        let mut lines = query.query([second(period.start), second(period.end)])?;
        while let Some(line) = lines.next()? {
            take(read(line)?)?;
        }
        Ok(())
    }
}

fn read(line: &Line<'_>) -> Result<Row> {
    let word = |at: usize| line.get::<_, String>(at);
    let address = word(4)?.parse().map_err(|_| wrong(4))?;
    let mut feedback = FeedbackRow::new(address, &word(9)?);
    feedback.disposition = Some(disposition(&word(5)?).ok_or_else(|| wrong(5))?);
    (feedback.dkim, feedback.spf) = (Some(line.get(6)?), Some(line.get(7)?));
    for reason in word(8)?.split_whitespace() {
        feedback.reasons.push(Override::new(kind(reason).ok_or_else(|| wrong(8))?));
    }
    feedback.envelope_from = line.get(10)?;
    let signatures: Vec<(String, String, String)> =
        serde_json::from_str(&word(11)?).map_err(|_| wrong(11))?;
    for (domain, selector, result) in signatures {
        let result = result.parse().map_err(|_| wrong(11))?;
        feedback.signatures.push(SignatureRow::new(&domain, &selector, result));
    }
    if let Some(domain) = line.get::<_, Option<String>>(12)? {
        feedback.spf_result = Some(SpfRow::new(&domain, word(13)?.parse().map_err(|_| wrong(13))?));
    }
    let discovery = match word(3)?.as_str() {
        "psl" => DiscoveryMethod::Psl,
        "treewalk" => DiscoveryMethod::TreeWalk,
        _ => return Err(wrong(3)),
    };
    let received = u64::try_from(line.get::<_, i64>(0)?).map_err(|_| wrong(0))?;
    Ok(Row { received, policy_domain: word(1)?, record: word(2)?, discovery, feedback })
}

/// A column has an unexpected value.
fn wrong(column: usize) -> Error {
    Error::InvalidColumnType(column, "dmarc".to_owned(), rusqlite::types::Type::Text)
}

fn disposition(word: &str) -> Option<RowDisposition> {
    use RowDisposition::{None, Pass, Quarantine, Reject};
    [None, Pass, Quarantine, Reject].into_iter().find(|known| known.as_str() == word)
}

fn kind(word: &str) -> Option<OverrideKind> {
    use OverrideKind::{LocalPolicy, MailingList, Other, PolicyTestMode, TrustedForwarder};
    let all = [LocalPolicy, MailingList, Other, PolicyTestMode, TrustedForwarder];
    all.into_iter().find(|known| known.as_str() == word)
}

const SELECT: &str = "SELECT received, policy_domain, record, discovery_method, source, disposition, \
    dkim, spf, reasons, header_from, envelope_from, signatures, spf_domain, spf_result FROM dmarc \
    WHERE received >= ?1 AND received < ?2 ORDER BY policy_domain, record, discovery_method, rowid";
