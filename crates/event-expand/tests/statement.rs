//! Queries as SQL: bound values, refused queries, and no value in the text.

use event_expand::{
    Ask, Dialect, Expansion, Options, Parameter, Progress, Statement, StatementError, Template,
    Variables,
};
use mail_types::exim::{Query, Trust, Value, Variable};
use proptest::prelude::*;

/// A value of a peer.
struct Peer(Vec<u8>);

impl Variables for Peer {
    fn variable(&self, name: &str) -> Variable<'_> {
        match name {
            "x"
            | "sender_address_domain"
            | "sender_address_local_part"
            | "domain"
            | "local_part"
            | "host_address"
            | "host"
            | "message_exim_id" => Value::new(&*self.0, Trust::Untrusted).into(),
            "event_name" => Value::trusted("msg:delivery").into(),
            "table" => Value::trusted("users").into(),
            _ => Variable::Unknown,
        }
    }
}

/// The statement of the first lookup of a template.
fn statement(template: &str, value: &[u8], dialect: Dialect) -> Result<Statement, StatementError> {
    let template: Template = template.parse().unwrap_or_else(|error| unreachable!("{error}"));
    let (peer, options) = (Peer(value.to_vec()), Options::default());
    let mut expansion = Expansion::new(&template, &peer, &options);
    let Progress::Request(request) = expansion.poll() else { unreachable!("no lookup") };
    let Ask::Lookup { query, .. } = request.ask else { unreachable!("no lookup") };
    Statement::new(&query, dialect)
}

fn text(text: &str) -> Parameter {
    Parameter::Text(text.to_owned())
}

/// The example of `experimental-spec.txt`, 2014, "Event Actions".
const DOCUMENTED: &str = "${if eq {msg:delivery}{$event_name} {${lookup pgsql {\
    SELECT * FROM record_Delivery( \
    '${quote_pgsql:$sender_address_domain}',\
    '${quote_pgsql:${lc:$sender_address_local_part}}', \
    '${quote_pgsql:$domain}', \
    '${quote_pgsql:${lc:$local_part}}', \
    '${quote_pgsql:$host_address}', \
    '${quote_pgsql:${lc:$host}}', \
    '${quote_pgsql:$message_exim_id}')}} } {}}";

#[test]
fn the_documented_action_binds_seven_values() {
    let statement = statement(DOCUMENTED, b"X'", Dialect::Pgsql);
    let Ok(Statement { sql, parameters, .. }) = statement else { unreachable!() };
    assert_eq!(sql, "SELECT * FROM record_Delivery( $1,$2, $3, $4, $5, $6, $7)");
    let (whole, lower) = (text("X'"), text("x'"));
    assert_eq!(
        parameters,
        [&whole, &lower, &whole, &lower, &whole, &lower, &whole].map(Clone::clone)
    );
}

#[test]
fn strings_with_values_are_parameters_and_others_stay() {
    for (template, dialect, sql, parameters) in [
        (
            "${lookup pgsql{SELECT 'it''s' WHERE a LIKE '%${quote_pgsql:$x}''%'}}",
            Dialect::Pgsql,
            "SELECT 'it''s' WHERE a LIKE $1",
            vec![text("%v'%")],
        ),
        (
            "${lookup sqlite{SELECT \"a'b\", `c'`, [d'] FROM $table WHERE e='${quote_sqlite:$x}' -- f'}}",
            Dialect::Sqlite,
            "SELECT \"a'b\", `c'`, [d'] FROM users WHERE e=?1 -- f'",
            vec![text("v")],
        ),
        (
            "${lookup pgsql{SELECT E'a\\\\'b', \\$t\\$c'\\$t\\$ /* d' /* */ */, '${quote_pgsql:$x}${quote_pgsql:$x}'}}",
            Dialect::Pgsql,
            "SELECT E'a\\'b', $t$c'$t$ /* d' /* */ */, $1",
            vec![text("vv")],
        ),
        ("${lookup sqlite{SELECT ''}}", Dialect::Sqlite, "SELECT ''", vec![]),
        // A word behind the string must not become a part of the placeholder.
        (
            "${lookup pgsql{SELECT '${quote_pgsql:$x}'AS a, '${quote_pgsql:$x}'::text}}",
            Dialect::Pgsql,
            "SELECT $1 AS a, $2::text",
            vec![text("v"), text("v")],
        ),
        (
            "${lookup sqlite{SELECT '${quote_sqlite:$x}'2}}",
            Dialect::Sqlite,
            "SELECT ?1 2",
            vec![text("v")],
        ),
        // The prefix of an escape string is a word of its own, and a CR ends a comment in PostgreSQL.
        (
            "${lookup pgsql{SELECT date'\\\\', '${quote_pgsql:$x}', \\$d\\$'\\$e\\$ \\$d\\$}}",
            Dialect::Pgsql,
            "SELECT date'\\', $1, $d$'$e$ $d$",
            vec![text("v")],
        ),
        (
            "${lookup pgsql{SELECT 1 -- it's\r, '${quote_pgsql:$x}'}}",
            Dialect::Pgsql,
            "SELECT 1 -- it's\r, $1",
            vec![text("v")],
        ),
        (
            "${lookup sqlite{SELECT a\\$b, json -> '\\$.c'}}",
            Dialect::Sqlite,
            "SELECT a$b, json -> '$.c'",
            vec![],
        ),
    ] {
        let statement = statement(template, b"v", dialect);
        let Ok(statement) = statement else { unreachable!("{template}: {statement:?}") };
        assert_eq!((&*statement.sql, statement.parameters), (sql, parameters), "{template}");
    }
}

#[test]
fn a_value_elsewhere_is_refused() {
    let place = StatementError::NotInString { at: 1 };
    for (before, behind, dialect, error) in [
        ("SELECT ", "", Dialect::Pgsql, place),
        ("SELECT \"", "\"", Dialect::Pgsql, place),
        ("SELECT E'", "'", Dialect::Pgsql, place),
        ("SELECT U&'", "'", Dialect::Pgsql, place),
        ("SELECT \\$\\$", "\\$\\$", Dialect::Pgsql, place),
        ("SELECT \\$a\\$'", "'\\$a\\$", Dialect::Pgsql, place),
        ("SELECT 1 -- '", "'", Dialect::Pgsql, place),
        ("SELECT 1 /* '", "' */", Dialect::Pgsql, place),
        ("SELECT x'", "'", Dialect::Sqlite, place),
        ("SELECT [", "]", Dialect::Sqlite, place),
        ("SELECT `", "`", Dialect::Sqlite, place),
        ("SELECT '", "", Dialect::Sqlite, StatementError::Open),
        ("SELECT \\$1, '", "'", Dialect::Pgsql, StatementError::Placeholder { at: 0 }),
        ("SELECT ?, '", "'", Dialect::Sqlite, StatementError::Placeholder { at: 0 }),
        ("SELECT :a, '", "'", Dialect::Sqlite, StatementError::Placeholder { at: 0 }),
        ("SELECT #a, '", "'", Dialect::Sqlite, StatementError::Placeholder { at: 0 }),
        ("SELECT 1 IN:a, '", "'", Dialect::Sqlite, StatementError::Placeholder { at: 0 }),
        ("SELECT 1 OR@a, '", "'", Dialect::Sqlite, StatementError::Placeholder { at: 0 }),
        ("SELECT 1&\\$a, '", "'", Dialect::Sqlite, StatementError::Placeholder { at: 0 }),
        ("SELECT 1&\\$1, '", "'", Dialect::Pgsql, StatementError::Placeholder { at: 0 }),
        ("SELECT '", "'\\$1", Dialect::Pgsql, StatementError::Placeholder { at: 2 }),
        ("SELECT 1 -- \\r '", "' -- '\n, '", Dialect::Sqlite, place),
    ] {
        let lookup = if dialect == Dialect::Pgsql { "pgsql" } else { "sqlite" };
        let template = format!("${{lookup {lookup}{{{before}${{quote_{lookup}:$x}}{behind}}}}}");
        assert_eq!(statement(&template, b"v", dialect), Err(error), "{template}");
    }
    let mut query = Query::default();
    query.push_literal(b"SELECT '");
    query.push_value(b"v", Trust::Untrusted);
    assert_eq!(Statement::new(&query, Dialect::Sqlite), Err(StatementError::Unquoted { at: 1 }));
    let mut query = Query::default();
    query.push_literal(b"SELECT \xff");
    assert_eq!(Statement::new(&query, Dialect::Sqlite), Err(StatementError::Text));
}

/// A program may put the statement into a clause of its own, as for all columns as text.
#[test]
fn what_ends_a_statement_is_no_part_of_it() {
    let create = "CREATE TRIGGER t AFTER DELETE ON a BEGIN DELETE FROM b; END;";
    for (text, sql) in [
        ("SELECT 1; -- a ' comment", "SELECT 1"),
        ("SELECT ';' /* ; */ ;\n; /* x */\n", "SELECT ';' /* ; */ "),
        ("SELECT 1 -- ;", "SELECT 1 -- ;"),
        (create, create),
    ] {
        for dialect in [Dialect::Sqlite, Dialect::Pgsql] {
            let mut query = Query::default();
            query.push_literal(text.as_bytes());
            assert_eq!(Statement::new(&query, dialect).map(|made| made.sql), Ok(sql.to_owned()));
        }
    }
}

#[test]
fn a_second_statement_is_refused() {
    for dialect in [Dialect::Sqlite, Dialect::Pgsql] {
        for (text, at) in [
            ("SELECT 1; DROP TABLE a", Some(8)),
            ("SELECT ';';'x'", Some(10)),
            ("SELECT 1;; SELECT 2", Some(8)),
            ("SELECT 1; /* ; */ x", Some(8)),
            ("SELECT 1;/*/--*/ DROP TABLE a", Some(8)),
            ("SELECT 1; - x", Some(8)),
            ("SELECT 1;\"x\"", Some(8)),
            ("SELECT 1; /*/ x */", None),
            ("SELECT 1;/**/;--", None),
            ("SELECT ';' -- ; x", None),
            ("SELECT 1; ; -- x\n ; /* x", None),
            ("SELECT 1;", None),
            (" CREATE TRIGGER t AFTER DELETE ON a BEGIN DELETE FROM b; END;", None),
        ] {
            let mut query = Query::default();
            query.push_literal(text.as_bytes());
            let found = Statement::new(&query, dialect).err();
            let unclosed = text.ends_with("/* x").then_some(StatementError::Open);
            let several = at.map(|at| StatementError::SecondStatement { at });
            assert_eq!(found, unclosed.or(several), "{text}");
        }
    }
    // Comments have comments in them in PostgreSQL alone, where a CR ends a line too.
    for (text, sqlite, pgsql) in [
        ("SELECT 1; /* /* */ -- */ DROP TABLE a", None, Some(8)),
        ("SELECT 1; /* /* */ x */", Some(8), None),
        ("SELECT 1; -- a\r DROP TABLE a", None, Some(8)),
    ] {
        for (dialect, at) in [(Dialect::Sqlite, sqlite), (Dialect::Pgsql, pgsql)] {
            let mut query = Query::default();
            query.push_literal(text.as_bytes());
            let several = at.map(|at| StatementError::SecondStatement { at });
            assert_eq!(Statement::new(&query, dialect).err(), several, "{text}");
        }
    }
}

/// A bound string is decoded as a whole: a value may end a character that the text begins.
#[test]
fn a_parameter_is_text_or_not_as_a_whole() {
    for (value, expected) in [
        (&b"\xa9"[..], Ok(vec![text("\u{e9}")])),
        (b"", Err(StatementError::NotUtf8 { parameter: 1 })),
    ] {
        let mut query = Query::default();
        query.push_literal(b"SELECT '\xc3");
        query.push_quoted(value, Trust::Untrusted, "pgsql");
        query.push_literal(b"'");
        let statement = Statement::new(&query, Dialect::Pgsql);
        assert_eq!(statement.map(|statement| statement.parameters), expected);
    }
}

/// Values that have broken out of quotations somewhere.
fn hostile() -> Vec<Vec<u8>> {
    let pieces: [&[u8]; 20] = [
        b"'",
        b"''",
        b"\"",
        b"\\",
        b"\\'",
        b"';--",
        b"' OR '1'='1",
        b"\0",
        b"\xff",
        b"\xc3",
        b"\n",
        b"\r\n",
        b"\t",
        b" ",
        b"$1",
        b"?1",
        b"$$",
        b"/*",
        b"*/",
        "\u{ff07}\u{2019}".as_bytes(),
    ];
    let pairs = pieces.iter().flat_map(|a| pieces.iter().map(move |b| [*a, b"x", *b].concat()));
    let wide = (0..100).map(|n| vec![b'\''; n * 37]);
    pairs.chain(wide).collect()
}

#[test]
fn five_hundred_hostile_values_arrive_unchanged_or_are_refused() {
    let values = hostile();
    assert_eq!(values.len(), 500);
    let mut arrived = 0;
    for value in &values {
        let sqlite = statement(
            "${lookup sqlite{SELECT a FROM b WHERE c='${quote_sqlite:$x}'}}",
            value,
            Dialect::Sqlite,
        );
        let Ok(sqlite) = sqlite else { unreachable!("{value:?}: {sqlite:?}") };
        assert_eq!(sqlite.sql, "SELECT a FROM b WHERE c=?1");
        let expected = match String::from_utf8(value.clone()) {
            Ok(text) => Parameter::Text(text),
            Err(error) => Parameter::Blob(error.into_bytes()),
        };
        assert_eq!(sqlite.parameters, [expected]);
        let pgsql = statement(
            "${lookup pgsql{SELECT a FROM b WHERE c='${quote_pgsql:$x}'}}",
            value,
            Dialect::Pgsql,
        );
        match (std::str::from_utf8(value), pgsql) {
            (Ok(held), Ok(pgsql)) if !held.contains('\0') => {
                assert_eq!(pgsql.sql, "SELECT a FROM b WHERE c=$1");
                assert_eq!(pgsql.parameters, [text(held)]);
                arrived += 1;
            }
            (Ok(_), pgsql) => assert_eq!(pgsql, Err(StatementError::Nul { parameter: 1 })),
            (Err(_), pgsql) => assert_eq!(pgsql, Err(StatementError::NotUtf8 { parameter: 1 })),
        }
    }
    assert_eq!(arrived, 389);
}

proptest! {
    /// The text does not depend on the values: none of their bytes is in it.
    #[test]
    fn the_text_does_not_depend_on_values(
        literals in prop::collection::vec("[ -~]{0,12}", 1..5),
        values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..8), 5),
        sqlite in any::<bool>(),
    ) {
        let (dialect, lookup) =
            if sqlite { (Dialect::Sqlite, "sqlite") } else { (Dialect::Pgsql, "pgsql") };
        let with = |value: &dyn Fn(usize) -> Vec<u8>| {
            let mut query = Query::default();
            for (place, literal) in literals.iter().enumerate() {
                query.push_literal(literal.as_bytes());
                query.push_literal(b" '");
                query.push_quoted(&value(place), Trust::Untrusted, lookup);
                query.push_literal(b"' ");
            }
            Statement::new(&query, dialect)
        };
        let given = with(&|place| values.get(place).cloned().unwrap_or_default());
        if let Ok(given) = given {
            let empty = with(&|_| Vec::new()).map(|empty| empty.sql);
            prop_assert_eq!(Ok(given.sql), empty);
        }
    }
}
