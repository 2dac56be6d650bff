//! Strings beside a configuration: the results of `expand`, and of Exim with the same lists and files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use super::comparison::is_exim_there;
use crate::program::{directory, json_lines, output_of, text, tool};

const CONFIG: &str = r#"
primary_hostname = "mx.example"
local_domains = "DOMAIN : *.DOMAIN"
lookup_directories = "FOLDER"
sqlite_dbfile = "FOLDER/users.sqlite"

[macros]
DOMAIN = "hosted.example"

[addresslist]
friends = "ann@a.example : *@b.example"

[[acl.class_of]]
verb = "accept"
condition = "${if match{$acl_arg1}{^bulk}}"
message = "bulk"
[[acl.class_of]]
verb = "deny"
message = "none of $acl_narg"

[[acl.who]]
verb = "accept"
hosts = "192.0.2.0/24"
senders = "+friends"
domains = "+local_domains"
set.acl_m_seen = "$sender_host_address"
logwrite = "seen $acl_m_seen $message_size"
message = "friend $acl_m_seen $spf_result $acl_c_given"
"#;

const EXIM: &str = r"
primary_hostname = mx.example
spool_directory = FOLDER
log_file_path = FOLDER/%slog
keep_environment =
timezone = UTC
DOMAIN = hosted.example
domainlist local_domains = DOMAIN : *.DOMAIN
addresslist friends = ann@a.example : *@b.example
begin acl
class_of:
  accept condition = ${if match{$acl_arg1}{^bulk}}
         message = bulk
  deny   message = none of $acl_narg
";

/// The files of a configuration; `FOLDER` in a text is the folder.
struct Files(PathBuf);

impl Files {
    fn new(name: &str) -> Self {
        let files = Self(directory(name));
        files.write("gateway.toml", CONFIG);
        files.write("exim.conf", EXIM);
        files.write("aliases", "ann: Ann Other\nbob:\tbob@b.example\n");
        files
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.0.join(name), self.put(content)).unwrap();
    }

    fn put(&self, text: &str) -> String {
        text.replace("FOLDER", self.0.to_str().unwrap())
    }

    fn expand(&self, arguments: &[&str], strings: &[&str]) -> Output {
        let mut expand = tool("expand");
        expand.arg("--config").arg(self.0.join("gateway.toml")).arg("--json").args(arguments);
        output_of(&mut expand, self.put(&(strings.join("\n") + "\n")).as_bytes())
    }

    fn objects(&self, arguments: &[&str], strings: &[&str]) -> Vec<Value> {
        json_lines(&self.expand(arguments, strings))
    }

    fn value(&self, arguments: &[&str], string: &str) -> Value {
        self.objects(arguments, &[string]).remove(0)
    }

    /// One result of Exim for each string.
    fn in_exim(&self, strings: &[&str]) -> Vec<String> {
        let mut exim = Command::new("/usr/sbin/exim4");
        exim.arg("-C").arg(self.0.join("exim.conf")).arg("-be");
        let output = output_of(&mut exim, self.put(&(strings.join("\n") + "\n")).as_bytes());
        let found =
            text(&output).lines().map(|line| line.strip_prefix("> ").unwrap_or(line).to_owned());
        found.take(strings.len()).collect()
    }
}

const STRINGS: &[&str] = &[
    "$primary_hostname",
    "at DOMAIN",
    "${if match_domain{hosted.example}{+local_domains}{y}{n}}",
    "${if match_domain{a.DOMAIN}{+local_domains}{y}{n}}",
    "${if match_domain{a.example}{+local_domains}{y}{n}}",
    "${if match_address{ann@a.example}{+friends}{y}{n}}",
    "${if match_address{bob@a.example}{!+friends : *}{y}{n}}",
    "${listnamed_d:local_domains}",
    "${lookup{ann}lsearch{FOLDER/aliases}}",
    "${lookup{bob}lsearch{FOLDER/aliases}{<$value>}{none}}",
    "${lookup{eve}lsearch{FOLDER/aliases}{<$value>}{none}}",
    "${lookup{eve}lsearch{FOLDER/aliases}{<$value>}fail}",
    "${lookup sqlite,file=FOLDER/users.sqlite{SELECT name FROM users WHERE id = 1}}",
    "${lookup sqlite,file=FOLDER/users.sqlite{SELECT * FROM users WHERE id = 1}}",
    "${lookup sqlite,file=FOLDER/users.sqlite{SELECT name FROM users WHERE id = 9}{$value}{none}}",
    "${acl{class_of}{bulk-7}}",
    "${if acl{{class_of}{bulk-7}}{y $value}{n $value}}",
    "${if acl{{class_of}{a}{b}}{y $value}{n $value}}",
    "${certextract{subject}{$tls_in_peercert}{y}{n}}",
    "${hash_3:abcdef} ${randint:1} ${uc:$primary_hostname}",
    "$nosuch",
    "${lc:A",
];

#[test]
fn a_configuration_answers_as_that_of_exim() {
    let files = Files::new("expand-config");
    let made = "${lookup sqlite{CREATE TABLE users (id, name)}}${lookup sqlite{INSERT INTO users \
                VALUES (1, 'Ann Other'), (2, 'bob')}}";
    assert_eq!(files.value(&[], made), json!({"value": "02", "trusted": false}));
    if !is_exim_there() {
        return;
    }
    let (theirs, ours) = (files.in_exim(STRINGS), files.objects(&[], STRINGS));
    for ((string, theirs), ours) in STRINGS.iter().zip(&theirs).zip(&ours) {
        let is_same = match ours["value"].as_str() {
            Some(value) => value == theirs,
            None => theirs.starts_with("Failed: "),
        };
        assert!(is_same, "{string}: {theirs} {ours}");
    }
    assert_eq!((theirs.len(), ours.len()), (STRINGS.len(), STRINGS.len()));
    let time = |found: &str| found.get(..10).unwrap().to_owned();
    let days = || {
        (
            time(&files.in_exim(&["$tod_log"])[0]),
            time(files.value(&[], "$tod_log")["value"].as_str().unwrap()),
        )
    };
    // Midnight may come between the two.
    let (theirs, ours) = days();
    assert!(
        theirs == ours || {
            let (theirs, ours) = days();
            theirs == ours
        },
        "{theirs} {ours}"
    );
}

#[test]
fn a_list_of_rules_sees_the_variables_that_are_given() {
    let files = Files::new("expand-given");
    let friend = [
        "sender_host_address=192.0.2.7",
        "sender_address=eve@b.example",
        "local_part=bob",
        "domain=hosted.example",
        "message_size=42",
        "spf_result=pass",
        "acl_c_given=7",
    ];
    let arguments = |given: &[&'static str]| -> Vec<&str> {
        given.iter().flat_map(|given| ["--untrusted", given]).collect()
    };
    let asked = "${acl{who}} $acl_m_seen";
    let output = files.expand(&arguments(&friend), &[asked]);
    let value = "friend 192.0.2.7 pass 7 192.0.2.7";
    assert_eq!(json_lines(&output), [json!({"value": value, "trusted": false})]);
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(log, "expand: log: seen 192.0.2.7 42\n");
    for changed in
        ["sender_host_address=198.51.100.1", "sender_address=eve@c.example", "domain=c.example"]
    {
        let mut given = friend.to_vec();
        let name = changed.split('=').next().unwrap();
        given.retain(|given| !given.starts_with(&format!("{name}=")));
        given.push(changed);
        let found = files.value(&arguments(&given), asked);
        assert_eq!(found, json!({"value": " ", "trusted": false}), "{changed}");
    }
    // Nobody is in no list.
    assert_eq!(files.value(&[], asked)["value"], " ");
    // Given values are untrusted in queries too.
    let refused =
        files.value(&["--untrusted", "local_part=ann"], "${lookup sqlite{SELECT '$local_part'}}");
    assert_eq!(
        refused["failed"],
        "byte 0: the lookup sqlite: $local_part is not quoted: write ${quote_sqlite:$local_part}"
    );
    let quoted = "${lookup sqlite{SELECT '${quote_sqlite:$local_part}'}}";
    assert_eq!(files.value(&["--untrusted", "local_part=o'hara"], quoted)["value"], "o'hara");
    assert_eq!(
        files.value(&["--set", "h_subject=a b"], "$h_Subject: ${uc:$rh_subject:}")["value"],
        "a b A B"
    );
}

#[test]
fn a_certificate_is_given_by_its_file() {
    let files = Files::new("expand-certificate");
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../crates/ocsp-staple/tests/data/certificates/leaf.der");
    let given = format!("tls_in_peercert={}", file.display());
    let openssl = |field: &str| {
        let mut openssl = Command::new("openssl");
        openssl.args(["x509", "-inform", "DER", "-noout", field, "-in"]).arg(&file);
        let line = text(&output_of(&mut openssl, b"")).trim().to_owned();
        line.split_once('=').unwrap().1.replace(':', "")
    };
    let strings = "${lc:${certextract{serial_number}{$tls_in_peercert}}} $tls_in_peercert";
    let serial = openssl("-serial").to_lowercase();
    let found = files.value(&["--certificate", &given], strings);
    assert_eq!(found["value"], format!("{} <cert>", serial.trim_start_matches('0')));
    // Without a configuration too, as far as it is a digest.
    let mut expand = tool("expand");
    expand.args(["--certificate", &given, "${sha1:$tls_in_peercert}"]);
    assert_eq!(text(&output_of(&mut expand, b"")).trim(), openssl("-fingerprint"));
}

/// Each place of the gateway has its variables, by its name and by its options.
#[test]
fn each_place_has_its_variables() {
    let files = Files::new("expand-places");
    for (place, variable, given) in [
        ("host_lookup", "sender_host_address", "192.0.2.1"),
        ("tls_advertise_hosts", "sender_host_port", "25000"),
        ("tls_certificate", "tls_in_sni", "mx.example"),
        ("route_data", "domain", "a.example"),
        ("maildir", "local_part", "ann"),
        ("event_action", "event_name", "msg:delivery"),
        ("remote_smtp.event_action", "event_data", "250 OK"),
        ("remote_smtp.hosts_try_dane", "host_address", "192.0.2.9"),
        ("host", "domain", "a.example"),
        ("event", "sender_address", "ann@a.example"),
    ] {
        let set = format!("{variable}={given}");
        let arguments = ["--place", place, "--untrusted", &set];
        let found = files.value(&arguments, &format!("<${variable}>"));
        assert_eq!(found["value"], format!("<{given}>"), "{place}: {found}");
        let found = files.value(&arguments, "$primary_hostname");
        assert_eq!(found["value"], "mx.example", "{place}: {found}");
    }
    let found = files.value(&["--place", "host"], "${lookup sqlite{SELECT 1 + 1}}");
    assert_eq!(found["value"], "2", "{found}");
    let found = files.value(&["--place", "host"], "$sender_host_address");
    let refused = "byte 1: $sender_host_address is not available at a connection to another host";
    assert!(found["failed"].as_str().unwrap().starts_with(refused), "{found}");
}

#[test]
fn a_string_is_refused_as_in_a_rule() {
    let files = Files::new("expand-refused");
    for (arguments, string, failed, at) in [
        (&[][..], "a $nosuch", "byte 3: unknown variable \"nosuch\"", json!(3)),
        (
            &["--place", "acl_smtp_connect"],
            "a $local_part",
            "byte 3: $local_part is not available at acl_smtp_connect, but at acl_smtp_rcpt and acl_smtp_data_prdr",
            json!(3),
        ),
        (
            &[],
            "${lookup mysql{SELECT 1}}",
            "byte 0: the lookup mysql: this lookup of Exim is not supported here",
            json!(0),
        ),
        (&[], "${env{HOME}}", "byte 0: env is not available here", json!(0)),
        (&[], "${acl{nobody}}", "byte 0: acl: there is no list [[acl.nobody]]", json!(0)),
        (
            &[],
            "x${lookup sqlite{SELECT * FROM absent}}",
            "byte 1: lookup or request deferred: SQLite: no such table: absent: Error code 1: SQL logic error",
            json!(1),
        ),
        // Behind macros, positions are those of the text that they make.
        (&[], "DOMAIN $nosuch", "byte 16: unknown variable \"nosuch\"", json!(16)),
    ] {
        let found = files.value(arguments, string);
        assert_eq!((&found["failed"], &found["at"]), (&json!(failed), &at), "{string}");
    }
    let forced = files.value(&[], "${if eq{a}{b}{c}fail}");
    assert_eq!(forced, json!({"forced": true, "at": 0}));
    let address = ["--set", "sender_host_address=here"];
    let found = files.value(&address, "$sender_host_address");
    assert_eq!(found["failed"], "sender_host_address: invalid IP address syntax");
    let mut expand = tool("expand");
    expand.arg("--config").arg(files.0.join("gateway.toml"));
    let shown = text(&output_of(&mut expand, b"DOMAIN $nosuch\n")).to_owned();
    let mark = "  hosted.example $nosuch\n                  ^\n";
    assert_eq!(shown, format!("Failed: byte 16: unknown variable \"nosuch\"\n{mark}"));
}

#[test]
fn a_wrong_configuration_or_variable_is_told() {
    let files = Files::new("expand-wrong");
    let config = files.0.join("gateway.toml");
    let told = |arguments: &[&str]| {
        let output = files.expand(arguments, &["a"]);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    for (given, place) in [
        ("nosuch=1", "acl_smtp_rcpt"),
        ("acl_arg1=1", "acl_smtp_rcpt"),
        ("domain=a", "acl_smtp_mail"),
        ("h_to=a", "acl_smtp_mail"),
    ] {
        let name = given.split('=').next().unwrap();
        let wanted = format!("expand: {name}: strings at this --place have no such variable\n");
        assert_eq!(told(&["--set", given, "--place", place]), wanted);
    }
    assert!(
        told(&["--place", "acl_smtp_rcpt_to"])
            .contains("expected an option that is expanded, such as route_data")
    );
    assert!(told(&["--list", "domainlist a = b"]).contains("cannot be used with"));
    files.write("gateway.toml", "primary_hostname = 'mx.example'\nlookup_timeout = 'soon'\n");
    let wrong = told(&[]);
    assert!(
        wrong.starts_with(&format!("expand: {}: line 2: lookup_timeout: ", config.display())),
        "{wrong}"
    );
    files.write("gateway.toml", "");
    fs::remove_file(&config).unwrap();
    let absent = told(&[]);
    assert!(absent.starts_with(&format!("expand: {}: No such file", config.display())), "{absent}");
}

#[test]
fn lists_are_named_on_the_command_line() {
    let found = |list: &str, string: &str| {
        let mut expand = tool("expand");
        expand.args(["--json", "--list", list, string]);
        output_of(&mut expand, b"")
    };
    for (list, string, value) in [
        (
            "domainlist here = a.example : *.b.example",
            "${if match_domain{c.b.example}{+here}{y}{n}}",
            "y",
        ),
        ("domainlist here=a.example", "${if match_domain{b.example}{+here}{y}{n}}", "n"),
        (
            "localpartlist few = ann : bob",
            "${if match_local_part{bob}{+few}{y}{n}} ${listnamed:few}",
            "y ann : bob",
        ),
        ("addresslist all = *@a.example", "${if match_address{ann@a.example}{+all}{y}{n}}", "y"),
        ("hostlist near = 192.0.2.0/24", "${if match_ip{192.0.2.9}{+near}{y}{n}}", "y"),
    ] {
        assert_eq!(json_lines(&found(list, string))[0]["value"], value, "{list}");
    }
    for list in
        ["here = a", "list a = b", "domainlist a", "domainlist a b = c", "domainlist a = $x"]
    {
        assert_eq!(found(list, "a").status.code(), Some(2), "{list}");
    }
}
