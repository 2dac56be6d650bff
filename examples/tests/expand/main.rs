//! The tool `expand`: what comes out for what goes in, and the same of Exim.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod comparison;
mod generator;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread;

use serde_json::{Value, json};

/// The program, which Cargo builds beside the tests.
fn program() -> Command {
    let mut path: PathBuf = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    Command::new(path.join("examples/expand"))
}

fn run(mut program: Command, input: &[u8]) -> Output {
    program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_vec());
    let feeder = thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    let _ = feeder.join(); // It may end before it has read all.
    output
}

fn expand(arguments: &[&str], input: &[u8]) -> Output {
    let mut program = program();
    program.args(arguments);
    run(program, input)
}

fn json_lines(arguments: &[&str], input: &[u8]) -> Vec<Value> {
    let output = expand(&[&["--json"], arguments].concat(), input);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn one_object_for_each_line() {
    let lines = b"a$x  \n${if eq{a}{b}{c}fail}\n${lc:A\n$nosuch\n\\xff\n${eval:1/0}\n";
    assert_eq!(
        json_lines(&["--set", "x=1"], lines),
        [
            json!({"value": "a1", "trusted": true}),
            json!({"forced": true, "at": 0}),
            json!({"failed": "byte 6: } expected", "at": 6}),
            json!({"failed": "byte 1: unknown variable \"nosuch\"", "at": 1}),
            json!({"value_hex": "ff", "trusted": true}),
            json!({
                "failed": "byte 0: division by zero, after 3 bytes of the expression", "at": 0,
            }),
        ]
    );
    let quoted = "${lookup pgsql{SELECT '$x'}}";
    let refused = "byte 0: untrusted value in the query: use ${quote_pgsql:…}";
    assert_eq!(
        json_lines(&["--untrusted", "x=a b", "$x", quoted], b""),
        [json!({"value": "a b", "trusted": false}), json!({"failed": refused, "at": 0})]
    );
    let long = [&b"a".repeat(65_537)[..], b"\nb\n"].concat();
    assert_eq!(
        json_lines(&[], &long),
        [
            json!({"failed": "template longer than 65536 bytes", "at": 65_536}),
            json!({"value": "b", "trusted": true}),
        ]
    );
}

#[test]
fn an_error_points_at_its_byte() {
    let output = expand(&["a${lc:A"], b"");
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "Failed: byte 7: } expected\n  a${lc:A\n         ^\n"
    );
    let output = expand(&["--explain", "a$x"], b"");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "    0  text \"a\"\n    1  variable x\n");
    assert_eq!(expand(&["--set", "x"], b"").status.code(), Some(2));
    // However far to the right: a mark beyond the column 65,535 is one, too.
    let escaped = [&b"\xff".repeat(20_000)[..], b"${lc:A\n"].concat();
    for (line, column) in [([b"a".repeat(65_537), vec![b'\n']].concat(), 65_536), (escaped, 80_006)]
    {
        let output = expand(&[], &line);
        assert_eq!(output.status.code(), Some(0));
        let text = String::from_utf8(output.stdout).unwrap();
        let mark = text.lines().nth(2).unwrap_or_else(|| panic!("{}", text.len()));
        assert_eq!(mark.len(), 2 + column + 1);
        assert!(mark.ends_with(" ^"));
    }
}
