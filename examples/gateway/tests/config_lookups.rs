//! Options of lookups that nothing uses: refused with the line and the cause.

use crate::gateway::config::Config;

const OFF: &str = "event_action = ''\n";
const NO_SERVER: &str = "redis_servers names no server";
const NO_FILE: &str = "no text names a file to look up in";
const NO_LOOKUP: &str = "no text has a lookup of this type";
const NO_PGSQL: &str = if cfg!(feature = "pgsql") {
    NO_LOOKUP
} else {
    "it is not compiled in; build with --features pgsql"
};
const NO_REDIS: &str = if cfg!(feature = "redis") {
    NO_LOOKUP
} else {
    "it is not compiled in; build with --features redis"
};

/// What stands before an option, the option, and why it does nothing.
const WITHOUT_EFFECT: &[(&str, &str, &str)] = &[
    ("", "lookup_file_size_limit = '1M'", "lookup_directories names no folder with files"),
    ("", "redis_allow_writes = true", NO_SERVER),
    ("redis_servers = ''\n", "redis_compatible = true", NO_SERVER),
    ("", "redis_timeout = '1s'", NO_SERVER),
    ("", "redis_servers = 'a//'", NO_REDIS),
    ("", "pgsql_servers = 'db/mail/me/pw'", NO_PGSQL),
    // Without event_action the events are rows of the database.
    ("", "lookup_directories = '/etc'", NO_FILE),
    ("event_action = '${lookup sqlite{SELECT 1}}'\n", "lookup_directories = '/etc'", NO_FILE),
    ("event_action = '${sg{$event_data}{x}{\\$0}}'\n", "lookup_directories = '/etc'", NO_FILE),
    (OFF, "sqlite_dbfile = 'x'", NO_LOOKUP),
    (
        "lookup_directories = '/etc'\nlocal_parts = '/etc/names'\nevent_action = ''\n",
        "lookup_rows_max = 5",
        "no text has a query of a database",
    ),
    (OFF, "lookup_timeout = '3s'", "no text has a lookup"),
    (OFF, "lookup_size_limit = '3K'", "no text has a lookup"),
];

#[test]
fn what_nothing_uses_is_refused_with_the_cause() {
    for (before, option, cause) in WITHOUT_EFFECT {
        let error = Config::parse(&format!("{before}\n{option}\n")).unwrap_err().to_string();
        let (line, name) = (before.lines().count() + 2, option.split(' ').next().unwrap());
        assert_eq!(error, format!("line {line}: {name} has no effect: {cause}"));
    }
}

#[test]
fn what_something_uses_or_may_use_is_taken() {
    for text in [
        "sqlite_dbfile = 'x'\nlookup_timeout = '3s'\nlookup_rows_max = 5\nlookup_size_limit = '3K'",
        "lookup_directories = '/etc'\nlocal_parts = '/etc/names'\nevent_action = ''\n\
         lookup_timeout = '3s'\nlookup_size_limit = '3K'\nlookup_file_size_limit = '3K'",
        "lookup_directories = '/etc'\n[domainlist]\nown = 'lsearch;/etc/own'",
        "lookup_directories = '/etc'\nevent_action = '${lookup sqlite,file=/etc/x{SELECT 1}}'",
        "lookup_directories = '/etc'\nevent_action = '${lookup{x}lsearch{/etc/x}}'",
        "lookup_directories = '/etc'\ntls_certificate = '${lookup{x}lsearch{/etc/x}}'",
        "lookup_directories = '/etc'\nevent_action = '${if match_domain{a}{/etc/x}}'",
        // What looks nothing up itself may come to a text or a list that does.
        "lookup_directories = '/etc'\nevent_action = '${expand:$event_data}'",
        "lookup_directories = '/etc'\nevent_action = '${sg{$event_data}{x}{$event_name}}'",
        "lookup_directories = '/etc'\n[hostlist]\nown = '${lookup sqlite{SELECT 1}}'",
    ] {
        Config::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
}

#[cfg(all(feature = "pgsql", feature = "redis"))]
#[test]
fn servers_of_a_lookup_that_a_text_has_are_taken() {
    for (option, lookup) in [
        ("pgsql_servers = 'db::5432/mail/me/pa$word'", "${lookup pgsql{SELECT 1}}"),
        ("redis_servers = 'a//'\nredis_timeout = '1s'", "${lookup redis{GET a}}"),
        ("redis_servers = 'a//'", "${lookup redis,servers=a{GET a}}"),
    ] {
        let rule = format!("[[acl_smtp_rcpt]]\nverb = 'deny'\ncondition = '{lookup}'");
        let text = format!("{option}\n{rule}");
        Config::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
}
