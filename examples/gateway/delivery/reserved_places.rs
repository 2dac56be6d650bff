//! The places of the program that no recipient's Maildir may have.
//!
//! A recipient could have the name of a folder of the program, as `gw` where `maildir` is `base/$local_part` and
//! `spool_directory` is `base/gw`. The folder that an expanded path begins with is resolved at the start; the
//! rest is compared by its names, since a question to a slow disk would hold up the session. So a symbolic link
//! in the place of a recipient's Maildir is followed.

use std::fmt;
use std::path::{Component, Path, PathBuf, absolute};

use thiserror::Error;

/// The places of a configuration.
#[derive(Default)]
pub(crate) struct ReservedPlaces(Vec<ReservedPlace>);

/// A place, resolved, with the name of its option or its noun in the manual.
#[derive(Clone, Debug)]
pub(crate) struct ReservedPlace {
    pub(crate) name: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) kind: PlaceKind,
}

/// The kinds of a place, by the Maildirs that may be near it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PlaceKind {
    /// A file or a folder: no Maildir may be around it or within it.
    Own,
    /// The folder of all these: Maildirs may be within it, beside them.
    Spool,
    /// A Maildir: it may be a folder of a recipient's, as in Maildir++.
    Maildir,
}

impl ReservedPlaces {
    pub(crate) fn new(places: impl IntoIterator<Item = ReservedPlace>) -> Self {
        Self(places.into_iter().collect())
    }

    /// Checks the resolved path of a Maildir.
    ///
    /// # Errors
    ///
    /// The first place that it would clash with.
    pub(crate) fn admit(&self, maildir: &Path) -> Result<(), Clash> {
        let clash = self.0.iter().find(|place| place.clashes_with(maildir));
        clash.map_or(Ok(()), |place| Err(Clash::new(maildir, place)))
    }
}

/// The options that it follows from are compared themselves.
impl fmt::Debug for ReservedPlaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReservedPlaces").finish_non_exhaustive()
    }
}

impl ReservedPlace {
    /// Tells whether a Maildir at this path is this place, or too near it.
    fn clashes_with(&self, maildir: &Path) -> bool {
        let (within, around) = (maildir.starts_with(&self.path), self.path.starts_with(maildir));
        match self.kind {
            PlaceKind::Own => within || around,
            PlaceKind::Spool => around,
            PlaceKind::Maildir => within || is_among_mail(&self.path, maildir),
        }
    }
}

/// Tells whether a path is one of the three folders of a Maildir, or within one.
pub(crate) fn is_among_mail(path: &Path, maildir: &Path) -> bool {
    let rest = path.strip_prefix(maildir).ok().and_then(|rest| rest.components().next());
    rest.is_some_and(|first| MAIL.iter().any(|name| first.as_os_str() == *name))
}

/// Returns the place that a path leads to, which may be missing yet.
pub(crate) fn place(path: &Path) -> PathBuf {
    let path = absolute(path).unwrap_or_else(|_| path.to_owned());
    let there = path.ancestors().find_map(|folder| Some((folder, folder.canonicalize().ok()?)));
    let (there, found) = there.unwrap_or((Path::new("/"), PathBuf::from("/")));
    below(found, path.strip_prefix(there).unwrap_or(&path))
}

/// Appends a path by its names, without a question to the disk.
pub(crate) fn below(mut folder: PathBuf, path: &Path) -> PathBuf {
    for component in path.components() {
        match component {
            Component::ParentDir => drop(folder.pop()),
            other => folder.push(other),
        }
    }
    folder
}

/// A Maildir would be at a place of the program, around it or within it.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("the Maildir {} is at {}, {name}, or too near it", maildir.display(), path.display())]
pub(crate) struct Clash {
    maildir: PathBuf,
    pub(crate) name: &'static str,
    pub(crate) path: PathBuf,
}

impl Clash {
    fn new(maildir: &Path, place: &ReservedPlace) -> Self {
        Self { maildir: maildir.to_owned(), name: place.name, path: place.path.clone() }
    }
}

/// The folders of a Maildir that have its mail.
const MAIL: &[&str] = &["new", "cur", "tmp"];
