//! The tool `inspect` and odd records: failures, policies of missing domains, data that is no host.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::process::Output;
use std::thread;

use serde_json::{Value, json};

use crate::program::{directory, json_lines, output_of, text, tool};

/// An alias that leads to itself is answered with SERVFAIL.
const FAILING: &str = r#"
all.example. CNAME all.example.
_dmarc.all.example. CNAME _dmarc.all.example.
own.example. MX 0 .
own.example. TXT "v=spf1 a:all.example mx:all.example -all"
_dmarc.own.example. TXT "v=DMARC1; p=reject; rua=mailto:d@own.example"
_dmarc.news.own.example. CNAME _dmarc.news.own.example.
news.own.example. MX 0 .
news.own.example. TXT "v=spf1 include:all.example -all"
"#;

/// The output for these records, without a connection to a mail host.
fn inspect(name: &str, zone: &str, arguments: &[&str], input: &[u8]) -> Output {
    let file = directory(&format!("inspect-odd-{name}")).join("zone");
    fs::write(&file, zone).unwrap();
    let mut program = tool("inspect");
    program.arg("--no-connect").arg("--zone").arg(file).args(arguments);
    output_of(&mut program, input)
}

fn found(name: &str, zone: &str, domain: &str) -> Value {
    json_lines(&inspect(name, zone, &["--json", domain], b"")).remove(0)
}

/// The texts of the defects that are about this name.
fn about(found: &Value, name: &str) -> Vec<String> {
    let defects = found["defects"].as_array().unwrap().iter();
    let about = defects.filter(|defect| defect["about"] == name);
    about.map(|defect| defect["text"].as_str().unwrap().to_owned()).collect()
}

/// A master file with an octet of another charset, though in a comment.
#[test]
fn a_master_file_that_is_no_utf8_is_told_with_its_line() {
    let file = directory("inspect-odd-latin").join("zone");
    fs::write(&file, b"a.example. MX 0 .\n; caf\xe9\n").unwrap();
    let told = format!("{}: line 2: an octet that is not UTF-8\n", file.display());
    let send = ["--from", "a@b.example", "c@a.example"];
    for (name, arguments) in [("inspect", &["a.example"][..]), ("send", &send)] {
        let output = output_of(tool(name).arg("--zone").arg(&file).args(arguments), b"");
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), format!("{name}: {told}"));
    }
}

/// The text, the JSON and the page call nothing absent where the DNS has failed.
#[test]
fn no_form_calls_a_failure_an_absence() {
    let told = inspect("failing", FAILING, &["all.example", "news.own.example"], b"");
    for lines in [
        "  SPF all.example: the DNS failed: servfail\n  DMARC all.example: policy not known: a lookup failed\n",
        "    _dmarc.all.example: the DNS failed: servfail\n    _dmarc.example: no record\n",
        "  lookup all.example MX: FAILED: servfail\n",
        "  DMARC news.own.example: policy not known: a lookup failed\n    \
         _dmarc.news.own.example: the DNS failed: servfail\n    _dmarc.own.example: v=DMARC1; p=reject;",
    ] {
        assert!(text(&told).contains(lines), "{lines}: {}", text(&told));
    }
    for word in ["all.example: no record", "does not apply", "organizational domain"] {
        assert!(!text(&told).contains(word), "{word}: {}", text(&told));
    }
    let page = inspect("failing", FAILING, &["--html", "all.example"], b"");
    let (_, spf) = text(&page).split_once("<h3>SPF: the DNS failed: servfail</h3>\n").unwrap();
    let dmarc = "<h3>DMARC: policy not known: a lookup failed</h3>\n<ul class=\"tree\">\n\
                 <li>_dmarc.all.example: the DNS failed: servfail</li>\n";
    assert!(spf.starts_with(dmarc), "{spf}");
    let all = found("failing", FAILING, "all.example");
    assert_eq!(all["spf"]["failure"], "servfail", "{all}");
    assert_eq!(all["dmarc"]["names"][0]["failure"], "servfail", "{all}");
    assert_eq!(all["dmarc"].get("org_domain"), None, "{all}");
    // A term whose lookup fails ends a check, so it is a defect of its own.
    let own = found("failing", FAILING, "own.example");
    let terms = ["a:all.example", "mx:all.example"];
    let failed = terms.map(|term| format!("{term}: the DNS failed: servfail"));
    assert_eq!(about(&own, "own.example")[1..], failed, "{own}");
    // A domain without records is called so.
    let told = inspect("absent", FAILING, &["none.example"], b"");
    assert!(text(&told).contains("    none.example: no record\n"), "{}", text(&told));
    assert!(text(&told).contains(": DMARC does not apply\n"), "{}", text(&told));
}

/// RFC 9989 section 4.7: a subdomain that does not exist has the policy `np`.
#[test]
fn a_missing_domain_has_its_own_policy() {
    let zone = "_dmarc.a.example. TXT \"v=DMARC1; p=reject; sp=quarantine; np=none\"\nthere.a.example. MX 0 .\n";
    for (domain, policy) in
        [("a.example", "reject"), ("there.a.example", "quarantine"), ("gone.a.example", "none")]
    {
        assert_eq!(found("missing", zone, domain)["dmarc"]["policy"], policy, "{domain}");
    }
}

/// RFC 9989 section 4.7: receivers ignore a record of another version. Its publisher must know.
#[test]
fn a_record_of_another_version_is_a_defect() {
    let zone = "_dmarc.a.example. TXT \"v=DMARC2; p=reject\"\n_dmarc.b.example. TXT \"v=DMARC1; p=none\"\n\
                _dmarc.b.example. TXT \"v=DMARC2; p=none\"\n_dmarc.c.example. TXT \"v=spf1 -all\"\n";
    let version = "DMARC record does not begin with v=DMARC1";
    for (domain, is_told) in [("a.example", true), ("b.example", false), ("c.example", false)] {
        let found = found("version", zone, domain);
        let texts = about(&found, &format!("_dmarc.{domain}"));
        assert_eq!(texts.iter().any(|text| text == version), is_told, "{found}");
    }
}

/// RFC 7505 section 3, RFC 5321 section 5.1.
#[test]
fn mx_data_that_is_no_host_is_a_defect() {
    let zone = "both.example. MX 0 .\nboth.example. MX 10 mx.both.example.\nmx.both.example. A 192.0.2.1\n\
                null.example. MX 0 .\nlate.example. MX 10 .\nliteral.example. MX 10 [192.0.2.1].\nliteral.example. MX 20 2001:db8::1.\n";
    let both = found("mx", zone, "both.example");
    let first = &both["defects"][0];
    assert_eq!(first["severity"], "warning", "{both}");
    assert_eq!(first["section"], "RFC 7505 section 3", "{both}");
    assert!(
        first["text"].as_str().unwrap().starts_with("a null MX record beside others"),
        "{both}"
    );
    let null = about(&found("mx", zone, "null.example"), "null.example");
    assert!(!null.iter().any(|text| text.contains("beside others")), "{null:?}");
    assert!(!null.iter().any(|text| text.contains("preference")), "{null:?}");
    let late = found("mx", zone, "late.example");
    let texts = about(&late, "late.example");
    assert_eq!(texts[1], "a null MX record with preference 10 instead of 0", "{late}");
    assert_eq!(late["defects"][1]["section"], "RFC 7505 section 3", "{late}");
    let literal = found("mx", zone, "literal.example");
    for host in ["[192.0.2.1]", "2001:db8::1"] {
        let texts = about(&literal, host);
        assert_eq!(texts, ["the MX record names an address instead of a host"], "{literal}");
    }
}

/// The master file is read once, whatever the number of domains that are inspected at a time.
#[test]
fn a_master_file_may_be_a_pipe() {
    let zone = "a.example. MX 0 .\nb.example. MX 0 .\nc.example. MX 0 .\n";
    let arguments = ["--json", "--zone", "/dev/stdin", "a.example", "b.example", "c.example"];
    let output = output_of(tool("inspect").args(arguments), zone.as_bytes());
    let lines = json_lines(&output);
    let reasons = lines.iter().map(|found| found["mail"]["reason"].as_str().unwrap_or_default());
    let reasons: Vec<_> = reasons.collect();
    assert_eq!(reasons, ["the domain accepts no mail (null MX)"; 3]);
}

/// A limit of the tool is told, so that nobody takes the rest for inspected.
#[test]
fn hosts_and_addresses_that_are_left_out_are_told() {
    let mx = |host: usize| format!("a.example. MX {host} m{host}.a.example.\n");
    let of_hosts = |count| {
        let zone = (0..count).map(mx).collect::<Vec<_>>().concat();
        about(&found("hosts", &zone, "a.example"), "a.example").remove(0)
    };
    assert_eq!(of_hosts(10), "no SPF record");
    assert_eq!(of_hosts(11), "11 MX hosts: only the 10 of the best preferences are looked at");
    let of_addresses = |count| {
        let address = |last: usize| format!("a.example. A 127.0.0.{last}\n");
        let zone = (1..=count).map(address).collect::<Vec<_>>().concat();
        let file = directory("inspect-odd-addresses").join("zone");
        fs::write(&file, zone).unwrap();
        let output =
            output_of(tool("inspect").arg("--json").arg("--zone").arg(file).arg("a.example"), b"");
        about(&json_lines(&output)[0], "a.example").remove(0)
    };
    assert_eq!(of_addresses(4), "no SPF record");
    assert_eq!(of_addresses(5), "5 addresses: only the first 4 are connected to");
}

/// The text has the MX records with their preference, and the DNSSEC status of each answer about the hosts.
#[test]
fn the_text_has_the_dnssec_status_of_each_answer() {
    let zone = "a.example. MX 10 mx.a.example.\na.example. MX 20 b.a.example.\nmx.a.example. A 192.0.2.1\n\
                a.example. TXT \"v=spf1 a:other.example -all\"\nother.example. A 192.0.2.2\n";
    for status in ["secure", "insecure"] {
        let told = inspect("status", zone, &["--security", status, "a.example"], b"");
        for line in [
            format!("  lookup a.example MX: 10 mx.a.example | 20 b.a.example ({status})\n"),
            format!("  lookup mx.a.example AAAA: nodata ({status})\n"),
            format!("  lookup mx.a.example A: 192.0.2.1 ({status})\n"),
            format!("  lookup b.a.example A: nxdomain ({status})\n"),
        ] {
            assert!(text(&told).contains(&line), "{line}: {}", text(&told));
        }
        assert!(!text(&told).contains("lookup other.example"), "{}", text(&told));
    }
}

/// A list of another charset, or of another system: only the lines that have no domain are not read.
#[test]
fn each_line_of_a_list_is_read_for_itself() {
    let list = b"\xef\xbb\xbfa.example\r\n\xe4.example\r\n\r\n# \xe4\r\n\tB.example  # b\r\nc.example d.example\r\nc.example";
    let lines = json_lines(&inspect("list", "x. A 192.0.2.1", &["--json", "--file", "-"], list));
    let unread = lines.iter().filter(|line| line.get("error").is_some());
    assert_eq!(unread.map(|line| &line["line"]).collect::<Vec<_>>(), [&json!(2), &json!(6)]);
    let domains = lines.iter().filter(|line| line.get("mail").is_some());
    let domains: Vec<_> = domains.map(|line| line["domain"].as_str().unwrap()).collect();
    assert_eq!(domains, ["a.example", "b.example", "c.example"]);
}

/// Each address has its server, and none says a word before all have been connected to.
#[test]
fn the_servers_of_a_host_are_asked_at_once() {
    let first = TcpListener::bind("127.0.0.2:0").unwrap();
    let port = first.local_addr().unwrap().port();
    let others = ["127.0.0.3", "127.0.0.4"].map(|ip| TcpListener::bind((ip, port)).unwrap());
    let answering = thread::spawn(move || {
        let listeners = [first].into_iter().chain(others);
        let clients: Vec<_> = listeners.map(|listener| listener.accept().unwrap().0).collect();
        for mut client in clients {
            client.write_all(b"554 go away\r\n").unwrap();
        }
    });
    let zone = "a.example. MX 1 mx.a.example.\nmx.a.example. A 127.0.0.2\nmx.a.example. A 127.0.0.3\n\
                mx.a.example. A 127.0.0.4\n";
    let file = directory("inspect-odd-at-once").join("zone");
    fs::write(&file, zone).unwrap();
    let port = port.to_string();
    let mut inspect = tool("inspect");
    inspect.args(["--json", "--allow-private", "--port", &port, "a.example", "--zone"]).arg(file);
    let found = json_lines(&output_of(&mut inspect, b"")).remove(0);
    answering.join().unwrap();
    for number in 0..3 {
        let server = &found["mail"]["hosts"][0]["servers"][number];
        let address = format!("127.0.0.{}:{port}", number + 2);
        assert_eq!(server["address"], address, "{found}");
        let error = server["error"].as_str().unwrap();
        assert!(error.starts_with("the server says \"554 go away"), "{found}");
    }
}

/// A port without a server, a connection without a word, and a refusal, which the standard allows.
#[test]
fn a_server_without_an_opening_message_breaks_the_standard() {
    let silent = TcpListener::bind("127.0.0.5:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let refusing = TcpListener::bind(("127.0.0.6", port)).unwrap();
    let serving = thread::spawn(move || {
        drop(silent.accept().unwrap());
        refusing.accept().unwrap().0.write_all(b"554 go away\r\n").unwrap();
    });
    let addresses = (5..8).map(|last| format!("mx.a.example. A 127.0.0.{last}\n"));
    let zone = addresses.collect::<String>() + "a.example. MX 1 mx.a.example.\n";
    let file = directory("inspect-odd-silent").join("zone");
    fs::write(&file, zone).unwrap();
    let port = port.to_string();
    let mut inspect = tool("inspect");
    inspect.args(["--json", "--allow-private", "--port", &port, "a.example", "--zone"]).arg(file);
    let found = json_lines(&output_of(&mut inspect, b"")).remove(0);
    serving.join().unwrap();
    let defects = found["defects"].as_array().unwrap().iter();
    let sections: Vec<_> = defects
        .filter_map(|defect| {
            let address = defect["about"].as_str()?.strip_prefix("mx.a.example [")?;
            Some((address, defect["severity"].as_str()?, defect["section"].as_str()))
        })
        .collect();
    let session = Some("RFC 5321 section 3.1");
    let expected = [
        ("127.0.0.5]", "warning", session),
        ("127.0.0.6]", "warning", None),
        ("127.0.0.7]", "warning", session),
    ];
    assert_eq!(sections, expected, "{found}");
}
