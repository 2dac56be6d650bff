//! Invalid templates: the errors and their positions.

use event_expand::{ExpandError, Template, TemplateError, Variables};
use mail_types::exim::{Query, Trust, Value, Variable};

fn expected(at: usize, expected: &'static str) -> TemplateError {
    TemplateError::Expected { at, expected }
}

/// Violations of the grammar. All of them fail in Exim 4.96, too.
#[test]
fn bad() {
    let operator = |at, name: &str| TemplateError::Operator { at, name: name.into() };
    for (text, error) in [
        ("$", expected(1, "a letter, a digit or {")),
        ("a$ b", expected(2, "a letter, a digit or {")),
        ("${", expected(2, "a letter or a digit")),
        ("${:a}", expected(2, "a letter or a digit")),
        ("${1a}", expected(3, "} after the number")),
        ("a\\", TemplateError::Backslash { at: 1 }),
        ("${lc a}", operator(2, "lc")),
        ("${nosuch:a}", operator(2, "nosuch")),
        ("${lc_1:a}", operator(2, "lc_1")),
        ("${lc:a", expected(6, "}")),
        ("${if eq{a}{b}", expected(13, "{ or }")),
        ("${if eq{a}{b}{c}", expected(16, "{, } or fail")),
        ("${if eq{a}{b}{c}failx}", expected(16, "{, } or fail")),
        ("${if eq{a}{b}{c}{d}{e}}", expected(19, "}")),
        ("${if eq{a}}", expected(10, "{ of the second string")),
        ("${if}", expected(4, "a condition")),
        ("${if nosuch{a}}", TemplateError::Condition { at: 5, name: "nosuch".into() }),
        ("${if and{eq{a}{a}}}", expected(9, "{ of a condition, or }")),
        ("${if def a}", expected(8, ":")),
        ("${if def:}", expected(9, "the name of a variable")),
        ("${sg{a}{b}}", TemplateError::TooFew { at: 10, item: "sg", least: 3 }),
        ("${sg{a}{b}{c}{d}}", TemplateError::TooMany { at: 13, item: "sg", most: 3 }),
        ("${sort{a}{eq}{b}}", TemplateError::Order { at: 10 }),
        ("${map{a}{b}", expected(11, "}")),
        ("${listextract{x}{a}}", expected(14, "the number of an item")),
        ("${lookup {a}", expected(12, "the type of the lookup")),
        ("${lookup nosuch{a}}", TemplateError::Lookup { at: 9, name: "nosuch".into() }),
        ("${lookup lsearch{a}}", TemplateError::Key { at: 9, name: "lsearch", takes: true }),
        ("${lookup{a}pgsql{b}}", TemplateError::Key { at: 11, name: "pgsql", takes: false }),
        ("${run,x{a}}", operator(2, "run,")),
        ("${certextract{subject}{a}}", expected(23, "a variable that holds a certificate")),
    ] {
        assert_eq!(Template::parse(text.as_bytes()).err(), Some(error), "{text}");
    }
}

#[test]
fn the_outline_shows_what_hangs_where() {
    let text = "a${if !eq{$x}{1}{${lc:B}}fail}";
    let outline = Template::parse(text.as_bytes()).map(|template| template.outline().to_string());
    let expected = [
        "    0  text \"a\"",
        "    1  if",
        "    7    condition not compare Text Equal",
        "   10      string",
        "   10        variable x",
        "   14      string",
        "   14        text \"1\"",
        "   17    yes",
        "   17      operator Lower",
        "   22        operand",
        "   22          text \"B\"",
        "   25    fail",
        "",
    ];
    assert_eq!(outline, Ok(expected.join("\n")));
}

struct Known;

impl Variables for Known {
    fn variable(&self, name: &str) -> Variable<'_> {
        match name {
            "known" => Value::trusted("1").into(),
            "unset" => Variable::Unset,
            _ => Variable::Unknown,
        }
    }
}

#[test]
fn names_are_checked_where_they_are_skipped_too() {
    let text = "$known$unset$value$item$1$h_x:${if eq{$known}{1}{y}{$nosuch}}";
    let Ok(template) = Template::parse(text.as_bytes()) else { unreachable!() };
    assert_eq!(template.names().collect::<Vec<_>>(), ["known", "unset", "nosuch"]);
    let unknown = ExpandError::UnknownVariable { at: 53, name: "nosuch".into() };
    assert_eq!(template.check(&Known), Err(unknown));
    let expanded = template.expand(&Known);
    assert!(expanded.is_ok_and(|value| value.as_bytes() == b"1y"), "it does not come by it");
}

/// Only what is quoted for a lookup has a mark, and what is expanded has no octets. A value is untrusted if that
/// is known.
#[test]
fn queries_are_known_as_far_as_their_text_is() {
    let text = "${lookup sqlite{a '${quote_sqlite:${lc:$x}}' ${lc:b} $y c$x ${uc:${lc:d$x}}\
        $h_x: ${expand:$x}}}${lookup{k}lsearch{/f}}\
        ${if eq{1}{1}{${lookup pgsql{${quote_sqlite:$x}d}}}}";
    let template: Template = text.parse().unwrap();
    let mut queries: Vec<_> = template.queries(|name| name == "x").collect();
    queries.sort_by_key(|(at, ..)| *at);
    let mut sqlite = Query::default();
    sqlite.push_literal(b"a '");
    sqlite.push_quoted(b"", Trust::Untrusted, "sqlite");
    sqlite.push_literal(b"' ");
    sqlite.push_value(b"", Trust::Trusted);
    sqlite.push_literal(b" ");
    sqlite.push_value(b"", Trust::Trusted);
    sqlite.push_literal(b" c");
    sqlite.push_value(b"", Trust::Untrusted);
    sqlite.push_literal(b" ");
    sqlite.push_value(b"", Trust::Untrusted);
    sqlite.push_value(b"", Trust::Untrusted);
    sqlite.push_literal(b" ");
    sqlite.push_value(b"", Trust::Trusted);
    let mut pgsql = Query::default();
    pgsql.push_quoted(b"", Trust::Untrusted, "sqlite");
    pgsql.push_literal(b"d");
    let found: Vec<_> = queries.iter().map(|(_, lookup, query)| (lookup.name, query)).collect();
    assert_eq!(found, [("sqlite", &sqlite), ("pgsql", &pgsql)]);
}

#[test]
fn regular_expressions_without_expansions_are_checked() {
    let check = |text: &str| text.parse::<Template>().unwrap().check_patterns().err();
    for (text, place, fault) in [
        ("${if match{$known}{(}}", 5, 1),
        ("${if eq{a}{b}{}{${if match{$known}{a[}}}}", 21, 2),
        ("${sg{$known}{*}{b}}", 0, 0),
    ] {
        let Some(ExpandError::Regex { at, offset, .. }) = check(text) else { panic!("{text}") };
        assert_eq!((at, offset <= fault), (place, true), "{text}: {offset}");
    }
    let many = "${if match{a}{a}}".repeat(100);
    let last = format!("{many}${{if match{{a}}{{(}}}}");
    let problem = "( without )";
    assert_eq!(check(&last), Some(ExpandError::Regex { at: many.len() + 5, offset: 0, problem }));
    assert_eq!(check("${if match{$known}{($known}}"), None);
    assert_eq!(check("${if match{$known}{\\N^(a|b)$\\N}}"), None);
}

/// What items set is untrusted where the list or the subject is, and nowhere else.
#[test]
fn the_trust_of_items_and_captures_is_known_as_far_as_it_can_be() {
    let lookup = "${lookup sqlite{$V}}";
    for (text, expected) in [
        ("${map{$x}{L}}", "$item"),
        ("${sort{$x}{<}{L}}", "$item"),
        ("${reduce{$x}{}{L}}", "$item"),
        ("${filter{$x}{eq{$item}{L}}}", "$item"),
        ("${map{${lc:$x}}{L}}", "$item"),
        ("${map{a$x}{L}}", "$item"),
        ("${map{${map{$x}{a}}}{L}}", "$item"),
        ("${if forany{$x}{eq{$item}{L}}}", "$item"),
        ("${if match{$x}{(.)}{L}}", "$1"),
        ("${if match{a$x}{(.)}{a${lc:L}}}", "$1"),
        ("${if and{{match{$x}{(.)}}{eq{a}{$1}}}{L}}", "$1"),
        ("${if and{{match{$x}{(.)}}{eq{a}{L}}}{b}}", "$1"),
        ("L", "${sg{$x}{a}{b}}"),
        ("L", "${sg{${quote_sqlite:$x}}{a}{b}}"),
        ("L", "${map{$x}{a}}"),
        ("L", "${filter{$x}{eq{$item}{a}}}"),
    ] {
        let query = |text: &str| {
            let template: Template = text.parse().unwrap();
            let (_, _, query) = template.queries(|name| name == "x").last().unwrap();
            query.check("sqlite").is_err()
        };
        let text = text.replace('L', &lookup.replace("$V", expected));
        assert!(query(&text), "{text}");
        assert!(!query(&text.replace("$x", "$y")), "{text}");
    }
    for text in [
        "${map{$y}{${lookup sqlite{$item}}}}",
        "${if match{$x}{a}{}{${lookup sqlite{$1}}}}",
        "${if !match{$x}{a}{${lookup sqlite{$1}}}}",
        "${if or{{match{$x}{a}}{match{$y}{b}}}{${lookup sqlite{$1}}}}",
        "${map{$x}{a}}${lookup sqlite{$item}}",
    ] {
        let template: Template = text.parse().unwrap();
        let (_, _, query) = template.queries(|name| name == "x").next().unwrap();
        assert!(query.check("sqlite").is_ok(), "{text}");
    }
}

#[test]
fn names_from_untrusted_values_are_refused_needs() {
    for (text, expected) in [
        ("${lookup{a}lsearch{/t/$x}}", true),
        ("${lookup{$x}lsearch{/t}}", false),
        ("${lookup{$x}lsearch{/t/$y}}", false),
        ("${lookup{a}lsearch{/t}{b}{${lookup{a}iplsearch{$x}}}}", true),
        ("${acl{$x}{a}}", true),
        ("${acl{a}{$x}}", false),
        ("${if acl{{$x}{a}}{b}}", true),
        ("${if match{$x}{a}{${acl{$0}}}}", true),
        ("${map{$x}{${lookup{a}lsearch{/t/$item}}}}", true),
        ("${expand:$x}", false),
    ] {
        let template: Template = text.parse().unwrap();
        let refused = template.refused_needs(|name| name == "x").count();
        assert_eq!(refused, usize::from(expected), "{text}");
    }
}
