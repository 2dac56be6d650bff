//! A list of servers is parsed, or refused with a position in one of its items; no text shows a password.

#![no_main]

use libfuzzer_sys::fuzz_target;
use redis_lookup::{Secret, ServerKind, Servers};

fuzz_target!(|text: &str| {
    match Servers::parse(text) {
        Ok(servers) => {
            for server in servers.as_slice() {
                assert!(!server.addresses().is_empty());
                let mut other = server.clone();
                if let Some(password) = &mut other.password {
                    *password = Secret::new("another");
                }
                if let ServerKind::Sentinel(group) = &mut other.kind
                    && let Some(password) = &mut group.password
                {
                    *password = Secret::new("another");
                }
                assert_eq!(format!("{server} {server:?}"), format!("{other} {other:?}"));
            }
            let again = servers.pick(text).is_ok();
            assert!(again || servers.is_empty());
        }
        Err(error) => {
            let item = mail_types::exim::List::new(text)
                .nth(error.item - 1)
                .expect("there is such an item");
            assert!(error.at <= item.len(), "{error}");
        }
    }
});
