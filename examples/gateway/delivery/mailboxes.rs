//! The Maildirs of local recipients: one for all, or one of each by an expanded path.
//!
//! | message       | `maildir` without a `$`  | expanded `maildir`              |
//! |---------------|--------------------------|---------------------------------|
//! | accepted      | one file in the store    | a file for each recipient       |
//! | in quarantine | `quarantine_maildir`, or the folder `.Quarantine` of the recipient's Maildir ||
//!
//! A value from outside, such as `$local_part`, is a part of one name in an expanded path: it has no slash
//! and no control character, and the name is not empty, does not begin with the value's dot, is neither `.`
//! nor `..`, and has at most 255 octets. Else no mailbox can have this name, now or later, so the recipient
//! is refused with 550 5.1.1. So is one whose Maildirs would be at a place of the program, or two of whose Maildirs
//! would have one place.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use mail_types::exim::{Query, Segment, Trust, Value};
use mail_types::smtp::{EnhancedCode, Reply, ReplyCode};
use thiserror::Error;

use super::reserved_places::{Clash, ReservedPlaces, below, is_among_mail, place};
use crate::gateway::policy::condition::RuleScope;
use crate::gateway::policy::context::Context;
use crate::gateway::policy::rules::Problem;
use crate::gateway::policy::stage::Stage;
use crate::gateway::policy::surroundings::Surroundings as _;
use crate::gateway::policy::text::{Text, Unfinished};
use crate::gateway::smtp::replies::{fault, say};

/// The Maildirs of local recipients.
#[derive(Debug)]
pub(crate) struct Mailboxes {
    maildir: MaildirOption,
    /// `None`: the folder `.Quarantine` of the recipient's Maildir.
    quarantine: Option<MaildirOption>,
    reserved: ReservedPlaces,
}

impl Mailboxes {
    /// Reads `maildir`, or takes `otherwise`, and `quarantine_maildir`.
    ///
    /// # Errors
    ///
    /// The invalid option, and its error.
    pub(crate) fn read(
        maildir: Option<&str>,
        otherwise: &Path,
        quarantine: Option<&str>,
        home: &RuleScope<'_>,
    ) -> Result<Self, (&'static str, Problem)> {
        let read = |option, text: Option<&str>| {
            let read = text.map(|text| MaildirOption::read(option, text, home)).transpose();
            read.map_err(|problem| (option, problem))
        };
        let maildir = read("maildir", maildir)?;
        Ok(Self {
            maildir: maildir.unwrap_or_else(|| MaildirOption::Known(otherwise.to_owned())),
            quarantine: read("quarantine_maildir", quarantine)?,
            reserved: ReservedPlaces::default(),
        })
    }

    /// Sets the places that no Maildir of a recipient may have.
    pub(crate) fn keep_off(&mut self, reserved: ReservedPlaces) {
        self.reserved = reserved;
    }

    /// Returns the Maildir of all recipients, if there is one.
    pub(crate) fn known_maildir(&self) -> Option<&Path> {
        match &self.maildir {
            MaildirOption::Known(path) => Some(path),
            MaildirOption::Expanded(_) => None,
        }
    }

    /// Returns `maildir` for a person.
    pub(crate) fn shown(&self) -> Cow<'_, str> {
        match self.maildir.path() {
            MaildirPath::Known(path) => path.to_string_lossy(),
            MaildirPath::Below(_, text) => text.into(),
        }
    }

    /// Returns the paths of the Maildirs that are known, and of the folders above expanded ones, each with
    /// its option.
    pub(crate) fn paths(&self) -> impl Iterator<Item = (&'static str, MaildirPath<'_>)> {
        let quarantine = self.quarantine.iter().map(|own| ("quarantine_maildir", own.path()));
        std::iter::once(("maildir", self.maildir.path())).chain(quarantine)
    }

    /// Finds the Maildirs of the recipient of the context, as far as they are expanded.
    ///
    /// # Errors
    ///
    /// The reply to a recipient without one.
    pub(crate) async fn of(&self, context: &mut Context<'_>) -> Result<OwnMaildirs, Reply> {
        let mut own = OwnMaildirs::default();
        let mut places = Vec::new();
        if let MaildirOption::Expanded(path) = &self.maildir {
            let (maildir, place) = Box::pin(path.expand(context, &self.reserved)).await?;
            own.maildir = Some(maildir);
            places.push(place);
        }
        if let Some(MaildirOption::Expanded(path)) = &self.quarantine {
            let (quarantine, place) = Box::pin(path.expand(context, &self.reserved)).await?;
            own.quarantine = Some(quarantine);
            places.push(place);
        }
        match places.as_slice() {
            [maildir, quarantine] if are_mixed(maildir, quarantine) => {
                let (maildir, quarantine) = (maildir.display(), quarantine.display());
                context.state.log(format!(
                    "quarantine_maildir: {quarantine} is at the Maildir {maildir}, or too near it"
                ));
                Err(no_mailbox())
            }
            _ => Ok(own),
        }
    }

    /// Returns the files of a message for the recipients with the numbers in `takers`, whose Maildirs are
    /// `own`; `None` if it goes into the store.
    ///
    /// # Errors
    ///
    /// The reply if one of them has no Maildir.
    pub(crate) fn files(
        &self,
        own: &[OwnMaildirs],
        takers: &[usize],
        quarantined: bool,
    ) -> Result<Option<Vec<MailboxFile>>, Reply> {
        let whole = |maildir: &Path, parent: Option<&Path>| {
            let (maildir, parent) = (maildir.to_owned(), parent.map(Path::to_owned));
            Ok(Some(vec![MailboxFile { maildir, parent, takers: takers.to_vec() }]))
        };
        match (quarantined, &self.maildir, &self.quarantine) {
            (false, MaildirOption::Known(_), _) => return Ok(None),
            (true, _, Some(MaildirOption::Known(path))) => return whole(path, None),
            (true, MaildirOption::Known(path), None) => {
                return whole(&path.join(QUARANTINE), Some(path));
            }
            (false, MaildirOption::Expanded(_), _)
            | (true, _, Some(MaildirOption::Expanded(_)))
            | (true, MaildirOption::Expanded(_), None) => {}
        }
        let each = takers.iter().map(|&taker| {
            let mailbox = own.get(taker)?;
            let maildir = mailbox.maildir.as_ref();
            let (maildir, parent) = match (quarantined, &mailbox.quarantine) {
                (false, _) => (maildir?.clone(), None),
                (true, Some(quarantine)) => (quarantine.clone(), None),
                (true, None) => (maildir?.join(QUARANTINE), maildir.cloned()),
            };
            Some(MailboxFile { maildir, parent, takers: vec![taker] })
        });
        let each: Option<Vec<_>> = each.collect();
        each.map(Some).ok_or_else(|| fault("no Maildir"))
    }
}

/// The Maildirs of one recipient, as far as they are expanded.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct OwnMaildirs {
    pub(crate) maildir: Option<PathBuf>,
    pub(crate) quarantine: Option<PathBuf>,
}

impl OwnMaildirs {
    /// Tells whether the recipient has a Maildir of its own.
    pub(crate) fn is_own(&self) -> bool {
        self.maildir.is_some() || self.quarantine.is_some()
    }
}

/// A file of a message, and the numbers of the recipients that it is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct MailboxFile {
    pub(crate) maildir: PathBuf,
    /// The Maildir that it is a folder of.
    pub(crate) parent: Option<PathBuf>,
    pub(crate) takers: Vec<usize>,
}

/// The path of a Maildir, as far as the option tells it at the start.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum MaildirPath<'a> {
    Known(&'a Path),
    /// The folder that all Maildirs of an expanded option are below, and the text of the option.
    Below(&'a Path, &'a str),
}

#[derive(Debug)]
enum MaildirOption {
    Known(PathBuf),
    Expanded(PathText),
}

impl MaildirOption {
    fn read(option: &'static str, text: &str, home: &RuleScope<'_>) -> Result<Self, Problem> {
        if !text.contains('$') {
            return Ok(Self::Known(text.into()));
        }
        let text = text.trim_end_matches('/');
        let path = Text::parse(text, Stage::Rcpt, home.language)?;
        let lead = str::from_utf8(path.lead()).unwrap_or_default();
        let lead = lead.rsplit_once('/').map_or("", |(folder, _)| folder);
        let rooted = if lead.is_empty() && text.starts_with('/') { "/" } else { lead };
        let folder = PathBuf::from(if rooted.is_empty() { "." } else { rooted });
        let place = place(&folder);
        Ok(Self::Expanded(PathText { option, path, folder, place, written: text.to_owned() }))
    }

    fn path(&self) -> MaildirPath<'_> {
        match self {
            Self::Known(path) => MaildirPath::Known(path),
            Self::Expanded(text) => MaildirPath::Below(&text.folder, &text.written),
        }
    }
}

/// A path with an expansion.
struct PathText {
    option: &'static str,
    path: Text,
    /// The folder that it begins with in any case.
    folder: PathBuf,
    /// The same, resolved.
    place: PathBuf,
    written: String,
}

impl fmt::Debug for PathText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PathText").field(&self.written).finish()
    }
}

impl PathText {
    /// Returns the path, and the place that it leads to.
    async fn expand(
        &self,
        context: &mut Context<'_>,
        reserved: &ReservedPlaces,
    ) -> Result<(PathBuf, PathBuf), Reply> {
        let expanded = self.path.expand_segments(context).await;
        context.log().place(&self.option);
        let expanded = expanded.map_err(|why| match why {
            Unfinished::Forced => no_mailbox(),
            Unfinished::Failed => {
                let text = "temporary failure finding the mailbox, try again later";
                say(ReplyCode::LOCAL_ERROR, EnhancedCode::of::<4, 3, 0>(), text)
            }
        })?;
        self.admitted(&expanded, reserved).map_err(|fault| {
            context.state.log(format!("{}: {fault}", self.option));
            no_mailbox()
        })
    }

    fn admitted(
        &self,
        expanded: &Query,
        reserved: &ReservedPlaces,
    ) -> Result<(PathBuf, PathBuf), UnusablePath> {
        let path = safe_path(expanded, self.path.lead().starts_with(b"/"))?;
        let rest = path.strip_prefix(&self.folder).unwrap_or(&path);
        let place = below(self.place.clone(), rest);
        reserved.admit(&place)?;
        Ok((path, place))
    }
}

/// Tells whether the mail of two Maildirs would be mixed.
fn are_mixed(one: &Path, other: &Path) -> bool {
    one == other || is_among_mail(one, other) || is_among_mail(other, one)
}

fn no_mailbox() -> Reply {
    let text = "no such mailbox here";
    say(ReplyCode::MAILBOX_UNAVAILABLE, EnhancedCode::NO_SUCH_MAILBOX, text)
}

/// No Maildir can have the path of a recipient.
#[derive(Debug, Error)]
enum UnusablePath {
    #[error(transparent)]
    Unsafe(#[from] UnsafePath),
    #[error(transparent)]
    Reserved(#[from] Clash),
}

/// Joins a path, absolute or not, whose names have values from outside in them only as parts.
fn safe_path(expanded: &Query, is_absolute: bool) -> Result<PathBuf, UnsafePath> {
    let (mut path, mut name) =
        (Vec::new(), PathName { may_be_empty: is_absolute, ..PathName::default() });
    for segment in expanded.segments() {
        match segment {
            Segment::Literal(bytes) | Segment::Value { bytes, trust: Trust::Trusted, .. } => {
                for (at, piece) in bytes.split(|&octet| octet == b'/').enumerate() {
                    if at > 0 {
                        name.end_in(&mut path)?;
                        path.push(b'/');
                    }
                    name.bytes.extend_from_slice(piece);
                }
            }
            Segment::Value { bytes, .. } => name.push_value(bytes)?,
        }
    }
    name.end_in(&mut path)?;
    Ok(OsString::from_vec(path).into())
}

/// A name in a path, as far as it is known.
#[derive(Default)]
struct PathName {
    bytes: Vec<u8>,
    has_value: bool,
    may_be_empty: bool,
}

impl PathName {
    fn push_value(&mut self, value: &[u8]) -> Result<(), UnsafePath> {
        let fault = if value.contains(&b'/') {
            Some(PathFault::Slash)
        } else if value.iter().any(u8::is_ascii_control) {
            Some(PathFault::Control)
        } else if self.bytes.is_empty() && value.starts_with(b".") {
            Some(PathFault::Dot)
        } else {
            None
        };
        self.has_value = true;
        self.bytes.extend_from_slice(value);
        fault.map_or(Ok(()), |fault| Err(UnsafePath::new(value, fault)))
    }

    /// Appends it to a path, and begins the next one.
    fn end_in(&mut self, path: &mut Vec<u8>) -> Result<(), UnsafePath> {
        let Self { bytes, has_value, may_be_empty } = std::mem::take(self);
        let fault = match bytes.as_slice() {
            // An empty value leaves no trace in the name.
            b"" if !may_be_empty => Some(PathFault::Empty),
            b"." if has_value || !path.is_empty() => Some(PathFault::Dot),
            b".." if has_value => Some(PathFault::Dot),
            name if name.len() > MOST_OCTETS => Some(PathFault::Long),
            _ => None,
        };
        path.extend_from_slice(&bytes);
        fault.map_or(Ok(()), |fault| Err(UnsafePath::new(&bytes, fault)))
    }
}

/// A value cannot be a part of a path.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("no folder can have the name \"{value}\": {fault}")]
pub(crate) struct UnsafePath {
    value: String,
    pub(crate) fault: PathFault,
}

impl UnsafePath {
    fn new(value: &[u8], fault: PathFault) -> Self {
        let shown = value.get(..MOST_SHOWN).unwrap_or(value);
        Self { value: Value::new(shown, Trust::Untrusted).to_line(), fault }
    }
}

/// The fault of a value in a path.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub(crate) enum PathFault {
    #[error("it has a slash")]
    Slash,
    #[error("it has a control character")]
    Control,
    #[error("it begins with a dot")]
    Dot,
    #[error("it is empty")]
    Empty,
    #[error("it has more than {MOST_OCTETS} octets")]
    Long,
}

/// The folder of Maildir++ for messages in quarantine.
const QUARANTINE: &str = ".Quarantine";
/// The longest name of a file or a folder in the file systems of Linux, in octets.
const MOST_OCTETS: usize = 255;
/// The longest part of a value in a line of the log, in octets.
const MOST_SHOWN: usize = 64;
