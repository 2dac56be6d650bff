//! Expansions beside Exim's.
//!
//! Exim is a program, not a library: its time for one expansion is the slope of `exim -be` from one
//! to ten copies of the text in a line, in which starting it and reading the line cancel out. With
//! `--test` each runs once; with `--instructions` instructions are counted instead, by callgrind.

use std::env;
use std::fs;
use std::hint::black_box;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use benches::{bar, count_instructions, median};
use event_expand::{Template, Variables};
use mail_types::exim::{Trust, Value, Variable};

fn main() {
    let arguments: Vec<_> = env::args().collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [_, "--run", name, "ours", runs] => repeat(name, runs.parse().unwrap_or(0)),
        _ if arguments.contains(&"--instructions") => {
            for shape in SHAPES {
                count_instructions(shape.name, &["ours"]);
            }
        }
        _ if arguments.contains(&"--test") => SHAPES.iter().for_each(|shape| repeat(shape.name, 1)),
        _ => measure(),
    }
}

/// A text; its bars are in `bars.toml`.
struct Shape {
    name: &'static str,
    text: &'static str,
}

const SHAPES: &[Shape] = &[
    Shape {
        name: "the documented action, not taken",
        text: "${if eq {msg:delivery}{$event_name} {${lookup pgsql {SELECT * FROM record_Delivery( \
            '${quote_pgsql:$sender_address_domain}',\
            '${quote_pgsql:${lc:$sender_address_local_part}}', '${quote_pgsql:$domain}', \
            '${quote_pgsql:${lc:$local_part}}', '${quote_pgsql:$host_address}', \
            '${quote_pgsql:${lc:$host}}', '${quote_pgsql:$message_exim_id}')}} } {}}",
    },
    Shape { name: "if eq", text: "${if eq{a}{a}{yes}{no}}" },
    Shape { name: "sg", text: "${sg{abcdefabcdef}{abc}{xyz}}" },
    Shape { name: "map of ten", text: "${map{a:b:c:d:e:f:g:h:i:j}{<$item>}}" },
];

struct Delivery;

impl Variables for Delivery {
    fn variable(&self, name: &str) -> Variable<'_> {
        match name {
            "event_name" => Value::trusted("tcp:close").into(),
            _ => Value::new(&b"x"[..], Trust::Untrusted).into(),
        }
    }
}

fn repeat(name: &str, runs: usize) {
    for shape in SHAPES.iter().filter(|shape| shape.name == name) {
        let Ok(template) = shape.text.parse::<Template>() else { continue };
        for _ in 0..runs {
            assert!(black_box(&template).expand(&Delivery).is_ok());
        }
    }
}

fn measure() {
    let exim = PathBuf::from("/usr/sbin/exim4");
    for shape in SHAPES {
        let ours = ours(shape);
        println!("{}: ours {ours:.0} ns", shape.name);
        if !exim.exists() {
            println!("  SKIPPED: without {}\n", exim.display());
            continue;
        }
        let theirs = slope(&exim, shape.text);
        let ratio = theirs / ours;
        let bar = bar("rate", shape.name).unwrap_or(f64::NAN);
        let word = if ratio >= bar { "met" } else { "MISSED" };
        println!("    exim4 -be              {theirs:>7.0} ns");
        println!("  {ratio:.1} times its rate, bar {bar:.0} {word}\n");
    }
}

/// The median time of an expansion, in nanoseconds.
fn ours(shape: &Shape) -> f64 {
    const RUNS: u32 = 2000;
    let times = (0..101).map(|_| {
        let start = Instant::now();
        repeat(shape.name, RUNS as usize);
        start.elapsed().as_secs_f64() * 1e9 / f64::from(RUNS)
    });
    median(times)
}

/// The time of one more copy of a text in a line, in nanoseconds.
fn slope(exim: &Path, text: &str) -> f64 {
    const LINES: u32 = 5000;
    let slopes = (0..7).map(|_| {
        let [one, ten] = [1, 10].map(|copies| {
            let line = text.repeat(copies) + "\n";
            time(exim, &line.repeat(LINES as usize))
        });
        (ten - one) * 1e9 / f64::from(9 * LINES)
    });
    median(slopes)
}

/// The seconds that Exim takes for this input.
fn time(exim: &Path, input: &str) -> f64 {
    let folder = env::temp_dir().join(format!("event-expand-{}", std::process::id()));
    let configuration = folder.join("exim.conf");
    let text = format!("spool_directory = {0}\nlog_file_path = {0}/%slog\n", folder.display());
    let written = fs::create_dir_all(&folder).and_then(|()| fs::write(&configuration, text));
    assert!(written.is_ok(), "{}: {written:?}", folder.display());
    let start = Instant::now();
    let child = Command::new(exim)
        .args([Path::new("-C"), &configuration, Path::new("-be")])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn();
    let done = child.and_then(|mut child| {
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes())?;
        }
        child.wait()
    });
    let seconds = start.elapsed().as_secs_f64();
    assert!(done.is_ok_and(|status| status.success()), "exim4 failed");
    let _ = fs::remove_dir_all(&folder);
    seconds
}
