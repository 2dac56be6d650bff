//! Tools at a terminal.

use std::process::Command;

use crate::program::{output_of, tool};

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

/// The command `script` of util-linux runs a program at a terminal, where Ctrl-D ends the input.
#[test]
fn who_sits_at_a_terminal_is_told_what_is_waited_for() {
    for (name, arguments, wanted) in WAITING {
        let path = tool(name).get_program().to_owned();
        let command = [&[path.to_str().unwrap()], *arguments].concat().join(" ");
        let mut script = Command::new("timeout");
        script.args(["20", "script", "-qec", &command, "/dev/null"]);
        let output = output_of(&mut script, b"\x04");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            text.contains(&format!("reading from the terminal: {wanted}")),
            "{command}: {text}"
        );
        let piped = output_of(tool(name).args(*arguments), b"");
        assert!(!String::from_utf8_lossy(&piped.stderr).contains("terminal"), "{command}");
        assert_eq!(piped.status.code(), Some(2), "{command}");
    }
}
