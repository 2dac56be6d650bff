//! The Maildirs of recipients: their paths, and the files of a message.

use std::path::Path;

use super::config_effect::refused;
use super::scenario::Scenario;
use super::scratch::Scratch;
use crate::gateway::config::Config;
use crate::gateway::delivery::mailboxes::{MailboxFile, OwnMaildirs};
use crate::gateway::policy::stage::Stage;

/// Returns the Maildirs of a recipient and the log, or the beginning of the reply.
async fn found(options: &str, recipient: &str) -> (Result<OwnMaildirs, String>, Vec<String>) {
    let config = Config::parse(options).unwrap_or_else(|error| panic!("{options}: {error}"));
    let mut scenario = Scenario::new().with_mail("<ann@a.example>", recipient);
    let context = &mut scenario.context(Stage::Rcpt, 0);
    let own = config.server.startup.mailboxes.of(context).await;
    let own = own.map_err(|reply| reply.to_string().get(..9).unwrap_or_default().to_owned());
    (own, scenario.state.take_log())
}

async fn maildir(options: &str, recipient: &str) -> Result<String, String> {
    let own = found(options, recipient).await.0?;
    Ok(own.maildir.unwrap_or_default().to_str().unwrap().to_owned())
}

const EACH: &str = "maildir = '/var/mail/$domain/$local_part'";

#[tokio::test]
async fn an_expanded_path_is_of_the_recipient() {
    for (options, recipient, expected) in [
        (EACH, "ann@a.example", "/var/mail/a.example/ann"),
        (EACH, "Ann@A.EXAMPLE", "/var/mail/a.example/Ann"),
        (EACH, "\"a b\"@a.example", "/var/mail/a.example/a b"),
        (EACH, "büro@a.example", "/var/mail/a.example/büro"),
        (EACH, "a.b..c@a.example", ""),
        (EACH, "\"a..b\"@a.example", "/var/mail/a.example/a..b"),
        ("maildir = '/var/mail/${lc:$local_part}'", "Ann@a.example", "/var/mail/ann"),
        ("maildir = '${substr_0_1:$local_part}/$local_part'", "ann@a.example", "a/ann"),
        ("maildir = 'mail/.$local_part/'", "ann@a.example", "mail/.ann"),
        ("maildir = '/${if eq{$domain}{a.example}{a/b}{c}}/x'", "ann@a.example", "/a/b/x"),
        (
            "maildir = '../$primary_hostname/$local_part'\nprimary_hostname = 'mx.example'",
            "ann@a.example",
            "../mx.example/ann",
        ),
    ] {
        let Ok(_) = recipient.parse::<mail_types::smtp::Mailbox>() else {
            assert_eq!(expected, "", "{recipient}");
            continue;
        };
        assert_eq!(maildir(options, recipient).await.as_deref(), Ok(expected), "{recipient}");
    }
}

#[tokio::test]
async fn a_recipient_cannot_leave_the_folder() {
    const SLASH: &str = "it has a slash";
    const DOT: &str = "it begins with a dot";
    const LONG: &str = "it has more than 255 octets";
    let five = "maildir = '/var/mail/$local_part$local_part$local_part$local_part$local_part'";
    let more = "maildir = '/var/mail/${base64d:$local_part}'";
    for (options, recipient, fault) in [
        (EACH, "\"../x\"@a.example", SLASH),
        (EACH, "a/b@a.example", SLASH),
        (EACH, "/etc@a.example", SLASH),
        (EACH, "\".\"@a.example", DOT),
        (EACH, "\"..\"@a.example", DOT),
        (EACH, "\".ssh\"@a.example", DOT),
        (EACH, "\"\"@a.example", "it is empty"),
        ("maildir = '/var/mail/.$local_part'", "\".\"@a.example", DOT),
        ("maildir = '/var/mail/.$local_part'", "\"\"@a.example", DOT),
        ("maildir = '$local_part/mail'", "\"\"@a.example", "it is empty"),
        ("maildir = '/var/$local_part/mail'", "\"\"@a.example", "it is empty"),
        ("maildir = '/var/mail/$acl_m_none$local_part'", "\"..\"@a.example", DOT),
        (five, &format!("{}@a.example", "l".repeat(52)), LONG),
        // What an operator makes of a value is a value.
        (more, "Li4vLi4vZXRj@a.example", SLASH),
        (more, "YQBi@a.example", "it has a control character"),
        (more, "YQpi@a.example", "it has a control character"),
        ("maildir = 'm/${sg{$local_part}{x}{/}}'", "axb@a.example", SLASH),
    ] {
        let (own, log) = found(options, recipient).await;
        assert_eq!(own.unwrap_err(), "550 5.1.1", "{options} {recipient}");
        let [line] = log.as_slice() else { panic!("{options} {recipient}: {log:?}") };
        let begin = "maildir: no folder can have the name \"";
        assert!(line.starts_with(begin) && line.ends_with(fault), "{recipient}: {line}");
    }
    let longest = format!("{}@a.example", "l".repeat(51));
    assert_eq!(maildir(five, &longest).await.unwrap(), format!("/var/mail/{}", "l".repeat(255)));
}

#[tokio::test]
async fn a_mailbox_that_is_looked_up_may_be_unknown_or_not_be_told() {
    let forced = "maildir = '/m/${if eq{$local_part}{ann}{ann}fail}'";
    assert_eq!(maildir(forced, "ann@a.example").await.unwrap(), "/m/ann");
    assert_eq!(maildir(forced, "bob@a.example").await.unwrap_err(), "550 5.1.1");
    let lookup = "maildir = '/m/${lookup sqlite{SELECT 1}}'";
    let (own, log) = found(lookup, "ann@a.example").await;
    assert_eq!(own.unwrap_err(), "451 4.3.0");
    assert!(log[0].starts_with("maildir: expansion failed: "), "{log:?}");
    let quarantine = "quarantine_maildir = '/q/$local_part'";
    let (own, log) = found(quarantine, "a/b@a.example").await;
    assert_eq!(own.unwrap_err(), "550 5.1.1");
    assert!(log[0].starts_with("quarantine_maildir: no folder"), "{log:?}");
}

#[test]
fn a_message_has_a_file_for_each_maildir() {
    let file = |maildir: &str, parent: &str, takers: &[usize]| MailboxFile {
        maildir: maildir.into(),
        parent: (!parent.is_empty()).then(|| parent.into()),
        takers: takers.to_vec(),
    };
    let both = |maildir: &str, quarantine: &str| {
        ["ann", "bob", "carl"].map(|name| OwnMaildirs {
            maildir: (!maildir.is_empty()).then(|| Path::new(maildir).join(name)),
            quarantine: (!quarantine.is_empty()).then(|| Path::new(quarantine).join(name)),
        })
    };
    for (options, own, taken, quarantined) in [
        ("maildir = 'm'", both("", ""), None, vec![file("m/.Quarantine", "m", &[0, 2])]),
        (
            "maildir = 'm'\nquarantine_maildir = 'q'",
            both("", ""),
            None,
            vec![file("q", "", &[0, 2])],
        ),
        (
            "maildir = 'm'\nquarantine_maildir = 'q/$local_part'",
            both("", "q"),
            None,
            vec![file("q/ann", "", &[0]), file("q/carl", "", &[2])],
        ),
        (
            "maildir = 'm/$local_part'",
            both("m", ""),
            Some(vec![file("m/ann", "", &[0]), file("m/carl", "", &[2])]),
            vec![
                file("m/ann/.Quarantine", "m/ann", &[0]),
                file("m/carl/.Quarantine", "m/carl", &[2]),
            ],
        ),
        (
            "maildir = 'm/$local_part'\nquarantine_maildir = 'q'",
            both("m", ""),
            Some(vec![file("m/ann", "", &[0]), file("m/carl", "", &[2])]),
            vec![file("q", "", &[0, 2])],
        ),
    ] {
        let mailboxes = Config::parse(options).unwrap().server.startup.mailboxes;
        assert_eq!(mailboxes.files(&own, &[0, 2], false), Ok(taken), "{options}");
        assert_eq!(mailboxes.files(&own, &[0, 2], true), Ok(Some(quarantined)), "{options}");
    }
}

#[test]
fn the_maildir_of_the_store_is_the_known_one() {
    for (options, expected) in [
        ("maildir = 'm'", Some("m")),
        ("spool_directory = 's'", Some("s/maildir")),
        ("maildir = '$local_part'", None),
    ] {
        let mailboxes = Config::parse(options).unwrap().server.startup.mailboxes;
        assert_eq!(mailboxes.known_maildir(), expected.map(Path::new), "{options}");
    }
    let text = format!("{EACH}\nquarantine_maildir = '$local_part'");
    let mailboxes = Config::parse(&text).unwrap().server.startup.mailboxes;
    let folders = mailboxes.paths().map(|(option, path)| (option, format!("{path:?}")));
    let folders: Vec<_> = folders.collect();
    assert_eq!(folders[0].1, "Below(\"/var/mail\", \"/var/mail/$domain/$local_part\")");
    assert_eq!(folders[1], ("quarantine_maildir", "Below(\".\", \"$local_part\")".to_owned()));
    assert_eq!(mailboxes.shown(), "/var/mail/$domain/$local_part");
}

/// A recipient could have the name of one of these files.
#[test]
fn the_maildirs_of_recipients_are_not_among_other_files() {
    for (text, other) in [
        ("maildir = 'spool/$local_part'", "spool_directory"),
        ("quarantine_maildir = 'spool/x-$local_part'", "spool_directory"),
        ("quarantine_maildir = 'spool/maildir/$local_part'", "the Maildir"),
        ("maildir = 'spool/maildir/$local_part'", "the Maildir"),
        ("maildir = 'spool/journal/$local_part'", "the journal"),
        ("maildir = 'spool/x/../journal/a/$local_part'", "the journal"),
        ("quarantine_maildir = 'spool/outbox/new/$local_part'", "the outbox"),
        ("maildir = 'spool/ocsp/$domain/$local_part'", "the folder of OCSP responses"),
        ("maildir = 'mail/.all/$local_part'\nquarantine_maildir = 'mail'", "quarantine_maildir"),
        ("maildir = 'mail/$local_part'\nquarantine_maildir = 'mail'", "quarantine_maildir"),
    ] {
        let error = refused(&format!("spool_directory = 'spool'\n{text}"));
        let (option, _) = text.split_once(' ').unwrap();
        let begin = format!("line 2: {option}: the Maildirs of recipients would be in ");
        assert!(error.starts_with(&begin), "{text}: {error}");
        assert!(error.ends_with(&format!("among the files of {other}")), "{text}: {error}");
    }
    let apart = "spool_directory = 'spool'\nmaildir = 'spool/each/$local_part'";
    assert_eq!(refused(apart), "");
}

#[test]
fn a_maildir_of_all_is_apart_from_other_places() {
    for (text, inner, outer) in [
        ("maildir = 'sp/journal/x'", "sp/journal/x", "sp/journal"),
        ("maildir = 'sp/events-aside/mail'", "sp/events-aside/mail", "sp/events-aside"),
        ("quarantine_maildir = 'sp/outbox/.Held'", "sp/outbox/.Held", "sp/outbox"),
        ("maildir = 'm'\nquarantine_maildir = 'm/new'", "m/new", "m"),
        ("maildir = 'm'\nquarantine_maildir = 'm/cur/x'", "m/cur/x", "m"),
        ("maildir = 'm/tmp'\nquarantine_maildir = 'm'", "m/tmp", "m"),
        ("maildir = 'm'\nsqlite_dbfile = 'm/new/events'", "m/new/events", "m"),
    ] {
        let rule = "acl_smtp_mail = [{ verb = 'quarantine', senders = ':' }]";
        let action = "event_action = '${lookup sqlite{SELECT 1}}'";
        let error = refused(&format!("spool_directory = 'sp'\n{action}\n{text}\n{rule}"));
        let here = std::env::current_dir().unwrap();
        let (inner, outer) = (here.join(inner), here.join(outer));
        let end = format!("not apart: {} is within {}", inner.display(), outer.display());
        assert!(error.starts_with("line ") && error.ends_with(&end), "{text}: {error}");
    }
    // The default Maildir has no line.
    let error = refused("spool_directory = 'sp'\nquarantine_maildir = 'sp/maildir/new'");
    assert!(error.contains("not apart: /") && error.ends_with("/sp/maildir"), "{error}");
    for apart in ["", "/.Quarantine", "/held", "/newer"] {
        assert_eq!(refused(&format!("maildir = 'm'\nquarantine_maildir = 'm{apart}x'")), "");
    }
    for both in ["'m/$local_part'", "'m/$local_part/'"] {
        let text = format!("maildir = 'm/$local_part'\nquarantine_maildir = {both}");
        let error = refused(&text);
        assert_eq!(error, "line 2: quarantine_maildir and maildir name one file, m/$local_part");
    }
}

/// A recipient whose name makes its Maildir one of the program's places has no mailbox.
#[tokio::test]
async fn a_recipient_cannot_have_a_place_of_the_program() {
    const SPOOL: &str = "spool_directory = '/b/gw'\nmaildir = '/b/$local_part'";
    const DEEP: &str = "spool_directory = '/b/gw/spool'\nmaildir = '/b/$local_part'";
    const WITHIN: &str = "spool_directory = '/b/gw'\nmaildir = '/b/$domain/$local_part'";
    const HELD: &str = "maildir = '/m/$local_part'\nquarantine_maildir = '/m/quarantine'";
    const STORE: &str = "maildir = '/m/all'\nquarantine_maildir = '/m/$local_part'";
    const EACH_MAIL: &str =
        "maildir = '/m/$local_part/Maildir'\nquarantine_maildir = '/m/bob/Maildir/.Q'";
    const DATABASE: &str = "maildir = '/m/$local_part'\nevent_action = '${lookup sqlite{SELECT 1}}'\nsqlite_dbfile = '/m/log'";
    const DOMAIN: &str = "maildir = '/m/$domain/$local_part'\nquarantine_maildir = '/m/$domain'";
    const ABOVE: &str = "maildir = '/m/$local_part/../../b/$local_part'\nspool_directory = '/b/gw'";
    for (options, recipient, near) in [
        (SPOOL, "gw@a.example", Some("/b/gw, spool_directory")),
        (SPOOL, "ann@a.example", None),
        (DEEP, "gw@a.example", Some("/b/gw/spool, spool_directory")),
        (WITHIN, "journal@gw", Some("/b/gw/journal, the journal")),
        (WITHIN, "outbox@gw", Some("/b/gw/outbox, the outbox")),
        (WITHIN, "ocsp@gw", Some("/b/gw/ocsp, the folder of OCSP responses")),
        (WITHIN, "tls-key.pem@gw", Some("/b/gw/tls-key.pem, the key that is made")),
        (WITHIN, "gateway.sqlite-wal@gw", Some("/b/gw/gateway.sqlite-wal, a file that SQLite")),
        (WITHIN, "maildir@gw", Some("/b/gw/maildir, the Maildir")),
        (WITHIN, "ann@gw", None),
        (WITHIN, "gw@a.example", None),
        (HELD, "quarantine@a.example", Some("/m/quarantine, quarantine_maildir")),
        (HELD, "quarantined@a.example", None),
        (STORE, "all@a.example", Some("/m/all, maildir")),
        (EACH_MAIL, "bob@a.example", None),
        (DATABASE, "log@a.example", Some("/m/log, sqlite_dbfile")),
        (DATABASE, "log-wal@a.example", Some("/m/log-wal, a file that SQLite")),
        (DOMAIN, "new@a.example", Some("/m/a.example/new")),
        (DOMAIN, "cur@a.example", Some("/m/a.example/cur")),
        (DOMAIN, "ann@a.example", None),
        (ABOVE, "gw@a.example", Some("/b/gw, spool_directory")),
    ] {
        let (own, log) = found(options, recipient).await;
        match near {
            None => assert!(own.is_ok() && log.is_empty(), "{options} {recipient}: {log:?}"),
            Some(near) => {
                assert_eq!(own.unwrap_err(), "550 5.1.1", "{options} {recipient}");
                let [line] = log.as_slice() else { panic!("{options} {recipient}: {log:?}") };
                assert!(line.contains(near), "{options} {recipient}: {line}");
            }
        }
    }
}

/// The folder that all paths begin with is resolved: it may lead to the spool by another name.
#[tokio::test]
async fn a_linked_folder_is_the_place_that_it_leads_to() {
    let scratch = Scratch::new();
    let folder = scratch.path();
    std::fs::create_dir_all(folder.join("real/gw")).unwrap();
    std::os::unix::fs::symlink(folder.join("real"), folder.join("link")).unwrap();
    let real = folder.canonicalize().unwrap();
    let options = format!(
        "spool_directory = '{0}/real/gw'\nmaildir = '{0}/link/$local_part'",
        folder.display()
    );
    let (own, log) = found(&options, "gw@a.example").await;
    assert_eq!(own.unwrap_err(), "550 5.1.1");
    assert!(log[0].contains(&format!("{}/real/gw, spool_directory", real.display())), "{log:?}");
    assert!(found(&options, "ann@a.example").await.0.is_ok());
}
