//! Options that name one file: what one of them writes there, the other would read as its own.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf, absolute};

use super::{ConfigError, ConfigOptions};
use crate::gateway::delivery::mailboxes::MaildirPath;
use crate::gateway::delivery::settings::VerifyCertificates;
use crate::gateway::server::settings::{LiveSettings, StartupSettings};
use crate::gateway::store::settings::StoreSettings;

/// Refuses two options of one file, and an option with a file that the program makes for itself.
pub(super) fn check(
    options: &ConfigOptions,
    startup: &StartupSettings,
    live: &LiveSettings,
) -> Result<(), ConfigError> {
    below(startup)?;
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
    Ok(())
}

/// Refuses Maildirs of recipients among the files of the program, or of a Maildir: a recipient could have the
/// name of such a file.
fn below(startup: &StartupSettings) -> Result<(), ConfigError> {
    let known = startup.mailboxes.paths().filter_map(|(option, path)| match path {
        MaildirPath::Known(path) => Some((option, path)),
        MaildirPath::Below(..) => None,
    });
    let known: Vec<_> = known.chain([("spool_directory", &*startup.spool_directory)]).collect();
    for (option, path) in startup.mailboxes.paths() {
        let MaildirPath::Below(folder, _) = path else { continue };
        let other = known.iter().find(|(_, other)| is_same(folder, other));
        if let Some((other, path)) = other {
            return Err(ConfigError::Among { option, other, path: (*path).to_owned() });
        }
    }
    Ok(())
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
        ("the outbox", startup.reports.outbox.clone()),
    ];
    if live.tls.certificate.is_none() {
        own.push(("the certificate that is made", spool.join("tls-cert.pem")));
        own.push(("the key that is made", spool.join("tls-key.pem")));
    }
    if let StoreSettings::Maildir { maildir, journal, .. } = &startup.store {
        own.push(("the journal", journal.clone()));
        if options.maildir.as_ref().is_none_or(|text| text.contains('$')) {
            own.push(("the Maildir", maildir.clone()));
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

/// Where a path leads that may not be there yet.
fn place(path: &Path) -> PathBuf {
    let path = absolute(path).unwrap_or_else(|_| path.to_owned());
    let there = path.ancestors().find_map(|folder| Some((folder, folder.canonicalize().ok()?)));
    let (there, mut place) = there.unwrap_or((Path::new("/"), PathBuf::from("/")));
    for component in path.strip_prefix(there).unwrap_or(&path).components() {
        match component {
            Component::ParentDir => drop(place.pop()),
            other => place.push(other),
        }
    }
    place
}
