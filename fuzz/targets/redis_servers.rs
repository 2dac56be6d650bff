//! A list of servers is parsed, or refused with a position in one of its items; no text shows a password.

#![no_main]

use libfuzzer_sys::fuzz_target;
use redis_lookup::Servers;

fuzz_target!(|text: &str| {
    match Servers::parse(text) {
        Ok(servers) => {
            let shown = format!("{servers} {servers:?}");
            for server in servers.as_slice() {
                let bare = format!("{server}");
                assert!(!server.addresses().is_empty());
                let password = server.password.as_ref().map_or("", |password| password.expose());
                // A short password can be a part of another text.
                let elsewhere = text.matches(password).count() > 1;
                if password.len() > 8 && !elsewhere {
                    assert!(!shown.contains(password), "{bare}");
                }
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
