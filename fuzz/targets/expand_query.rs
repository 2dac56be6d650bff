//! The text of a statement does not depend on untrusted values, the values arrive unchanged, and a statement whose text
//! was read before is the same.

#![no_main]

use event_expand::{Dialect, Parameter, Statement, StatementCache};
use libfuzzer_sys::fuzz_target;
use mail_types::exim::{Query, Trust};

fuzz_target!(|pieces: Vec<(&[u8], &[u8])>| {
    for (dialect, lookup) in [(Dialect::Pgsql, "pgsql"), (Dialect::Sqlite, "sqlite")] {
        let query = |with_values: bool| {
            let mut query = Query::default();
            for (literal, value) in &pieces {
                query.push_literal(literal);
                let value = if with_values { *value } else { b"" };
                query.push_quoted(value, Trust::Untrusted, lookup);
            }
            query.push_literal(b"'");
            query
        };
        let (given, empty) =
            (Statement::new(&query(true), dialect), Statement::new(&query(false), dialect));
        let mut statements = StatementCache::new(dialect);
        for (with_values, fresh) in [(false, &empty), (true, &given), (false, &empty)] {
            assert_eq!(statements.statement(&query(with_values)).cloned(), *fresh);
        }
        let Ok(given) = given else { continue };
        // A value may end a character that the text before it begins.
        let Ok(empty) = empty else { continue };
        assert_eq!(given.sql, empty.sql);
        let bound: Vec<&[u8]> = given
            .parameters
            .iter()
            .map(|parameter| match parameter {
                Parameter::Text(text) => text.as_bytes(),
                Parameter::Blob(bytes) => bytes,
            })
            .collect();
        let mut rest = bound.concat();
        for (_, value) in &pieces {
            if value.is_empty() {
                continue;
            }
            let at = rest.windows(value.len()).position(|window| window == *value);
            rest.drain(..at.expect("each value is bound") + value.len());
        }
    }
});
