//! Statements of queries that were read before: the same as read anew, whatever came in between.

use event_expand::{Dialect, Parameter, Statement, StatementCache, StatementError};
use mail_types::exim::{Query, Trust};
use proptest::prelude::*;

/// A piece of a query.
#[derive(Clone, Debug)]
enum QueryPiece {
    Literal(&'static [u8]),
    Value(Vec<u8>, Trust, Option<&'static str>),
}

fn query(pieces: &[QueryPiece]) -> Query {
    let mut query = Query::default();
    for piece in pieces {
        match piece {
            QueryPiece::Literal(text) => query.push_literal(text),
            QueryPiece::Value(bytes, trust, Some(lookup)) => {
                query.push_quoted(bytes, *trust, lookup);
            }
            QueryPiece::Value(bytes, trust, None) => query.push_value(bytes, *trust),
        }
    }
    query
}

fn piece() -> impl Strategy<Value = QueryPiece> {
    const LITERALS: [&[u8]; 14] = [
        b"SELECT ", b" '", b"' ", b"'", b"''", b"'a''b'", b"\"", b"-- ", b"\n", b"/*", b"*/", b";",
        b"$1", b"\xc3",
    ];
    let bytes =
        proptest::sample::select(vec![&b""[..], b"t", b"'", b"a'; --", b"\0", b"\xff", b"\xa9"]);
    let marks =
        (any::<bool>(), proptest::sample::select(vec![None, Some("sqlite"), Some("pgsql")]));
    let value = (bytes, marks).prop_map(|(bytes, (trusted, quoted))| {
        let trust = if trusted { Trust::Trusted } else { Trust::Untrusted };
        QueryPiece::Value(bytes.to_vec(), trust, quoted)
    });
    prop_oneof![proptest::sample::select(LITERALS.to_vec()).prop_map(QueryPiece::Literal), value]
}

/// Each of `values` in the same text, quoted for `SQLite`.
fn row(table: &str, values: &[&[u8]]) -> Query {
    let mut query = Query::default();
    query.push_literal(b"INSERT INTO ");
    query.push_value(table.as_bytes(), Trust::Trusted);
    for value in values {
        query.push_literal(b" 'it''s ");
        query.push_quoted(value, Trust::Untrusted, "sqlite");
        query.push_literal(b"!'");
    }
    query
}

proptest! {
    /// A few texts of queries come again, with other values.
    #[test]
    fn any_order_of_queries_has_the_statements_of_new_ones(
        texts in proptest::collection::vec(proptest::collection::vec(piece(), 0..7), 1..4),
        uses in proptest::collection::vec((any::<proptest::sample::Index>(), piece(), any::<bool>()), 1..12),
    ) {
        for dialect in [Dialect::Sqlite, Dialect::Pgsql] {
            let mut statements = StatementCache::new(dialect);
            for (text, other, marked) in &uses {
                let mut pieces = texts[text.index(texts.len())].clone();
                // One value of the text is another now, with other marks or its own.
                if let Some(QueryPiece::Value(bytes, trust, quoted)) =
                    pieces.iter_mut().find(|piece| matches!(piece, QueryPiece::Value(..)))
                    && let QueryPiece::Value(new, new_trust, new_quoted) = other
                {
                    bytes.clone_from(new);
                    if *marked {
                        (*trust, *quoted) = (*new_trust, *new_quoted);
                    }
                }
                let query = query(&pieces);
                let fresh = Statement::new(&query, dialect);
                prop_assert_eq!(statements.statement(&query).cloned(), fresh);
            }
        }
    }
}

#[test]
fn a_table_is_text_and_a_longer_query_is_another() -> Result<(), StatementError> {
    let mut statements = StatementCache::new(Dialect::Sqlite);
    for query in [
        row("a", &[b"x"]),
        row("b", &[b"x"]),
        row("a", &[b"x", b"y"]),
        row("a", &[b"\xff"]),
        row("a", &[]),
        row("a", &[b"z"]),
    ] {
        assert_eq!(statements.statement(&query)?, &Statement::new(&query, Dialect::Sqlite)?);
    }
    let last = row("a", &[b"'; DROP TABLE a; --"]);
    let statement = statements.statement(&last)?;
    assert_eq!(statement.sql, "INSERT INTO a ?1");
    let value = "it's '; DROP TABLE a; --!".to_owned();
    assert_eq!(statement.parameters, [Parameter::Text(value)]);
    Ok(())
}

#[test]
fn the_latest_statements_are_kept_and_no_long_text() -> Result<(), StatementError> {
    let mut statements = StatementCache::new(Dialect::Sqlite);
    let known = |statements: &StatementCache| format!("{statements:?}").matches("INSERT").count();
    let tables: Vec<_> = (0..StatementCache::CAPACITY * 3).map(|n| format!("t{n}")).collect();
    for _ in 0..2 {
        for table in &tables {
            let query = row(table, &[b"x"]);
            assert_eq!(statements.statement(&query)?, &Statement::new(&query, Dialect::Sqlite)?);
        }
    }
    // Each has its SQL alone as text: that of the query is bytes.
    assert_eq!(known(&statements), StatementCache::CAPACITY);
    let long = row(&"t".repeat(StatementCache::OCTETS), &[b"x"]);
    assert_eq!(statements.statement(&long)?, &Statement::new(&long, Dialect::Sqlite)?);
    statements.statement(&row("t", &[b"x"]))?;
    assert!(!format!("{statements:?}").contains(&"t".repeat(100)));
    Ok(())
}

#[test]
fn after_an_error_the_next_query_has_its_statement() {
    let mut statements = StatementCache::new(Dialect::Pgsql);
    let of = |value: &[u8], lookup| {
        let mut query = Query::default();
        query.push_literal(b"SELECT '");
        query.push_quoted(value, Trust::Untrusted, lookup);
        query.push_literal(b"'");
        query
    };
    let mut parameters = |value: &[u8], lookup| {
        let statement = statements.statement(&of(value, lookup));
        statement.map(|statement| statement.parameters.clone())
    };
    let text = |text: &str| Ok(vec![Parameter::Text(text.to_owned())]);
    assert_eq!(parameters(b"a", "pgsql"), text("a"));
    assert_eq!(parameters(b"\0", "pgsql"), Err(StatementError::Nul { parameter: 1 }));
    assert_eq!(parameters(b"\xff", "pgsql"), Err(StatementError::NotUtf8 { parameter: 1 }));
    assert_eq!(parameters(b"b", "pgsql"), text("b"));
    // The text of the query is known, but its value is quoted for another lookup.
    assert_eq!(parameters(b"c", "sqlite"), Err(StatementError::Unquoted { at: 1 }));
    assert_eq!(parameters("d".repeat(100_000).as_bytes(), "pgsql"), text(&"d".repeat(100_000)));
    assert_eq!(parameters(b"e", "pgsql"), text("e"));
}

/// A statement that waits for its next use keeps no large value and no long list of segments.
#[test]
fn values_and_segments_of_earlier_statements_are_not_kept() -> Result<(), StatementError> {
    let mut statements = StatementCache::new(Dialect::Sqlite);
    let octets = |statements: &StatementCache| format!("{statements:?}").len();
    let value = vec![b'x'; 100_000];
    for table in ["a", "b", "c"] {
        statements.statement(&row(table, &[&value]))?;
    }
    assert!(octets(&statements) > 100_000, "that of the last is in use");
    statements.statement(&row("d", &[b"x"]))?;
    assert!(octets(&statements) < 10_000);
    // Each value is in the one string: few octets of text, and many segments.
    for table in ["a", "b", "c"] {
        let mut query = row(table, &[b"x"]);
        query.push_literal(b"'");
        for _ in 0..StatementCache::SEGMENTS {
            query.push_quoted(b"", Trust::Untrusted, "sqlite");
        }
        query.push_literal(b"'");
        assert_eq!(statements.statement(&query)?, &Statement::new(&query, Dialect::Sqlite)?);
    }
    statements.statement(&row("d", &[b"x"]))?;
    assert!(octets(&statements) < 10_000);
    Ok(())
}

#[test]
fn a_refused_query_does_not_remove_a_statement() -> Result<(), StatementError> {
    let mut statements = StatementCache::new(Dialect::Pgsql);
    let of = |table: &str, value: &[u8]| {
        let mut query = Query::default();
        query.push_literal(format!("INSERT INTO {table} VALUES ('").as_bytes());
        query.push_quoted(value, Trust::Untrusted, "pgsql");
        query.push_literal(b"')");
        query
    };
    for _ in 0..3 {
        for table in ["a", "b"] {
            let refused = statements.statement(&of(table, b"\0")).cloned();
            assert_eq!(refused, Err(StatementError::Nul { parameter: 1 }));
            let query = of(table, b"x");
            assert_eq!(statements.statement(&query)?, &Statement::new(&query, Dialect::Pgsql)?);
            let mut outside = of("c", b"x");
            outside.push_quoted(b"x", Trust::Untrusted, "pgsql");
            let refused = statements.statement(&outside).cloned();
            assert_eq!(refused, Err(StatementError::NotInString { at: 3 }));
        }
    }
    assert!(statements.statement(&of("b", b"\0")).is_err());
    assert_eq!(format!("{statements:?}").matches("INSERT").count(), 2, "each once");
    Ok(())
}
