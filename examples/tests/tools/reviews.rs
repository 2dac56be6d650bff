//! The reviews of a domain: `spf_check`, `dmarc_check` and `inspect` find the same, and show it alike.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::program::{directory, json_lines, output_of, text, tool};

/// A zone of each kind of fault; the domain is `e.example`, and the number is that of its defects of SPF and of DMARC.
const FAULTY: [(&str, &str, [usize; 2]); 14] = [
    ("nothing", "", [1, 1]),
    (
        "syntax",
        "e.example. TXT \"v=spf1 ptrr include:x.example -all\"\n\
         _dmarc.e.example. TXT \"v=DMARC1; p=rejectt; pct=x\"\n",
        [1, 4],
    ),
    (
        "no version",
        "e.example. TXT \" v=spf1 -all\"\n_dmarc.e.example. TXT \"v=DMARC; p=none\"\n",
        [1, 2],
    ),
    (
        "several",
        "e.example. TXT \"v=spf1 -all\"\ne.example. TXT \"v=spf1 ?all\"\n\
         _dmarc.e.example. TXT \"v=DMARC1; p=none\"\n_dmarc.e.example. TXT \"v=DMARC1; p=reject\"\n",
        [1, 3],
    ),
    (
        "too many lookups",
        "e.example. TXT \"v=spf1 a mx ptr exists:x.example a:a.example a:b.example a:c.example a:d.example a:f.example \
         a:g.example a:h.example -all\"\n",
        [12, 1],
    ),
    (
        "loop",
        "e.example. TXT \"v=spf1 include:a.example -all\"\na.example. TXT \"v=spf1 include:e.example -all\"\n\
         _dmarc.e.example. TXT \"v=DMARC1; p=none; sp=quarantine\"\n",
        [1, 1],
    ),
    (
        "missing include and redirect",
        "e.example. TXT \"v=spf1 include:none.example redirect=gone.example\"\n\
         _dmarc.e.example. TXT \"v=DMARC1; rua=mailto:a@e.example\"\n",
        [2, 1],
    ),
    (
        "behind all",
        "e.example. TXT \"v=spf1 +all a:x.example redirect=y.example\"\n\
         _dmarc.e.example. TXT \"v=DMARC1; p=reject; p=none; rua=mailto:a@e.example\"\n",
        [4, 1],
    ),
    (
        "void lookups",
        "e.example. TXT \"v=spf1 a:a.example a:b.example a:c.example -all\"\n\
         _dmarc.e.example. TXT \"v=DMARC1; p=reject; rua=mailto:a@other.example\"\n",
        [4, 1],
    ),
    (
        "a fault in an include",
        "e.example. TXT \"v=spf1 include:a.example -all\"\na.example. TXT \"v=spf1 ip4:192.0.2.300 -all\"\n\
         _dmarc.e.example. TXT \"v=DMARC1; p=reject; rua=http://e.example/\"\n",
        [1, 2],
    ),
    (
        "no all",
        "e.example. TXT \"v=spf1 a:e.example\"\ne.example. A 192.0.2.1\n\
         _dmarc.e.example. TXT \"v=DMARC1; p=none; rua=mailto:a@e.example; ruf=x; ri=86400\"\n",
        [1, 2],
    ),
    (
        "the organization",
        "e.example. TXT \"v=spf1 -all\"\n_dmarc.example. TXT \"v=DMARC1; p=reject; adkim=q; psd=n\"\n",
        [0, 2],
    ),
    ("odd octets", ODD, [1, 5]),
    (
        "backslashes",
        "e.example. TXT \"v=spf1 include:a\\\\b.example x=a\\\\b -all\"\n\
         _dmarc.e.example. TXT \"v=DMARC1; p=reject; x=a\\\\b; rua=mailto:a@e.example\"\n",
        [1, 1],
    ),
];

/// U+202E turns the text behind it, U+2028 ends a line, ESC begins a command to a terminal, and FF FE is no UTF-8. A
/// backslash in a record cannot be taken for an escape.
const ODD: &str = "e.example. TXT \"v=spf1 a\\226\\128\\174b \\226\\128\\168c \\027[31m \\255\\254 \\\\back \\\\u{1b} <i> -all\"\n\
     _dmarc.e.example. TXT \"v=DMARC1; p=reject; rua=mailto:a\\226\\128\\174b@e.example; x\\226\\128\\168y=\\027[31m; \
     z=\\255\\254; w=\\\\back\\\\u{1b}<i>\"\n";
/// Both as they are shown.
const SHOWN: [&str; 2] = [
    r"v=spf1 a\u{202e}b \u{2028}c \u{1b}[31m \xff\xfe \\back \\u{1b} <i> -all",
    r"v=DMARC1; p=reject; rua=mailto:a\u{202e}b@e.example; x\u{2028}y=\u{1b}[31m; z=\xff\xfe; w=\\back\\u{1b}<i>",
];

fn zone(name: &str, records: &str) -> PathBuf {
    let zone = directory(&format!("reviews-{name}")).join("zone");
    fs::write(&zone, records).unwrap();
    zone
}

/// The output of a tool for `e.example`.
fn run(name: &str, zone: &Path, arguments: &[&str]) -> String {
    let mut program = tool(name);
    program.arg("--zone").arg(zone).args(arguments).arg("e.example");
    if name == "inspect" {
        program.arg("--no-connect");
    }
    let output = output_of(&mut program, b"");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    text(&output).to_owned()
}

fn object(name: &str, zone: &Path) -> Value {
    serde_json::from_str(&run(name, zone, &["--json"])).unwrap()
}

/// The place, text and section of each defect of a review, as `inspect` has them.
fn defects(review: &Value) -> Vec<Value> {
    let word = |defect: &Value, name: &str| defect[name].as_str().map(str::to_owned);
    let all = review["defects"].as_array().unwrap().iter();
    let each = all.map(|defect| {
        let text = word(defect, "defect").unwrap();
        let section = word(defect, "section").unwrap();
        let (about, section) = match word(defect, "domain") {
            Some(domain) => (domain, format!("RFC 7208 section {section}")),
            None => (word(defect, "name").unwrap(), section),
        };
        let text = word(defect, "term").map_or(text.clone(), |term| format!("{term}: {text}"));
        json!({"about": about, "text": text, "section": section})
    });
    each.collect()
}

#[test]
fn the_tools_of_spf_and_dmarc_find_the_defects_that_inspect_finds() {
    for (name, records, counts) in FAULTY {
        let zone = zone("same", records);
        let (spf, dmarc) = (object("spf_check", &zone), object("dmarc_check", &zone));
        let inspection = object("inspect", &zone);
        assert_eq!(inspection["spf"], spf, "{name}");
        assert_eq!(inspection["dmarc"], dmarc, "{name}");
        let (of_spf, of_dmarc) = (defects(&spf), defects(&dmarc));
        assert_eq!([of_spf.len(), of_dmarc.len()], counts, "{name}: {of_spf:?} {of_dmarc:?}");
        // There are no mail hosts, which is a defect of its own.
        let all = inspection["defects"].as_array().unwrap();
        let strip = |defect: &Value| json!({"about": defect["about"], "text": defect["text"], "section": defect["section"]});
        let of_records: Vec<_> = all
            .iter()
            .map(strip)
            .filter(|defect| !defect["section"].as_str().unwrap().starts_with("RFC 5321"))
            .collect();
        assert_eq!(of_records, [of_spf, of_dmarc].concat(), "{name}");
        texts_agree(name, &zone, &of_records);
    }
}

/// The records and defects in the text of each tool, and in the page.
fn texts_agree(name: &str, zone: &Path, defects: &[Value]) {
    let whole = run("inspect", zone, &[]);
    let page = run("inspect", zone, &["--html"]);
    let reviews = [run("spf_check", zone, &[]), run("dmarc_check", zone, &[])].concat();
    for line in reviews.lines() {
        match line.trim_start().strip_prefix("defect: ") {
            // The section is behind it.
            Some(defect) => {
                let found = defects.iter().any(|found| {
                    let [about, text, section] =
                        ["about", "text", "section"].map(|word| found[word].as_str().unwrap());
                    defect == format!("{about}: {text} ({section})")
                });
                assert!(found, "{name}: {line}");
            }
            None => assert!(whole.contains(&format!("{line}\n")), "{name}: {line}\n{whole}"),
        }
    }
    assert_eq!(reviews.matches("  defect: ").count(), defects.len(), "{name}: {reviews}");
    let escaped = |text: &Value| {
        let text = text.as_str().unwrap().replace('&', "&amp;").replace('<', "&lt;");
        text.replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
    };
    for defect in defects {
        let words =
            format!("{}: {}<blockquote>", escaped(&defect["about"]), escaped(&defect["text"]));
        assert!(page.contains(&words), "{name}: {words}\n{page}");
    }
}

/// Tells whether a reader's terminal or browser would obey an octet of an output.
fn is_plain(output: &str) -> bool {
    output
        .chars()
        .all(|c| c == '\n' || !c.is_control() && !matches!(c, '\u{202e}' | '\u{2028}' | '\u{fffd}'))
}

#[test]
fn no_octet_of_a_record_is_obeyed() {
    let zone = zone("odd", ODD);
    for (name, shown) in
        [("spf_check", &SHOWN[..1]), ("dmarc_check", &SHOWN[1..]), ("inspect", &SHOWN)]
    {
        let (lines, object) = (run(name, &zone, &[]), run(name, &zone, &["--json"]));
        for shown in shown {
            assert!(lines.contains(&format!(": {shown}\n")), "{name}: {lines}");
            // In JSON each backslash has another one before it.
            let quoted = serde_json::to_string(shown).unwrap();
            assert!(object.contains(&format!(":{quoted}")), "{name}: {object}");
        }
        assert!(is_plain(&lines) && is_plain(&object), "{name}: {lines}{object}");
    }
    let page = run("inspect", &zone, &["--html"]);
    let bare = page.replace("<mark>", "").replace("</mark>", "");
    for shown in SHOWN {
        let escaped = shown.replace('<', "&lt;").replace('>', "&gt;");
        assert!(bare.contains(&format!("<code>{escaped}</code>")), "{page}");
    }
    assert!(is_plain(&page), "{page}");
    // The marks are below the faults, whatever the escapes before them take.
    let lines = run("dmarc_check", &zone, &[]);
    let mut lines = lines.lines().skip_while(|line| !line.contains("v=DMARC1"));
    let (record, marks) = (lines.next().unwrap(), lines.next().unwrap());
    let marked: Vec<_> = marks.match_indices('^').map(|(at, _)| &record[at..at + 2]).collect();
    assert_eq!(marked, ["ru", "x\\", "z=", "w="], "{record}\n{marks}");
}

/// The verdict on a case has the record too.
#[test]
fn no_octet_of_a_record_is_obeyed_in_a_verdict() {
    let zone = zone("verdict", ODD);
    for (name, arguments, shown) in [
        ("spf_check", &["--ip", "192.0.2.1", "--from", "ann@e.example"][..], SHOWN[0]),
        ("dmarc_check", &["--from", "ann@e.example"], SHOWN[1]),
    ] {
        for trace in [&[][..], &["--trace"]] {
            let program = || {
                let mut program = tool(name);
                program.arg("--zone").arg(&zone).args(arguments).args(trace);
                program
            };
            let (lines, object) =
                (output_of(&mut program(), b""), output_of(program().arg("--json"), b""));
            // Text has what SPF says of a record that does not count, JSON the record of each.
            let is_told = text(&lines).contains(shown);
            assert_eq!(is_told, name == "spf_check", "{name} {trace:?}: {}", text(&lines));
            let quoted = serde_json::to_string(shown).unwrap();
            assert!(text(&object).contains(&quoted), "{name} {trace:?}: {}", text(&object));
            assert!(is_plain(text(&lines)) && is_plain(text(&object)), "{name} {trace:?}");
            assert_eq!(json_lines(&object).len(), 1);
        }
    }
}
