//! Options that name one file, or a place within another's: what one of them writes there, the other would read
//! as its own.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{ConfigError, ConfigOptions};
use crate::gateway::delivery::mailboxes::MaildirPath;
use crate::gateway::delivery::reserved_places::{
    PlaceKind, ReservedPlace, ReservedPlaces, is_among_mail, place,
};
use crate::gateway::delivery::settings::VerifyCertificates;
use crate::gateway::server::settings::{LiveSettings, StartupSettings};
use crate::gateway::store::settings::StoreSettings;

/// Refuses two options of one file, and an option with a file that the program makes for itself. Returns the
/// places that no Maildir of a recipient may have.
pub(super) fn check(
    options: &ConfigOptions,
    startup: &StartupSettings,
    live: &LiveSettings,
) -> Result<ReservedPlaces, ConfigError> {
    one_text(options)?;
    let given = given(options, startup, live);
    let own = own(options, startup, live);
    for (at, (option, path)) in given.iter().enumerate() {
        let others = given.iter().take(at).map(|(other, path)| (*other, path.clone()));
        let other = others.chain(own.iter().cloned()).find(|(other, beside)| {
            // A certificate and its key may be in one file, and its authority too.
            let together = *other == "tls_certificate"
                && matches!(
                    *option,
                    "tls_privatekey" | "tls_ocsp_verify_certificates" | "tls_verify_certificates"
                );
            // One key may be that of several certificates.
            let together = together || other == option;
            !together && is_same(path, beside)
        });
        if let Some((other, _)) = other {
            return Err(ConfigError::OneFile { option, other, path: path.clone() });
        }
    }
    // A folder in the place of a file is refused where it is opened.
    let given = given.into_iter().filter(|(name, path)| FOLDERS.contains(name) || !path.is_dir());
    let places = places(&startup.spool_directory, given.chain(own));
    for (option, path) in startup.mailboxes.paths() {
        match path {
            MaildirPath::Known(path) => apart(option, &place(path), &places)?,
            MaildirPath::Below(folder, _) => below(option, folder, &places)?,
        }
    }
    Ok(ReservedPlaces::new(places))
}

/// Refuses the same expansion for both Maildirs.
fn one_text(options: &ConfigOptions) -> Result<(), ConfigError> {
    let text = |option: &Option<String>| {
        option.as_deref().map(|text| text.trim_end_matches('/').to_owned())
    };
    match text(&options.maildir).filter(|text| text.contains('$')) {
        Some(same) if text(&options.quarantine_maildir).as_ref() == Some(&same) => {
            let (option, other) = ("quarantine_maildir", "maildir");
            Err(ConfigError::OneFile { option, other, path: same.into() })
        }
        _ => Ok(()),
    }
}

fn places(spool: &Path, named: impl Iterator<Item = Named>) -> Vec<ReservedPlace> {
    let reserved =
        |(name, path): (&'static str, &Path), kind| ReservedPlace { name, path: place(path), kind };
    let named = named.map(|(name, path)| {
        let is_maildir = matches!(name, MAILDIR | "maildir" | "quarantine_maildir");
        reserved((name, &path), if is_maildir { PlaceKind::Maildir } else { PlaceKind::Own })
    });
    std::iter::once(reserved(("spool_directory", spool), PlaceKind::Spool)).chain(named).collect()
}

/// Refuses a Maildir of all recipients within a folder of the program, and another place among its mail.
fn apart(
    option: &'static str,
    maildir: &Path,
    places: &[ReservedPlace],
) -> Result<(), ConfigError> {
    for ReservedPlace { name, path, kind } in places.iter().filter(|place| place.name != option) {
        let is_within = match kind {
            PlaceKind::Own => maildir.starts_with(path),
            PlaceKind::Spool => false,
            PlaceKind::Maildir => is_among_mail(maildir, path),
        };
        let pair = if is_within {
            Some((maildir, &**path))
        } else {
            is_among_mail(path, maildir).then_some((&**path, maildir))
        };
        if let Some((inner, outer)) = pair {
            let (inner, outer) = (inner.to_owned(), outer.to_owned());
            return Err(ConfigError::NotApart { option, other: name, inner, outer });
        }
    }
    Ok(())
}

/// Refuses Maildirs of recipients among the files of the program, or of a Maildir: a recipient could have the
/// name of such a file.
fn below(option: &'static str, folder: &Path, places: &[ReservedPlace]) -> Result<(), ConfigError> {
    let resolved = place(folder);
    let among = places.iter().find(|place| match place.kind {
        PlaceKind::Spool => resolved == place.path,
        PlaceKind::Own | PlaceKind::Maildir => resolved.starts_with(&place.path),
    });
    among.map_or(Ok(()), |place| {
        Err(ConfigError::Among { option, other: place.name, path: folder.to_owned() })
    })
}

/// A file or a folder, and whose it is.
type Named = (&'static str, PathBuf);

fn given(options: &ConfigOptions, startup: &StartupSettings, live: &LiveSettings) -> Vec<Named> {
    let tls = [
        ("tls_certificate", &live.tls.certificate),
        ("tls_privatekey", &live.tls.privatekey),
        ("tls_ocsp_file", &live.tls.ocsp_file),
    ];
    let tls = tls.into_iter().flat_map(|(option, list)| {
        let known = list.as_ref().and_then(|list| list.known());
        known.into_iter().flatten().map(move |path| (option, path.clone()))
    });
    let others = [
        ("sqlite_dbfile", &options.sqlite_dbfile),
        ("dmarc_tld_file", &options.dmarc_tld_file),
        ("tls_ocsp_verify_certificates", &options.tls_ocsp_verify_certificates),
        ("tls_crl", &options.tls_crl),
        ("dmarc_history_file", &options.dmarc_history_file),
    ]
    .into_iter()
    .chain([("remote_smtp.mta_sts_directory", &live.remote.mta_sts_directory)])
    .filter_map(|(option, path)| Some((option, path.clone()?)));
    let authorities = match &live.tls.verify_certificates {
        VerifyCertificates::File(path) => Some(("tls_verify_certificates", path.clone())),
        VerifyCertificates::None | VerifyCertificates::System => None,
    };
    let named = |option| option != "maildir" || options.maildir.is_some();
    let mailboxes = startup.mailboxes.paths().filter_map(|(option, path)| match path {
        MaildirPath::Known(path) => named(option).then(|| (option, path.to_owned())),
        MaildirPath::Below(..) => None,
    });
    tls.chain(others).chain(authorities).chain(mailboxes).collect()
}

/// What the program has in `spool_directory`, unless an option names another place, and what `SQLite` has
/// beside its databases.
fn own(options: &ConfigOptions, startup: &StartupSettings, live: &LiveSettings) -> Vec<Named> {
    let spool = &startup.spool_directory;
    let mut own = vec![
        ("the file of events that wait", spool.join("events-aside")),
        ("the folder of OCSP responses", spool.join("ocsp")),
        ("the outbox", startup.reports.outbox.clone()),
    ];
    if live.tls.certificate.is_none() {
        own.push(("the certificate that is made", spool.join("tls-cert.pem")));
        own.push(("the key that is made", spool.join("tls-key.pem")));
    }
    if let StoreSettings::Maildir { maildir, journal, .. } = &startup.store {
        own.push(("the journal", journal.clone()));
        if options.maildir.as_ref().is_none_or(|text| text.contains('$')) {
            own.push((MAILDIR, maildir.clone()));
        }
    }
    let database = &live.lookups.sqlite_dbfile;
    if options.sqlite_dbfile.is_none() {
        own.push(("the default of sqlite_dbfile", database.clone()));
    }
    own.extend(startup.reports.rows.clone().map(|rows| ("the database of DMARC's rows", rows)));
    for database in startup.reports.rows.iter().chain([database]) {
        for end in ["-journal", "-wal", "-shm"] {
            let mut path = OsString::from(database);
            path.push(end);
            own.push(("a file that SQLite makes beside its database", path.into()));
        }
    }
    own
}

fn is_same(one: &Path, other: &Path) -> bool {
    let number = |path| fs::metadata(path).ok().map(|data| (data.dev(), data.ino()));
    match (number(one), number(other)) {
        (Some(one), Some(other)) => one == other,
        _ => place(one) == place(other),
    }
}

/// The options of `given` that name folders.
const FOLDERS: [&str; 3] = ["maildir", "quarantine_maildir", "remote_smtp.mta_sts_directory"];
/// The name of the Maildir that the program has by default.
const MAILDIR: &str = "the Maildir";
