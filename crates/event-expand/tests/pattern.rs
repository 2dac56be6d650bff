//! Regular expressions that are refused, and those that strain the reader. What the others match is
//! in `data/patterns.jsonl`.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a helper of tests may panic")]

use std::thread;

use event_expand::{ExpandError, Template};

/// The position and the reason of a fault.
fn fault(pattern: &str) -> Option<(usize, &'static str)> {
    let template = format!("${{if match{{a}}{{\\N{pattern}\\N}}}}").parse::<Template>().unwrap();
    match template.check_patterns() {
        Ok(()) => None,
        Err(ExpandError::Regex { offset, problem, .. }) => Some((offset, problem)),
        Err(error) => panic!("{pattern}: {error}"),
    }
}

/// PCRE2 refuses these too.
#[test]
fn invalid_expressions() {
    for (pattern, at, problem) in [
        ("ab(", 2, "( without )"),
        ("(a(b)", 0, "( without )"),
        ("ab)", 2, ") without ("),
        ("a(?#b", 4, "comment without )"),
        ("a[b", 3, "class without ]"),
        ("[z-a]", 4, "range out of order"),
        ("[a-\\d]", 5, "class in a range"),
        ("[\\d-z]", 3, "class in a range"),
        ("x[[:alhpa:]]", 2, "unknown name in [:…:]"),
        ("[[.a.]]", 1, "collating element"),
        ("[:alpha:]", 0, "[:name:] outside a class"),
        ("[\\R]", 1, "escape that a class cannot have"),
        ("a**", 2, "quantifier without a part to repeat before it"),
        ("^*", 1, "quantifier without a part to repeat before it"),
        ("(?i)+", 4, "quantifier without a part to repeat before it"),
        ("a{3,2}", 5, "numbers out of order in {}"),
        ("a{65536}", 7, "number too large in {}"),
        ("a\\u0041", 1, "\\F, \\L, \\l, \\N{…}, \\U or \\u"),
        ("\\y", 0, "unknown escape"),
        ("\\400", 0, "number of a byte above 255"),
        ("\\x{100}", 0, "number of a byte above 255"),
        ("a\\xg", 1, "\\x without digits"),
        ("a{,3}", 1, VERSIONS),
        ("(?:b){ 3}", 5, VERSIONS),
        ("b{3, 5 }c", 1, VERSIONS),
        ("{,3}", 0, VERSIONS),
        ("\\x{4g}", 0, "digits and } expected after {"),
        ("\\o141", 0, "\\o without {"),
        ("(?i)\\d\\p{Lu}", 6, ONE_CASE),
        ("(?i)[a\\P{ l-L }]", 6, ONE_CASE),
        ("(?i:\\p{^Lt})", 4, ONE_CASE),
        ("\\p{Foo}", 0, "unknown or unsupported property of \\p"),
        ("(?u)", 0, "unknown letter after (?"),
        ("(?--i)", 0, "unknown letter after (?"),
        ("(a)\\2", 3, "reference to a group that does not exist"),
        ("\\8", 0, "reference to a group that does not exist"),
        ("\\k<n>{0}", 0, "reference to a group that does not exist"),
        ("(?(2)a)", 0, "reference to a group that does not exist"),
        ("(?<n>a)(?<n>b)", 7, "two groups with the same name"),
        ("(?|(?<n>a)|(?<m>b))", 11, "two names for the same group"),
        ("(?<1>a)", 3, "name of a group expected"),
        ("(a)(?(1)b|c|d)", 3, "condition with too many branches"),
        ("(?(?:a)b)", 0, "condition expected"),
        ("(?<=a+)b", 0, "look-behind of a length that is not fixed"),
        ("(?=a\\K)", 4, "\\K in a look-around"),
    ] {
        assert_eq!(fault(pattern), Some((at, problem)), "{pattern}");
    }
}

/// PCRE2 takes these.
#[test]
fn expressions_that_are_not_supported() {
    let recursion = "recursion or call of a group, which is not supported";
    let verb = "control verb or setting of the whole expression, which is not supported";
    let not_atomic = "look-around that is not atomic, which is not supported";
    for (pattern, at, problem) in [
        ("a(?R)?", 1, recursion),
        ("(a)(?1)", 3, recursion),
        ("(a)(?-1)", 3, recursion),
        ("(?<n>a)\\g<n>", 7, recursion),
        ("(?<n>a)(?&n)", 7, recursion),
        ("(?<n>a)(?P>n)", 7, recursion),
        ("a(?C1)b", 1, "callout, which is not supported"),
        ("a(*COMMIT)b", 1, verb),
        ("(*UTF)a", 0, verb),
        ("(?*a)b", 0, not_atomic),
        ("(?<*a)b", 0, not_atomic),
        ("(?(R)a|b)", 0, "condition on recursion or the version, which is not supported"),
        ("(?<=(a)\\1)b", 0, "look-behind of a length that is not fixed"),
        ("\\p{Greek}", 0, "unknown or unsupported property of \\p"),
    ] {
        assert_eq!(fault(pattern), Some((at, problem)), "{pattern}");
    }
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!("{}a{}", "(?:a|(?=".repeat(depth), "))*".repeat(depth));
    let faults = move || (fault(&nested(50)), fault(&nested(51)));
    let faults = thread::Builder::new().stack_size(1 << 20).spawn(faults).unwrap().join().unwrap();
    assert_eq!(faults.0, None);
    assert_eq!(
        faults.1.map(|(_, problem)| problem),
        Some("more than 100 parentheses in each other")
    );
}

/// Parts without a step count too.
#[test]
fn sizes_are_bounded() {
    let empty = "(?:b{0})".repeat(1000);
    for pattern in [
        "(?:(?:ab){1000}){1000}".to_owned(),
        format!("(?:a{empty}){{1000}}"),
        "(?:(?:(?:){65535}){65535}a){60000}".to_owned(),
        "(?:(?>a){300}){300}".to_owned(),
    ] {
        assert_eq!(fault(&pattern), Some((0, "larger than Limits::regex_size")), "{pattern}");
    }
    assert_eq!(fault("(?:(?:){65535}){65535}"), None);
}

const ONE_CASE: &str =
    "\\p{Lu}, \\p{Ll} or \\p{Lt} with (?i): one case in some versions of PCRE2, both in others";
const VERSIONS: &str = "{} with blanks or without its first number: a count in some versions of PCRE2, a text in others";
