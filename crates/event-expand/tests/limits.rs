//! Each limit, reached and not reached, and inputs that crash Exim.

use std::time::{Duration, Instant};

use event_expand::{
    ExpandError, ExpandFailure, Limits, Options, Progress, Template, TemplateError,
};
use event_expand::{Expansion, Variables};
use mail_types::exim::{LookupResult, Variable};

struct Nothing;

impl Variables for Nothing {
    fn variable(&self, _: &str) -> Variable<'_> {
        Variable::Unknown
    }
}

fn expand(text: &str, change: impl FnOnce(&mut Limits)) -> Result<String, ExpandFailure> {
    let mut options = Options::default();
    change(&mut options.limits);
    let template = Template::parse_within(text.as_bytes(), &options.limits);
    let template = template.unwrap_or_else(|_| unreachable!("{text}"));
    let mut expansion = Expansion::new(&template, &Nothing, &options);
    loop {
        match expansion.poll() {
            Progress::Done(value) => {
                return Ok(String::from_utf8_lossy(value.as_bytes()).into_owned());
            }
            Progress::Stopped(stop) => return Err(stop),
            Progress::Request(_) => expansion.handle_found(LookupResult::Nothing),
        }
    }
}

#[test]
fn template() {
    let mut limits = Limits::default();
    limits.template = 4;
    assert!(Template::parse_within(b"abcd", &limits).is_ok());
    let error = Template::parse_within(b"abcde", &limits).err();
    assert_eq!(error, Some(TemplateError::TooLong { limit: 4 }));
    // A text to be expanded again is held to it, too.
    let text = format!("${{expand:\\$1${{hexquote:{}}}}}", "\\1".repeat(20));
    assert!(expand(&text, |limits| limits.template = 82).is_ok());
    let error = TemplateError::TooLong { limit: 81 };
    let outcome = expand(&text, |limits| limits.template = 81);
    assert_eq!(outcome, Err(ExpandError::Template { at: 0, error }.into()));
}

#[test]
fn depth() {
    let nested = |levels| format!("{}a{}", "${lc:".repeat(levels), "}".repeat(levels));
    let mut limits = Limits::default();
    limits.depth = 5;
    assert!(Template::parse_within(nested(4).as_bytes(), &limits).is_ok());
    let error = Template::parse_within(nested(5).as_bytes(), &limits).err();
    assert_eq!(error, Some(TemplateError::TooDeep { at: 25, limit: 5 }));
    assert!(Template::parse(nested(2500).as_bytes()).is_err(), "Exim goes on");
    // Parentheses, and texts that are expanded again.
    let parentheses = |levels| format!("${{eval:{}1{}}}", "(".repeat(levels), ")".repeat(levels));
    assert_eq!(expand(&parentheses(5), |limits| limits.depth = 5), Ok("1".to_owned()));
    let error = expand(&parentheses(6), |limits| limits.depth = 5);
    assert_eq!(error, Err(ExpandError::TooDeep { at: 0, limit: 5 }.into()));
    let again = "${expand:\\${expand:\\$1\\}}";
    assert!(expand(again, |limits| limits.depth = 4).is_ok());
    let error = ExpandError::TooDeep { at: 9, limit: 3 };
    let outcome = expand(again, |limits| limits.depth = 3);
    assert_eq!(outcome, Err(ExpandError::Inner { at: 0, error: error.into() }.into()));
}

#[test]
fn output() {
    assert_eq!(expand("abcd", |limits| limits.output = 4), Ok("abcd".to_owned()));
    let error = expand("abcde", |limits| limits.output = 4);
    assert_eq!(error, Err(ExpandError::TooLong { at: 0, limit: 4 }.into()));
    // Arguments count during their evaluation, and so do the results of operators.
    let error = expand("${strlen:abcde}", |limits| limits.output = 4);
    assert_eq!(error, Err(ExpandError::TooLong { at: 9, limit: 4 }.into()));
    let error = expand("${escape:\\1}", |limits| limits.output = 3);
    assert_eq!(error, Err(ExpandError::TooLong { at: 0, limit: 3 }.into()));
    // Doubled 27 times it asks for more memory than Exim gets.
    let doubled = format!("${{reduce{{{}}}{{0123456789}}{{$value$value}}}}", "a:".repeat(27));
    let error = expand(&doubled, |_| {}).err();
    assert!(matches!(error, Some(ExpandFailure::Error(ExpandError::TooLong { .. }))));
}

#[test]
fn steps() {
    assert!(expand("${lc:a}", |limits| limits.steps = 2).is_ok());
    let error = expand("${lc:a}", |limits| limits.steps = 1);
    assert_eq!(error, Err(ExpandError::TooManySteps { at: 5, limit: 1 }.into()));
    // Bytes are steps, too.
    let long = "a".repeat(640);
    assert!(expand(&long, |limits| limits.steps = 11).is_ok());
    let error = expand(&long, |limits| limits.steps = 10);
    assert_eq!(error, Err(ExpandError::TooManySteps { at: 0, limit: 10 }.into()));
}

#[test]
fn items() {
    for (text, at) in [
        ("${map{1:2:3}{}}", 0),
        ("${filter{1:2:3}{eq{}{}}}", 0),
        ("${reduce{1:2:3}{}{}}", 0),
        ("${sort{1:2:3}{<}{$item}}", 0),
        ("${if inlist{9}{1:2:3}}", 5),
        ("${if forall{1:2:3}{eq{}{}}}", 5),
        ("${if forany_json{[1,2,3]}{eq{a}{}}}", 5),
        ("${if match_domain{a}{b:c:d}}", 5),
    ] {
        assert!(expand(text, |limits| limits.items = 3).is_ok(), "{text}");
        let error = expand(text, |limits| limits.items = 2);
        assert_eq!(error, Err(ExpandError::TooManyItems { at, limit: 2 }.into()), "{text}");
    }
}

#[test]
fn regex_backtracks() {
    let text = "${if match{aaaaaaaaaaaaaaaaaaaaaaaaaaaa}{\\N^(?=(a+)+$)(a+)+\\1b$\\N}}";
    let error = expand(text, |limits| limits.regex_backtracks = 1000);
    assert_eq!(error, Err(ExpandError::RegexWork { at: 5, limit: 1000 }.into()));
    let text = "${if match{aab}{\\N^(?=a)(a)\\1b$\\N}}";
    assert_eq!(expand(text, |limits| limits.regex_backtracks = 1000), Ok("true".to_owned()));
    // Without back-references a search remembers what has failed.
    for pattern in [
        "^(a+)+$",
        "^(?=(a+)+$)",
        "^(a|aa)+$",
        "^(a*)*$",
        "^(?:a?){28}a{28}$",
        "^(?:(?:(?:(?:(?:a|aa)*)*)*)*)*$",
        "^(?:(?:(?:(?:a??|(?:aa)+?)*?)*)+?)*$",
    ] {
        let text = format!("${{if match{{{}}}{{\\N{pattern}\\N}}}}", "a".repeat(28));
        assert_eq!(expand(&text, |limits| limits.regex_backtracks = 1), Ok("true".to_owned()));
        let text = format!("${{if match{{{}b}}{{\\N{pattern}\\N}}}}", "a".repeat(28));
        assert_eq!(expand(&text, |limits| limits.regex_backtracks = 1), Ok(String::new()));
    }
    // Open choices take memory.
    let text = format!("${{if match{{{}}}{{\\N^(?:a|bc)*$\\N}}}}", "a".repeat(20_000));
    let error = expand(&text, |limits| limits.regex_backtracks = 1000);
    assert_eq!(error, Err(ExpandError::RegexWork { at: 5, limit: 1000 }.into()));
    assert_eq!(expand(&text, |_| {}), Ok("true".to_owned()));
}

/// All work of a search counts as steps, also after an empty match; text that was read ahead for one match is
/// not read again for the next.
#[test]
fn the_steps_of_searches() {
    let substitute = |subject: &str, pattern: &str, change: fn(&mut Limits)| {
        let text = format!("${{sg{{{subject}}}{{\\N{pattern}\\N}}{{}}}}");
        expand(&text, |limits| {
            limits.template = 2 << 20;
            change(limits);
        })
    };
    let subject = "a".repeat(48_000);
    for pattern in [
        "\\s*",
        "x*",
        "(?=a)",
        "(?!b)",
        "\\b|$",
        "(?=.*z)|a",
        "a.*z|a",
        "a[^z]*z|a",
        "(a*)*c",
        "(?:a+a+)+c",
    ] {
        let is_kept = !pattern.ends_with('a');
        let expected = if is_kept { subject.clone() } else { String::new() };
        assert_eq!(substitute(&subject, pattern, |_| {}), Ok(expected), "{pattern}");
    }
    // Ordinary ones, with some thousands of matches.
    let words = "ab c\n".repeat(13_000);
    for (pattern, left) in [("\\s+", 39_000), ("\\n", 52_000), ("[^a-z]", 39_000)] {
        let found = substitute(&words, pattern, |_| {}).map(|text| text.len());
        assert_eq!(found, Ok(left), "{pattern}");
    }
    for pattern in ["x*", "(?:(?:a?){50}){50}c", "[ab]{1,1000}c"] {
        let error = substitute(&subject, pattern, |limits| limits.steps = 5_000).err();
        let expected = ExpandError::TooManySteps { at: 0, limit: 5_000 };
        assert_eq!(error, Some(expected.into()), "{pattern}");
    }
}

/// A reference reads each group of its name, and a part without a step is compiled all the same.
#[test]
fn steps_count_groups_of_a_name_and_parts_without_a_step() {
    let few = |limits: &mut Limits| (limits.template, limits.steps) = (2 << 20, 10_000);
    let (groups, subject) = ("(?<n>x)".repeat(4000), "a".repeat(10_000));
    let text =
        format!("${{if match{{{subject}}}{{\\N(?J)(?:{groups}z|)(?:(?(<n>)b)a)*+\\N}}{{y}}{{n}}}}");
    assert_eq!(expand(&text, few), Err(ExpandError::TooManySteps { at: 5, limit: 10_000 }.into()));
    let (list, parts) = ("a:".repeat(20), "b{0}".repeat(50));
    let pattern = format!("\\N(?:\\N${{uc:$item}}\\N{parts}){{1200}}\\N");
    let text = format!("${{map{{{list}}}{{${{if match{{x}}{{{pattern}}}{{y}}{{n}}}}}}}}");
    let error = expand(&text, few).err().map(|error| error.to_string());
    assert!(error.as_ref().is_some_and(|error| error.contains("10000 steps")), "{error:?}");
}

#[test]
fn regex_size() {
    let text = "${if match{a}{\\N^(a{50}){50}$\\N}}";
    assert_eq!(expand(text, |_| {}), Ok(String::new()));
    let error = expand(text, |limits| limits.regex_size = 1000).err();
    assert!(
        matches!(error, Some(ExpandFailure::Error(ExpandError::Regex { at: 5, .. }))),
        "{error:?}"
    );
}

#[test]
fn requests() {
    let text = "${lookup redis{a}}${lookup redis{b}}${lookup redis{c}}";
    assert_eq!(expand(text, |limits| limits.requests = 3), Ok(String::new()));
    let error = expand(text, |limits| limits.requests = 2);
    assert_eq!(error, Err(ExpandError::TooManyRequests { at: 36, limit: 2 }.into()));
}

/// Found of Exim 4.96 and of the development version of late 2025: each ends the process.
#[test]
fn what_ends_exims_process_is_an_error() {
    for text in [
        "${nhash_0:x}",
        "${nhash{0}{x}}",
        "${nhash_65536_65536:x}",
        "${nhash{10}{0}{x}}",
        "${hash{-1}{x}}",
        "${hash_2_0:abc}",
        "${if forany_json{x}{eq{a}{a}}}",
        "${if forall_jsons{}{eq{a}{a}}}",
        "${xtextd:a+4}",
    ] {
        let stop = expand(text, |_| {}).err();
        assert!(matches!(stop, Some(ExpandFailure::Error(_))), "{text}: {stop:?}");
    }
}

/// Each of these starts of a word would search the whole text for its end: minutes for a header of a
/// megabyte.
#[test]
fn encoded_words_without_an_end_take_time_in_proportion() {
    for start in ["=?a?q?b", "=?a?b?YQ", "=?a", "=?utf-8?q"] {
        let text = start.repeat(400_000 / start.len());
        let template = format!("${{rfc2047d:{text}}}");
        let began = Instant::now();
        let change = |limits: &mut Limits| {
            (limits.template, limits.output) = (1 << 20, 1 << 22);
        };
        assert_eq!(expand(&template, change), Ok(text), "{start}");
        assert!(began.elapsed() < Duration::from_secs(10), "{start}: {:?}", began.elapsed());
    }
}
