//! Makes checks of senders that are text.

use std::net::IpAddr;

use mail_types::smtp::Helo;
use spf_result::Check;

/// A check of a sender as text; its HELO name lives as long as the tests do.
pub(crate) fn sender<'a>(client: impl Into<IpAddr>, name: &str, sender: &'a str) -> Check<'a> {
    Check::from_text(client.into(), helo(name), sender).unwrap()
}

pub(crate) fn helo(name: &str) -> &'static Helo {
    Box::leak(Box::new(Helo::new(name)))
}
