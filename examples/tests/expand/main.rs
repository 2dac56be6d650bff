//! The tool `expand`: what comes out for what goes in, and the same of Exim.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests may panic")]

mod generator;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread;

use generator::Generator;
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
            json!({"failed": "byte 1: no variable is named \"nosuch\"", "at": 1}),
            json!({"value_hex": "ff", "trusted": true}),
            json!({
                "failed": "byte 0: after 3 bytes of the expression: division by zero", "at": 0,
            }),
        ]
    );
    let quoted = "${lookup pgsql{SELECT '$x'}}";
    let refused = "byte 0: an untrusted value in the query: write ${quote_pgsql:…} around it";
    assert_eq!(
        json_lines(&["--untrusted", "x=a b", "$x", quoted], b""),
        [json!({"value": "a b", "trusted": false}), json!({"failed": refused, "at": 0})]
    );
    let long = [&b"a".repeat(65_537)[..], b"\nb\n"].concat();
    assert_eq!(
        json_lines(&[], &long),
        [
            json!({"failed": "more than 65536 bytes", "at": 65_536}),
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
}

/// `EXPAND_CASES` texts, 500 if it is not set, from a seed that is printed and that `EXPAND_SEED`
/// can give.
#[test]
fn generated_texts_are_the_same_in_exim() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let cases = number("EXPAND_CASES").unwrap_or(500);
    let seed = number("EXPAND_SEED").unwrap_or_else(|| u64::from(std::process::id()) << 16 | cases);
    println!("{cases} cases, EXPAND_SEED={seed}");
    let Some(exim) = exim() else { return };
    let mut generator = Generator::new(seed);
    let texts: Vec<_> = (0..cases).map(|_| generator.text()).collect();
    let marked = texts.join(&format!("\n{MARK}\n")) + "\n" + MARK + "\n";
    let theirs = run(exim, marked.as_bytes());
    let theirs = String::from_utf8_lossy(&theirs.stdout).into_owned();
    let theirs: Vec<_> = theirs.split(&format!("\n> {MARK}\n")).collect();
    let last = texts.get(theirs.len() - 1);
    assert_eq!(theirs.len(), texts.len() + 1, "Exim has died of {last:?}");
    // A broken text may come to name a variable of Exim's.
    let known = ["--set", "domain=", "--set", "local_part="];
    let ours = json_lines(&known, texts.join("\n").as_bytes());
    assert_eq!(ours.len(), texts.len());
    let (mut failures, mut skipped) = (0, 0);
    let mut differences = Vec::new();
    for ((text, theirs), ours) in texts.iter().zip(&theirs).zip(&ours) {
        let theirs = theirs.strip_prefix("> ").unwrap_or(theirs);
        let hex = ours["value_hex"].as_str().map(bytes);
        let value = ours["value"].as_str().map(|value| value.as_bytes().to_vec()).or(hex);
        let same = match &value {
            Some(value) => String::from_utf8_lossy(value) == *theirs,
            None => theirs.starts_with("Failed: "),
        };
        failures += u64::from(value.is_none());
        if value.is_some() && is_skipped_expression(theirs) {
            skipped += 1;
        } else if !same {
            differences.push(format!("{text}\n   exim {theirs}\n   ours {ours}"));
        }
    }
    println!(
        "{failures} of {cases} fail in both; {skipped} have a wrong expression that is skipped"
    );
    assert!(differences.is_empty(), "{} differ\n{}", differences.len(), differences.join("\n"));
}

/// Whether Exim fails for an expression of `sg` that we refuse as well where it is reached: Exim
/// compiles it in a part that is skipped, too.
fn is_skipped_expression(theirs: &str) -> bool {
    let rest = theirs.strip_prefix("Failed: regular expression error in \"");
    let Some((expression, _)) = rest.and_then(|rest| rest.rsplit_once("\": ")) else {
        return false;
    };
    let taken = format!("${{sg{{}}{{\\N{expression}\\N}}{{}}}}");
    json_lines(&[&taken], b"").first().is_some_and(|ours| ours["failed"].is_string())
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

const MARK: &str = "=====";

/// Exim with a small configuration; where it is not, the test is skipped, but not in CI.
fn exim() -> Option<Command> {
    let path = PathBuf::from("/usr/sbin/exim4");
    let unwanted = std::env::var_os("EXIMIA_PEERS").is_some_and(|wanted| wanted == "none");
    if unwanted || !path.exists() {
        let in_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
        assert!(unwanted || !in_ci, "{} is not there", path.display());
        println!("SKIPPED: without {}", path.display());
        return None;
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("expand");
    fs::create_dir_all(folder.join("spool")).unwrap();
    let configuration = folder.join("exim.conf");
    let text = format!(
        "primary_hostname = mx.example\nlog_file_path = {0}/%slog\nspool_directory = {0}/spool\n\
         keep_environment =\n",
        folder.display()
    );
    fs::write(&configuration, text).unwrap_or_else(|error| panic!("{error}"));
    let mut exim = Command::new(path);
    exim.arg("-C").arg(configuration).arg("-be");
    Some(exim)
}
