//! Texts with expansions in all parts of a rule: their results, and the effect of a failed expansion.
//! `condition` has the meaning of Exim's `acl_check_condition`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use event_expand::Ask;
use mail_types::exim::LookupResult;

use super::scenario::{Scenario, rules};
use super::scratch::Scratch;
use crate::gateway::config::Config;
use crate::gateway::lookups::asking::{Answering, Answers};
use crate::gateway::lookups::engines::Engines;
use crate::gateway::policy::stage::Stage;

const LATER: &str = "451 4.7.0 temporary failure evaluating policy, try again later";
const DENIED: &str = "550 5.7.1 not permitted";

async fn refusal(place: Stage, lines: &str) -> (String, Vec<String>) {
    let text = format!("[[{}]]\nverb = 'deny'\n{lines}\n", place.option());
    let mut scenario = Scenario::new().with_mail("<ann@a.example>", "bob@mx.example");
    scenario.message = "Subject: =?utf-8?q?caf=C3=A9?= \r\nTo: a@b.example\r\nTO: c@d.example\r\n\
                     X: a:b\r\nX: c\r\nX-Folded: a\r\n b\r\n\tc\r\n\r\nbody\r\n"
        .into();
    let refusal = scenario.refusal(&rules(&text), place).await;
    (refusal, scenario.state.take_log())
}

#[tokio::test]
async fn a_condition_is_true_false_or_neither() {
    for (text, expected) in [
        ("", ""),
        ("0", ""),
        ("-0", ""),
        ("000", ""),
        ("no", ""),
        ("No", ""),
        ("FALSE", ""),
        ("${if eq{a}{b}}", ""),
        ("${if eq{a}{b}{yes}{no}}", ""),
        ("$acl_m_none", ""),
        ("1", DENIED),
        ("-7", DENIED),
        ("4294967296", ""), // Of 32 bits, as in Exim, nothing is left.
        ("yes", DENIED),
        ("True", DENIED),
        ("${if eq{a}{a}}", DENIED),
        ("${if eq{$local_part}{bob}{yes}{no}}", DENIED),
        ("${if match{$sender_address}{^ann@}{1}{0}}", DENIED),
        ("${if match_domain{$domain}{+local_domains}{1}{0}}", LATER), // None is defined here.
        ("${if eq{a}{a}{maybe}}", LATER),
        ("${if eq{a}{a}{1.5}}", LATER),
        ("yes ", DENIED),
        ("${eval:1/0}", LATER),
        ("${expand:$local_part}", LATER),      // Untrusted.
        ("${lookup sqlite{SELECT 1}}", LATER), // There is nobody who makes it.
        ("${if eq{a}{b}{0}fail}", DENIED),     // Ignored.
    ] {
        let (refusal, _) = refusal(Stage::Rcpt, &format!("condition = '{text}'")).await;
        assert_eq!(refusal, expected, "{text}");
    }
    for (text, expected) in
        [("yes", ""), ("no", DENIED), ("${lc:maybe}", LATER), ("${if bool{0}{}fail}", DENIED)]
    {
        let (refusal, _) = refusal(Stage::Rcpt, &format!("'!condition' = '{text}'")).await;
        assert_eq!(refusal, expected, "{text}");
    }
}

#[tokio::test]
async fn why_a_rule_defers_is_in_the_log() {
    for (lines, line) in [
        (
            "condition = '${eval:1/0}'",
            "expansion failed: byte 0: division by zero, after 3 bytes of the expression",
        ),
        ("condition = '${lc:maybe}'", "a condition is neither true nor false: maybe"),
        (
            "domains = '${if eq{1}{1}{a b}} : $domain'",
            "an expanded list cannot be read: item 1 (a b): not a domain",
        ),
        (
            "condition = '${lookup sqlite{SELECT 1}}'",
            "expansion failed: byte 0: lookup or request deferred: nobody makes lookups here",
        ),
        (
            "ratelimit = '${if eq{1}{2}{5}} / 1h / per_cmd / $domain'",
            "the limit of a rate is not a number: ",
        ),
    ] {
        let (refusal, log) = refusal(Stage::Rcpt, lines).await;
        assert_eq!(refusal, LATER, "{lines}");
        assert_eq!(log.len(), 1, "{log:?}");
        // Its place comes first.
        let (condition, _) = lines.split_once(" = ").unwrap();
        let place = format!("line 3: {condition}: ");
        assert!(log[0].strip_prefix(&place).is_some_and(|rest| rest.starts_with(line)), "{log:?}");
    }
}

/// A modifier that cannot be expanded has its default, and one that fails by its own word does nothing.
#[tokio::test]
async fn a_modifier_without_a_text_has_its_default() {
    let (failing, forced) = ("${eval:x}", "${if eq{1}{2}{}fail}");
    for (lines, expected, logged) in [
        (format!("message = '{failing}'"), DENIED, true),
        (format!("message = '{forced}'"), DENIED, false),
        (format!("log_message = '{failing}'"), DENIED, true),
        (format!("logwrite = '{failing}'"), DENIED, true),
        (format!("logwrite = '{forced}'"), DENIED, false),
        (format!("add_header = 'X-A: {failing}'"), DENIED, true),
        (
            format!("set.acl_m1 = '1'\nset.acl_m1 = '{failing}'\nmessage = '[$acl_m1]'")
                .replace("\nset.acl_m1 = '$", "\nset.'$acl_m1' = '$"),
            "550 5.7.1 []",
            true,
        ),
        (
            format!("set.acl_m1 = '1'\nset.'$acl_m1' = '{forced}'\nmessage = '[$acl_m1]'"),
            "550 5.7.1 [1]",
            false,
        ),
        // Who has no filter would take what it should refuse.
        (format!("profile = '{failing}'"), LATER, true),
        (format!("profile = '{forced}'"), DENIED, false),
    ] {
        let (refusal, log) = refusal(Stage::Rcpt, &lines).await;
        assert_eq!(refusal, expected, "{lines}");
        assert_eq!(log.iter().any(|line| line.contains(": expansion failed: ")), logged, "{log:?}");
    }
    let rules = rules(
        "[[acl_smtp_data]]\nverb = 'warn'\nadd_header = 'X-A: ${eval:x}'\nadd_header.x = 1"
            .trim_end_matches("\nadd_header.x = 1"),
    );
    let mut scenario = Scenario::new().with_mail("<ann@a.example>", "bob@mx.example");
    scenario.judge(&rules, Stage::Data, 0).await;
    assert_eq!(scenario.state.headers().count(), 0);
}

#[tokio::test]
async fn lists_of_every_condition_can_be_expanded() {
    for (lines, expected) in [
        ("hosts = '${if eq{1}{1}{192.0.2.0/24}}'", DENIED),
        ("hosts = '<; ${if eq{1}{1}{2001:db8::1;192.0.2.1}}'", DENIED),
        ("hosts = '$sender_host_address'", DENIED),
        ("'!hosts' = '$sender_host_address'", ""),
        ("hosts = '!$sender_host_address : *'", ""),
        ("hosts = '$sender_helo_name x'", LATER),
        ("senders = '$local_part@a.example : ann@${sender_address_domain}'", DENIED),
        ("sender_domains = '*.${extract{-1}{.}{$sender_address_domain}}'", DENIED),
        ("domains = '${lc:MX}.example'", DENIED),
        ("recipients = '$recipients_count@mx.example'", ""),
        ("local_parts = '${if eq{1}{1}{a:bob}}'", DENIED),
        ("spf = '${if eq{1}{1}{nonsense}}'", LATER),
        ("profiles = '$local_part'", ""),
        // A list that fails by its own word has nobody in it, as in Exim's match_check_list.
        ("hosts = '${if eq{1}{2}{}fail}'", ""),
        ("'!hosts' = '${if eq{1}{2}{}fail}'", DENIED),
        ("domains = '${if eq{1}{2}{}fail} : *'", ""),
        // What the engine of rules expands itself is ignored then, as in Exim.
        ("spf = '${if eq{1}{2}{}fail}'", DENIED),
        ("ratelimit = '${if eq{1}{2}{}fail} / 1h / per_cmd / x$domain'", DENIED),
        ("ratelimit = '${if match{a/b}{/}{1}} / 1h / per_cmd / $domain'", DENIED),
    ] {
        let (refusal, log) = refusal(Stage::Rcpt, lines).await;
        assert_eq!(refusal, expected, "{lines}: {log:?}");
    }
    for (lines, expected) in [
        ("header.subject = '*${lc:CAF}*'", DENIED),
        ("header.subject = '${if eq{1}{2}{}fail}'", ""),
        ("header.subject = '${eval:x}'", LATER),
        ("condition = '${if eq{$h_subject:}{caf\u{e9}}}'", DENIED),
        ("condition = '${if eq{$rh_subject:}{ =?utf-8?q?caf=C3=A9?= \\n}}'", DENIED),
        // Source: exim 4.96 -bem, also of a message whose lines end in CRLF.
        ("condition = '${if eq{$h_x-folded:|$bh_x-folded:}{a\\n b\\n\\tc|a\\n b\\n\\tc}}'", DENIED),
        ("condition = '${if eq{$rh_x-folded:}{ a\\n b\\n\\tc\\n}}'", DENIED),
        ("condition = '${if eq{$lh_x-folded:}{a\\n b\\n\\tc}}'", DENIED),
        ("condition = '${if eq{$header_to:}{a@b.example,\\nc@d.example}}'", DENIED),
        ("condition = '${if eq{$h_x:}{a:b\\nc}}'", DENIED),
        ("condition = '${if eq{$lh_x:}{a::b:c}}'", DENIED),
        ("condition = '${if def:h_cc:}'", ""),
    ] {
        let (refusal, log) = refusal(Stage::Data, lines).await;
        assert_eq!(refusal, expected, "{lines}: {log:?}");
    }
}

/// What is found is a list and no more: no expansion, no named list, no separator of its own.
#[tokio::test]
async fn a_found_list_is_only_a_list() {
    for (found, template, expected) in [
        ("a.example:mx.example", "FOUND", DENIED),
        ("a.example\nmx.example", "<\\n FOUND", DENIED),
        ("a.example\nmx.example", "<\\n x.example\\nFOUND", DENIED),
        ("*", "FOUND", DENIED),
        ("!mx.example:*", "FOUND", ""),
        ("", "FOUND", ""),
        ("<; a.example ; mx.example", "FOUND", LATER),
        ("$domain", "FOUND", LATER),
        ("${domain}", "FOUND", LATER),
        ("+asked", "FOUND", LATER),
        ("+nowhere", "FOUND", LATER),
        ("+fixed", "FOUND", DENIED),
        ("a b", "FOUND", LATER),
        ("\u{0}", "FOUND", LATER),
        ("mx.example", "x : +asked", DENIED),
        ("other.example", "x : +asked", ""),
        ("mx.example", "!+asked : *", ""),
        ("mx.example", "!+asked", ""),
        ("other.example", "!+asked", DENIED),
        ("mx.example", "+within", DENIED),
        ("other.example", "+within", ""),
        ("a b", "mx.example : +asked", DENIED),
        ("a b", "+asked : mx.example", LATER),
    ] {
        let scratch = Scratch::new();
        let lookup = "${lookup sqlite{SELECT text FROM found}}";
        let config = Config::parse(&format!(
            "spool_directory = '{}'
            [domainlist]
            asked = '<: {lookup}'
            fixed = 'q.example : mx.example'
            within = '!x.example : +asked'
            [[acl_smtp_rcpt]]
            verb = 'deny'
            domains = '{}'",
            scratch.path().display(),
            template.replace("FOUND", lookup)
        ))
        .unwrap();
        let database =
            rusqlite::Connection::open(&config.server.live.lookups.sqlite_dbfile).unwrap();
        database.execute_batch("CREATE TABLE found (text)").unwrap();
        database.execute("INSERT INTO found VALUES (?1)", [found]).unwrap();
        let mut scenario = Scenario::new().with_mail("<ann@a.example>", "bob@mx.example");
        scenario.services.lookups = Arc::new(Engines::new(&config.server.live.lookups).unwrap());
        let refusal = scenario.refusal(&config.server.live.rules, Stage::Rcpt).await;
        assert_eq!(refusal, expected, "{found:?} in {template}: {:?}", scenario.state.take_log());
    }
}

#[tokio::test]
async fn named_lists_are_of_a_kind() {
    let lists = "
        [addresslist]
        friends = 'ann@a.example : *@c.example'
        [domainlist]
        hosted = '*.example'
        circle = '+hosted'
        [hostlist]
        near = '192.0.2.0/28 : <'
        [localpartlist]
        staff = 'bob : root'
    "
    .replace(" : <", "");
    for (lines, expected) in [
        ("senders = '+friends'", DENIED),
        ("senders = '!+friends'", ""),
        ("domains = '+hosted'", DENIED),
        ("domains = '+circle'", DENIED),
        ("domains = '+local_domains'", ""),
        ("hosts = '+near'", DENIED),
        ("local_parts = 'x : +staff'", DENIED),
        ("condition = '${if match_domain{$domain}{+hosted}}'", DENIED),
        ("condition = '${if match_local_part{$local_part}{+staff}}'", DENIED),
        ("message = '${listnamed:staff}'", "550 5.7.1 bob : root"),
        ("message = '${listnamed_d:hosted}'", "550 5.7.1 *.example"),
    ] {
        let config = Config::parse(&format!("{lists}\n[[acl_smtp_rcpt]]\nverb = 'deny'\n{lines}"));
        let rules = config.unwrap().server.live.rules;
        let mut scenario = Scenario::new().with_mail("<ann@a.example>", "bob@mx.example");
        let refusal = scenario.refusal(&rules, Stage::Rcpt).await;
        assert_eq!(refusal, expected, "{lines}: {:?}", scenario.state.take_log());
    }
}

/// Options, and lines of rules (`RULE`), and the error.
const NOT_TAKEN: &[(&str, &str)] = &[
    (
        "RULE message = 'a ${lookup mysql{GET x}}'",
        "line 3: byte 2: the lookup mysql: this lookup of Exim is not supported here",
    ),
    (
        "RULE message = '${lookup{x}lsearch{/x}}'",
        "line 3: byte 0: the lookup lsearch: lookup_directories is empty",
    ),
    (
        "RULE message = '${lookup sqlite,file=/x{SELECT 1}}'",
        "the lookup sqlite: lookup_directories is empty",
    ),
    (
        "RULE message = '${lookup sqlite,servers=a{SELECT 1}}'",
        "the lookup sqlite: unsupported option after the comma",
    ),
    ("RULE message = '${readfile{/etc/passwd}}'", "line 3: byte 0: readfile is not available here"),
    ("RULE message = '${env{HOME}}'", "line 3: byte 0: env is not available here"),
    (
        "RULE condition = '${if exists{/etc/passwd}}'",
        "line 3: byte 5: exists is not available here",
    ),
    (
        "RULE message = '$h_subject:'",
        "line 3: byte 0: header fields are not available at acl_smtp_rcpt",
    ),
    ("RULE condition = '${if def:h_subject:}'", "header fields are not available at acl_smtp_rcpt"),
    (
        "RULE hosts = '$sender_host_adress'",
        "line 3: byte 1: unknown variable \"sender_host_adress\"",
    ),
    ("RULE ratelimit = '$limit / 5s / per_cmd'", "line 3: byte 1: unknown variable \"limit\""),
    ("RULE domains = '+a'\n[domainlist]\na = '+b'\nb = '!+a'", "named lists are circular"),
    ("[hostlist]\na = '$nobody'", "the list a: byte 1: unknown variable"),
    ("[hostlist]\na = 'x/y'", "the list a: item 1"),
    ("[hostlist]\n'a b' = 'x'", "hostlist: \"a b\" is not a name for a list"),
    (
        "lookup_directories = 'relative'",
        "lookup_directories: item 1 (\"relative\") is not an absolute path",
    ),
    ("pgsql_servers = 'localhost/db'", "pgsql_servers: item 1 is not host/database/user/password"),
];

#[test]
fn what_cannot_be_told_at_all_is_refused_at_the_start() {
    let rule = |line: &str| format!("[[acl_smtp_rcpt]]\nverb = 'deny'\n{line}");
    for (text, message) in NOT_TAKEN {
        let text = text.replace("RULE ", &rule(""));
        let error = Config::parse(&text).unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
    let pgsql =
        Config::parse(&rule("message = '${lookup pgsql{SELECT 1}}'")).unwrap_err().to_string();
    let expected = if cfg!(feature = "pgsql") {
        "pgsql_servers names no server"
    } else {
        "not compiled in; build with --features pgsql"
    };
    assert_eq!(pgsql, format!("line 3: byte 0: the lookup pgsql: {expected}"));
}

/// Finds `x` for everything, and takes its time.
#[derive(Default)]
struct Slow(Mutex<Vec<Duration>>);

impl Answers for Slow {
    fn answer<'a>(&'a self, _: &'a Ask, spent: Duration) -> Answering<'a> {
        self.0.lock().unwrap().push(spent);
        Box::pin(async {
            tokio::time::sleep(TAKES).await;
            (LookupResult::Value(b"x".to_vec()), None)
        })
    }
}

const TAKES: Duration = Duration::from_millis(20);

#[tokio::test]
async fn lookups_of_one_text_share_their_time() {
    let rules = rules(
        "[[acl_smtp_rcpt]]\nverb = 'deny'\n\
         condition = '${if eq{${lookup sqlite{SELECT 1}}${lookup sqlite{SELECT 2}}}{${lookup sqlite{SELECT 3}}x}}'\n\
         '!condition' = '${lookup sqlite{SELECT 4}}'\n",
    );
    let mut scenario = Scenario::new().with_mail("<ann@a.example>", "bob@mx.example");
    let slow = Arc::new(Slow::default());
    scenario.services.lookups = Arc::<Slow>::clone(&slow);
    scenario.refusal(&rules, Stage::Rcpt).await;
    let spent = slow.0.lock().unwrap().clone();
    let least = [Duration::ZERO, TAKES, 2 * TAKES, Duration::ZERO];
    assert_eq!(spent.len(), least.len());
    assert!(spent.iter().zip(least).all(|(spent, least)| *spent >= least), "{spent:?}");
    assert_eq!((spent[0], spent[3]), (Duration::ZERO, Duration::ZERO));
}
