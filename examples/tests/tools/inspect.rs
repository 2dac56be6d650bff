//! The tool `inspect`, by a master file.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::process::Output;
use std::sync::mpsc::{self, TryRecvError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::program::{directory, json_lines, output_of, text, tool};

const ZONE: &str = r#"
good.example. MX 10 mx.good.example.
mx.good.example. A 192.0.2.1
_25._tcp.mx.good.example. TLSA 3 1 1 00000000000000000000000000000000000000000000000000000000000000aa
good.example. TXT "v=spf1 include:a.good.example include:b.good.example -all"
a.good.example. TXT "v=spf1 include:c.good.example ip4:192.0.2.0/24 -all"
c.good.example. TXT "v=spf1 ip4:198.51.100.1 -all"
b.good.example. TXT "v=spf1 a:mx.good.example -all"
_dmarc.good.example. TXT "v=DMARC1; p=reject; rua=mailto:d@good.example"
bad.example. MX 10 mx.bad.example.
mx.bad.example. A 192.0.2.2
_25._tcp.mx.bad.example. TLSA 3 1 1 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
bad.example. TXT "v=spf1 ptr a:nothing.example <script>alert(1)</script>"
_dmarc.bad.example. TXT "v=DMARC1; p=reject; rua=mailto:d@other.example"
_dmarc.bad.example. TXT "v=DMARC1; p=none"
lax.example. MX 10 192.0.2.3.
lax.example. TXT "v=spf1 ptr a:nothing.example ?all"
_dmarc.lax.example. TXT "v=DMARC1; p=reject; rua=mailto:d@other.example"
alias.example. MX 10 mail.alias.example.
mail.alias.example. CNAME mx.good.example.
alias.example. TXT "v=spf1 mx -all"
_dmarc.alias.example. TXT "v=DMARC1; p=reject; rua=mailto:d@alias.example"
_587._tcp.mx.good.example. TLSA 3 1 1 00000000000000000000000000000000000000000000000000000000000000bb
value.example. MX 0 .
value.example. TXT "v=spf1 -all"
_dmarc.value.example. TXT "v=DMARC1;  x=1; rua=mailto:d@value.example; adkim=q"
off.example. MX 0 .
off.example. TXT "v=spf1 -all"
_dmarc.off.example. TXT "v=DMARC1; p=reject; sp=foo; rua=mailto:d@off.example"
null.example. MX 0 .
null.example. TXT "v=spf1 -all"
_dmarc.null.example. TXT "v=DMARC1; p=reject; fo=1; t=y"
"#;

/// The output for these arguments, without a connection to a mail host.
pub(crate) fn inspect(name: &str, arguments: &[&str], input: &str) -> Output {
    let zone = directory(&format!("inspect-{name}")).join("zone");
    fs::write(&zone, ZONE).unwrap();
    let mut program = tool("inspect");
    program.arg("--no-connect").arg("--zone").arg(zone).args(arguments);
    output_of(&mut program, input.as_bytes())
}

#[test]
fn a_domain_in_order_has_no_defect() {
    let output = inspect("good", &["--strict", "good.example"], "");
    let told = text(&output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    for line in [
        "good.example\n  mx.good.example: dane\n",
        "  SPF good.example: 4 of 10 lookups, 0 of 2 void lookups\n",
        "        c.good.example (0 lookups): v=spf1 ip4:198.51.100.1 -all\n",
        "  DMARC good.example: policy reject of good.example\n",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    for word in ["problem", "warning", "notice"] {
        assert!(!told.contains(word), "{word}: {told}");
    }
}

/// The severity, the place, a part of the text and the section of each defect.
const DEFECTS: [(&str, &[[&str; 4]]); 7] = [
    (
        "alias.example",
        &[[
            "warning",
            "mail.alias.example",
            "the MX record names an alias, of mx.good.example",
            "RFC 2181 section 10.3",
        ]],
    ),
    (
        "value.example",
        &[
            ["notice", "value.example", "the domain accepts no mail (null MX)", ""],
            ["warning", "_dmarc.value.example", "byte 11: unknown tag", "RFC 9989 section 4.7"],
            ["warning", "_dmarc.value.example", "invalid value of the tag", "RFC 9989 section 4.8"],
            ["notice", "_dmarc.value.example", "no policy (p)", "RFC 9989 section 4.7"],
        ],
    ),
    (
        "off.example",
        &[
            ["notice", "off.example", "the domain accepts no mail (null MX)", ""],
            ["problem", "_dmarc.off.example", "byte 20: invalid policy", "RFC 9989 section 4.10.1"],
            ["problem", "_dmarc.off.example", "the policy is none", "RFC 9989 section 4.10.1"],
        ],
    ),
    (
        "bad.example",
        &[
            ["problem", "mx.bad.example", "this is the digest of nothing", "RFC 7671 section 8"],
            ["problem", "bad.example", "unknown SPF mechanism", "RFC 7208 section 4.6"],
            ["problem", "_dmarc.bad.example", "several DMARC records", "RFC 9989 section 4.10"],
            ["warning", "_dmarc.bad.example", "no destination (rua)", "RFC 9989 section 4.7"],
            ["problem", "bad.example", "no DMARC record", "RFC 9989 section 4.10.1"],
        ],
    ),
    (
        "lax.example",
        &[
            ["problem", "192.0.2.3", "names an address instead of a host", "RFC 5321 section 5.1"],
            ["warning", "lax.example", "ptr: slow and unreliable", "RFC 7208 section 5.5"],
            ["warning", "lax.example", "a:nothing.example: ", "RFC 7208 section 4.6.4"],
            ["warning", "_dmarc.lax.example", "does not confirm that", "RFC 9990 section 4"],
        ],
    ),
    (
        "null.example",
        &[
            ["notice", "null.example", "the domain accepts no mail (null MX)", ""],
            ["warning", "_dmarc.null.example", "no destination (rua)", "RFC 9989 section 4.7"],
            ["warning", "_dmarc.null.example", "fo has no effect", "RFC 9989 section 4.7"],
            ["notice", "_dmarc.null.example", "test mode (t=y)", "RFC 9989 section 4.7"],
        ],
    ),
    (
        "none.example",
        &[
            ["problem", "none.example", "the domain does not exist", "RFC 5321 section 5.1"],
            ["problem", "none.example", "no SPF record", "RFC 7208 section 4.5"],
            ["problem", "none.example", "no DMARC record", "RFC 9989 section 4.10.1"],
        ],
    ),
];

/// Each defect has the sentence that it breaks.
#[test]
fn each_defect_has_its_sentence() {
    for (domain, expected) in DEFECTS {
        let found = json_lines(&inspect(domain, &["--json", domain], "")).remove(0);
        let defects = found["defects"].as_array().unwrap();
        assert_eq!(defects.len(), expected.len(), "{found}");
        for (defect, [severity, about, text, section]) in defects.iter().zip(expected) {
            let word = |name: &str| defect[name].as_str().unwrap_or_default();
            let words = [word("severity"), word("about"), word("section")];
            assert_eq!(words, [*severity, *about, *section], "{defect}");
            let found = word("text").replace("for aggregate reports ", "");
            assert!(found.contains(text), "{text}: {defect}");
            assert_eq!(word("sentence").ends_with('.'), !section.is_empty(), "{defect}");
        }
        // One defect has one section, wherever it is shown.
        let section = |defect: &Value| {
            let section = defect["section"].as_str().unwrap();
            if section.starts_with("RFC") {
                section.to_owned()
            } else {
                format!("RFC 7208 section {section}")
            }
        };
        let reviews = ["spf", "dmarc"].map(|review| found[review]["defects"].as_array().unwrap());
        let reviewed: Vec<_> = reviews.iter().flat_map(|list| list.iter()).map(section).collect();
        let shown = defects.iter().skip(defects.len() - reviewed.len()).map(section);
        assert_eq!(shown.collect::<Vec<_>>(), reviewed, "{found}");
        let output = inspect(domain, &["--strict", domain], "");
        // A domain that accepts no mail says so on purpose.
        let status =
            i32::from(!["alias.example", "null.example", "value.example"].contains(&domain));
        assert_eq!(output.status.code(), Some(status), "{domain}");
    }
}

/// Each domain's published text is shown, also where it does not count.
#[test]
fn records_are_shown_as_they_are_published() {
    let found = json_lines(&inspect("texts", &["--json", "bad.example", "value.example"], ""));
    let [bad, value] = &found[..] else { panic!("{found:?}") };
    let record = "v=spf1 ptr a:nothing.example <script>alert(1)</script>";
    assert_eq!(bad["spf"]["records"][0]["record"], record);
    let ignored = json!(["v=DMARC1; p=reject; rua=mailto:d@other.example", "v=DMARC1; p=none"]);
    assert_eq!(bad["dmarc"]["names"][0]["ignored"], ignored);
    let record = "v=DMARC1;  x=1; rua=mailto:d@value.example; adkim=q";
    assert_eq!(value["dmarc"]["names"][0]["record"], record);
    assert_eq!(value["dmarc"]["defects"][0]["at"], 11);
    let told = inspect("texts", &["bad.example", "value.example"], "");
    for lines in [
        "    bad.example (ignored): v=spf1 ptr a:nothing.example <script>alert(1)</script>\n\
         \x20                                                       ^\n",
        "    _dmarc.bad.example (ignored): v=DMARC1; p=none\n",
        "    _dmarc.value.example: v=DMARC1;  x=1; rua=mailto:d@value.example; adkim=q\n\
         \x20                                    ^                                ^\n",
    ] {
        assert!(text(&told).contains(lines), "{lines}: {}", text(&told));
    }
    let page = inspect("texts", &["--html", "bad.example", "value.example"], "");
    for part in [
        "(ignored)</span> <code>v=spf1 ptr a:nothing.example <mark>&lt;script&gt;alert(1)&lt;/script&gt;</mark></code>",
        "<li>_dmarc.bad.example (ignored): <code>v=DMARC1; p=none</code></li>",
        "<code>v=DMARC1;  <mark>x=1</mark>; rua=mailto:d@value.example; <mark>adkim=q</mark></code>",
    ] {
        assert!(text(&page).contains(part), "{part}: {}", text(&page));
    }
}

/// RFC 7672 section 2.2.3: TLSA records belong to the port that is connected to.
#[test]
fn the_port_is_that_of_the_tlsa_records() {
    let found = |arguments: &[&str]| {
        let found =
            json_lines(&inspect("port", &[&["--json", "good.example"], arguments].concat(), ""));
        found[0]["mail"]["hosts"][0]["tlsa"][0].as_str().unwrap_or("none").to_owned()
    };
    assert!(found(&[]).ends_with("aa"), "{}", found(&[]));
    assert!(found(&["--port", "587"]).ends_with("bb"), "{}", found(&["--port", "587"]));
    assert_eq!(found(&["--port", "2525"]), "none");
}

/// A line that is no domain is told, and the others follow.
#[test]
fn a_line_that_is_no_domain_does_not_end_the_run() {
    let list = "good.example\nno domain\n\u{fc}-.example\ngood.example.\nEx\u{e4}mple.com\n";
    let run = |form: &[&str]| inspect("wrong", &[&["--file", "-"], form].concat(), list);
    let told = text(&run(&[])).to_owned();
    let unread = "not read: -: line 2: \"no domain\": byte 2 of the domain is not a letter, digit or hyphen\n\
                  not read: -: line 3: ";
    assert!(told.starts_with(unread), "{told}");
    assert!(told.contains("\nxn--exmple-cua.com\n"), "{told}");
    let summary =
        "2 domains: 1 with DANE, 1 with problems, 0 with failed lookups, 2 lines not read\n";
    assert!(told.ends_with(summary), "{told}");
    let found = json_lines(&run(&["--json"]));
    assert_eq!(
        (&found[0]["line"], &found[0]["domain"]),
        (&json!(2), &json!("no domain")),
        "{found:?}"
    );
    assert_eq!((found.len(), &found[2]["domain"]), (4, &json!("good.example")), "{found:?}");
    let page = text(&run(&["--html"])).to_owned();
    assert!(page.contains("<li class=\"fail\">-: line 2: &quot;no domain&quot;: "), "{page}");
    for (list, strict, status) in [
        ("no domain\n", false, 0),
        ("no domain\n", true, 1),
        ("good.example\nno domain\n", true, 1),
    ] {
        let strict: &[&str] = if strict { &["--strict"] } else { &[] };
        let output = inspect("wrong", &[&["--file", "-"], strict].concat(), list);
        assert_eq!(output.status.code(), Some(status), "{list:?}: {}", text(&output));
    }
}

#[test]
fn many_domains_come_in_their_order_with_a_summary() {
    let list = "# ours\ngood.example\n\nbad.example # broken\ngood.example\nnull.example\n";
    let output = inspect("many", &["--file", "-", "--jobs", "3", "none.example"], list);
    let told = text(&output);
    let heads: Vec<_> = told.lines().filter(|line| !line.starts_with(' ')).collect();
    let summary = "4 domains: 2 with DANE, 2 with problems, 0 with failed lookups";
    let expected = ["none.example", "good.example", "bad.example", "null.example", summary];
    assert_eq!(heads, expected, "{told}");
    let output = inspect("without", &["--file", "-"], "# none\n");
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.starts_with("inspect: -: no domain: expected a domain a line"), "{error}");
    let output = output_of(tool("inspect").args(["--file", "/nowhere"]), b"");
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("inspect: /nowhere: "));
}

/// More domains than are kept, and a reader that has seen enough.
#[test]
fn thousands_of_domains_come_in_their_order() {
    let names: Vec<_> = (0..2500).map(|number| format!("n{number}.none.example")).collect();
    let output = inspect("thousands", &["--json", "--file", "-"], &names.join("\n"));
    let found = json_lines(&output);
    assert_eq!(found.len(), names.len());
    for (found, name) in found.iter().zip(&names) {
        assert_eq!(found["domain"], **name);
    }
}

/// A zone whose owner leads a stranger's machine to servers around it.
const TRAPS: &str = "
trap.example. MX 10 here.trap.example.
trap.example. MX 20 many.trap.example.
here.trap.example. A 127.0.0.1
many.trap.example. A 10.0.0.1
many.trap.example. A 169.254.169.254
many.trap.example. AAAA fd00::1
many.trap.example. AAAA ::ffff:127.0.0.1
lab.example. MX 10 here.trap.example.
trap.example. TXT \"v=spf1 -all\"
_dmarc.trap.example. TXT \"v=DMARC1; p=reject; rua=mailto:d@trap.example\"
";

/// The output for a domain whose hosts are at private addresses, and whether somebody has connected.
fn led_astray(name: &str, arguments: &[&str]) -> (Output, bool) {
    let zone = directory(&format!("inspect-{name}")).join("zone");
    fs::write(&zone, TRAPS).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    // Each client gets a refusal.
    let (stop, stopped) = mpsc::channel::<()>();
    let server = thread::spawn(move || {
        let mut has_come = false;
        while stopped.try_recv() == Err(TryRecvError::Empty) {
            match listener.accept() {
                Ok((mut stream, _)) => {
                    has_come = true;
                    let _ = stream.write_all(b"554 go away\r\n");
                }
                Err(_) => thread::sleep(Duration::from_millis(5)),
            }
        }
        has_come
    });
    let mut program = tool("inspect");
    program.arg("--zone").arg(zone).args(["--port", &port]).args(arguments);
    let output = output_of(&mut program, b"");
    stop.send(()).unwrap();
    (output, server.join().unwrap())
}

const REFUSED: &str = "no public address (RFC 6890), so no mail from elsewhere comes there; \
                       --allow-private connects to it";

/// The text, the JSON and the page tell it.
#[test]
fn a_domain_cannot_lead_to_private_addresses() {
    let (output, has_come) = led_astray("private-json", &["--json", "trap.example"]);
    assert!(!has_come);
    let found = json_lines(&output).remove(0);
    let hosts = found["mail"]["hosts"].as_array().unwrap().iter();
    let servers: Vec<_> = hosts.flat_map(|host| host["servers"].as_array().unwrap()).collect();
    assert_eq!(servers.len(), 5, "{found}");
    for server in &servers {
        assert_eq!(server["error"], format!("not asked: {REFUSED}"), "{found}");
    }
    let defects = found["defects"].as_array().unwrap();
    let refused = defects.iter().filter(|defect| defect["text"] == REFUSED);
    assert!(refused.clone().all(|defect| defect["severity"] == "problem"), "{found}");
    assert!(refused.clone().all(|defect| defect["section"] == "RFC 5321 section 5.1"), "{found}");
    assert_eq!(refused.count(), 5, "{found}");
    let (output, has_come) = led_astray("private-text", &["--strict", "trap.example"]);
    let told = text(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(!has_come && told.contains(&format!("127.0.0.1]: {REFUSED}\n")), "{told}");
    let (output, has_come) = led_astray("private-page", &["--html", "trap.example"]);
    let told = text(&output);
    assert!(!has_come && told.matches(REFUSED).count() == 10, "{told}");
}

#[test]
fn private_addresses_are_connected_to_on_demand() {
    let (output, has_come) =
        led_astray("private-lab", &["--allow-private", "--json", "lab.example"]);
    let found = json_lines(&output).remove(0);
    let error = found["mail"]["hosts"][0]["servers"][0]["error"].as_str().unwrap();
    assert!(has_come && error.starts_with("the server says \"554 go away"), "{found}");
}
