//! Prints the tables of `RESULTS.md` from the parts that `scripts/bench` has measured into a folder.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use benches::results::{Parts, tables};

fn main() -> ExitCode {
    let Some(folder) = env::args_os().nth(1) else {
        eprintln!("usage: bench_results FOLDER");
        return ExitCode::from(2);
    };
    let read = |part: &str| {
        fs::read_to_string(Path::new(&folder).join(part).with_extension("txt")).unwrap_or_default()
    };
    let parts = Parts {
        load: read("load"),
        idle: read("idle"),
        beside: read("beside"),
        relay: read("relay"),
        counts: read("counts"),
        checks: read("checks"),
        hostile: read("hostile"),
        instructions: read("instructions"),
        reports: read("reports"),
        micro: read("micro"),
    };
    print!("{}", tables(&parts));
    ExitCode::SUCCESS
}
