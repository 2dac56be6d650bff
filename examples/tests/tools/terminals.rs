//! Tools at a terminal.

use std::fs;
use std::process::Command;

use crate::dmarc_merged::Given;
use crate::program::{directory, output_of, text, tool};

/// Each tool that reads standard input, and what it waits for.
const WAITING: &[(&str, &[&str], &str)] = &[
    ("dmarc_check", &[], "a case a line"),
    ("dmarc_report", &[], "a DMARC report"),
    ("expand", &[], "a string to expand a line"),
    ("ocsp", &["check"], "a case a line, such as {\"response\": "),
    ("proxy_header", &[], "a PROXY header in hexadecimal a line"),
    #[cfg(feature = "redis")]
    ("redis_lookup", &["--servers", "127.0.0.1::1/0/"], "a query a line, such as GET key"),
    ("spf_check", &[], "a case a line"),
    ("tlsa", &["check"], "a case a line, such as {\"tlsa\": "),
    ("tlsa", &["policy"], "a case a line, such as {\"next_hop\": "),
];

/// All that a command of the shell shows at a terminal. The command `script` of util-linux runs it there, and Ctrl-D ends
/// the input.
fn at_terminal(command: &str) -> String {
    let mut script = Command::new("timeout");
    script.args(["20", "script", "-qec", command, "/dev/null"]).env("TERM", "xterm");
    String::from_utf8_lossy(&output_of(&mut script, b"\x04").stdout).into_owned()
}

/// The path of a tool, for a command.
fn path(name: &str) -> String {
    tool(name).get_program().to_str().unwrap().to_owned()
}

#[test]
fn who_sits_at_a_terminal_is_told_what_is_waited_for() {
    for (name, arguments, wanted) in WAITING {
        let command = [&[&*path(name)], *arguments].concat().join(" ");
        let text = at_terminal(&command);
        assert!(
            text.contains(&format!("reading from the terminal: {wanted}")),
            "{command}: {text}"
        );
        let piped = output_of(tool(name).args(*arguments), b"");
        assert!(!String::from_utf8_lossy(&piped.stderr).contains("terminal"), "{command}");
        assert_eq!(piped.status.code(), Some(2), "{command}");
    }
}

/// Reports in a folder: a small one, and a long one with blanks behind it.
fn reports() -> [String; 2] {
    let folder = directory("terminals-reports");
    let xml = |day| {
        Given { reporter: "One", domain: "a.example", day, rows: &[("192.0.2.1", 3, true)] }.xml()
    };
    let files = ["short.xml", "long.xml"].map(|name| folder.join(name));
    fs::write(&files[0], xml(0)).unwrap();
    fs::write(&files[1], xml(1) + &" ".repeat(3 << 20)).unwrap();
    files.map(|file| file.to_str().unwrap().to_owned())
}

/// The work of `dmarc_report` is long from 1 MiB on, that of `inspect` from two domains on.
#[test]
fn long_work_has_a_bar_at_a_terminal_only() {
    let [short, long] = reports();
    let zone = directory("terminals-zone").join("zone");
    fs::write(&zone, "a.example. MX 10 mx.a.example.\nb.example. MX 10 mx.b.example.\n").unwrap();
    let report = format!("{} --format json", path("dmarc_report"));
    let inspect = format!("{} --zone {} --no-connect --json", path("inspect"), zone.display());
    for (command, bar, is_long) in [
        (format!("{report} {short}"), "MiB", false),
        (format!("{report} {short} {long}"), "/3.00 MiB ", true),
        (format!("{inspect} a.example"), " domains, ", false),
        (format!("{inspect} a.example b.example"), "/2 domains, ", true),
    ] {
        let shown = at_terminal(&command);
        assert_eq!(shown.contains(bar), is_long, "{command}: {shown}");
        // It is taken away before the result.
        let result = shown.rsplit('\r').find(|line| line.contains('{')).unwrap();
        assert!(!result.contains(bar), "{command}: {shown}");
        // With standard error elsewhere there is none, and the result is the same.
        let without = at_terminal(&format!("{command} 2>/dev/null"));
        assert!(!without.contains(bar), "{command}: {without}");
        assert_eq!(shown.contains("a.example"), without.contains("a.example"), "{command}");
        let mut piped = Command::new("sh");
        let piped = output_of(piped.args(["-c", &command]), b"");
        assert!(piped.stderr.is_empty(), "{command}: {}", String::from_utf8_lossy(&piped.stderr));
        assert!(text(&piped).starts_with('{'), "{command}");
    }
}
