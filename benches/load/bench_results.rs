//! Prints `RESULTS.md` anew: with the tables of the parts that `scripts/bench` has measured into a
//! folder, and those that it has of the others.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use benches::results::page::replaced;
use benches::results::{Parts, tables};

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [folder, results, place, measured @ ..] = &*arguments else {
        eprintln!("usage: bench_results FOLDER RESULTS PLACE PART...");
        return ExitCode::from(2);
    };
    let read = |part: &str| {
        let file = Path::new(folder).join(part).with_extension("txt");
        let is_measured = measured.iter().any(|measured| measured == part);
        if is_measured { fs::read_to_string(file).unwrap_or_default() } else { String::new() }
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
    let old = fs::read_to_string(results).unwrap_or_default();
    print!("{}", replaced(&old, &tables(&parts), place));
    ExitCode::SUCCESS
}
