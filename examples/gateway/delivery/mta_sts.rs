//! MTA-STS policies that another program has fetched: RFC 8461.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use mail_types::dns::Name;
use thiserror::Error;

/// The folder of policies: the policy of `example.com` is in the file `example.com`, as the domain
/// publishes it. It counts for its `max_age`, from the file's time of modification on.
#[derive(Clone, Debug)]
pub(crate) struct MtaStsDirectory(PathBuf);

impl MtaStsDirectory {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Returns the policy of a domain, if there is one that has not expired.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is no policy.
    pub(crate) fn policy(
        &self,
        domain: &Name,
        now: SystemTime,
    ) -> Result<Option<StsPolicy>, StsFileError> {
        let text = domain.to_string().to_ascii_lowercase();
        // Names of policy files are those of host names: the rest has no policy.
        let is_sound = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_');
        if text.starts_with('.') || !text.bytes().all(is_sound) {
            return Ok(None);
        }
        let path = self.0.join(text);
        read(&path, now).map_err(|problem| StsFileError { path, problem })
    }
}

fn read(path: &Path, now: SystemTime) -> Result<Option<StsPolicy>, StsProblem> {
    let data = match fs::metadata(path) {
        Ok(data) => data,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if data.len() > MAX_POLICY {
        return Err(StsProblem::TooLong);
    }
    let policy = StsPolicy::parse(&fs::read_to_string(path)?)?;
    let age = now.duration_since(data.modified()?).unwrap_or_default();
    Ok((age <= policy.max_age).then_some(policy))
}

/// A policy (RFC 8461 section 3.2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct StsPolicy {
    mode: StsMode,
    /// The patterns of `mx`: a host, or `*.` and a domain.
    mx: Vec<(bool, Name)>,
    max_age: Duration,
    /// Its lines, for reports (RFC 8460 section 4.4).
    lines: Vec<String>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum StsMode {
    Enforce,
    Testing,
    None,
}

impl StsPolicy {
    /// Parses the text of a policy. Of a repeated field other than `mx` the first counts.
    pub(crate) fn parse(text: &str) -> Result<Self, StsProblem> {
        let (mut version, mut mode, mut age, mut mx) = (None, None, None, Vec::new());
        let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        for (at, line) in lines.iter().enumerate() {
            let malformed = || StsProblem::Line { line: at + 1 };
            let (key, value) = line.split_once(':').ok_or_else(malformed)?;
            let value = value.trim();
            match key.trim() {
                "version" => _ = version.get_or_insert(value),
                "mode" => _ = mode.get_or_insert(value),
                "max_age" => _ = age.get_or_insert(value),
                "mx" => mx.push(pattern(value).ok_or_else(malformed)?),
                _ => {}
            }
        }
        if version != Some("STSv1") {
            return Err(StsProblem::Version);
        }
        let mode = match mode {
            Some("enforce") => StsMode::Enforce,
            Some("testing") => StsMode::Testing,
            Some("none") => StsMode::None,
            _ => return Err(StsProblem::Mode),
        };
        let age = age.and_then(|age| age.parse::<u64>().ok()).ok_or(StsProblem::MaxAge)?;
        if mode != StsMode::None && mx.is_empty() {
            return Err(StsProblem::NoMx);
        }
        // Section 3.2: the most that a policy may say is a year.
        let max_age = Duration::from_secs(age.min(MAX_AGE));
        Ok(Self { mode, mx, max_age, lines: lines.into_iter().map(str::to_owned).collect() })
    }

    pub(crate) fn is_enforced(&self) -> bool {
        self.mode == StsMode::Enforce
    }

    pub(crate) fn is_testing(&self) -> bool {
        self.mode == StsMode::Testing
    }

    /// Returns its lines.
    pub(crate) fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Tells whether a pattern names the host. A wildcard stands for one label (section 4.1).
    pub(crate) fn names(&self, host: &Name) -> bool {
        self.mx.iter().any(|(is_wildcard, name)| match is_wildcard {
            true => host.parent().is_some_and(|parent| parent == *name),
            false => host == name,
        })
    }
}

fn pattern(text: &str) -> Option<(bool, Name)> {
    let (is_wildcard, name) = match text.strip_prefix("*.") {
        Some(name) => (true, name),
        None => (false, text),
    };
    let name: Name = name.parse().ok()?;
    (!name.is_root() && !text.contains("*.*")).then_some((is_wildcard, name))
}

/// Why the policy of a domain cannot be used.
#[derive(Debug, Error)]
#[error("MTA-STS policy {}: {problem}", path.display())]
pub(crate) struct StsFileError {
    path: PathBuf,
    problem: StsProblem,
}

/// Why a file is no policy.
#[derive(Debug, Error)]
pub(crate) enum StsProblem {
    #[error("cannot be read: {0}")]
    Read(#[from] std::io::Error),
    #[error("longer than {MAX_POLICY} octets")]
    TooLong,
    #[error("line {line} is not a field of a policy")]
    Line { line: usize },
    #[error("no \"version: STSv1\"")]
    Version,
    #[error("no mode, or not enforce, testing or none")]
    Mode,
    #[error("no max_age, or not a number of seconds")]
    MaxAge,
    #[error("no mx")]
    NoMx,
}

/// The longest policy, in octets (section 3.3 recommends 64 KiB).
const MAX_POLICY: u64 = 64 << 10;
/// In seconds.
const MAX_AGE: u64 = 31_557_600;
