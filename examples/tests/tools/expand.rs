//! The tool `expand`: its output, compared with Exim's.

mod comparison;
mod configured;
mod generator;
mod patterns;
mod values;

use std::process::Output;

use serde_json::{Value, json};

use crate::program::{json_lines, output_of, tool};

/// The output of the tool.
fn expand(arguments: &[&str], input: &[u8]) -> Output {
    output_of(tool("expand").args(arguments), input)
}

/// The objects that it writes with `--json`.
fn objects(arguments: &[&str], input: &[u8]) -> Vec<Value> {
    json_lines(&expand(&[&["--json"], arguments].concat(), input))
}

#[test]
fn one_object_for_each_line() {
    let lines = b"a$x  \n${if eq{a}{b}{c}fail}\n${lc:A\n$nosuch\n\\xff\n${eval:1/0}\n";
    assert_eq!(
        objects(&["--set", "x=1"], lines),
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
        objects(&["--untrusted", "x=a b", "$x", quoted], b""),
        [json!({"value": "a b", "trusted": false}), json!({"failed": refused, "at": 0})]
    );
    let long = [&b"a".repeat(65_537)[..], b"\nb\n"].concat();
    assert_eq!(
        objects(&[], &long),
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
