//! What a responder is asked first.

use ocsp_staple::{Certificate, Fetch, Issuer, IssuerHash, Request, Schedule};

use crate::data::file;
use crate::vector_time::now;

pub(crate) fn asked(responder: &str) -> (Fetch, Request) {
    let (leaf, issuer) = (file("certificates/leaf.der"), file("certificates/ca.der"));
    let leaf = Certificate::parse(&leaf).unwrap();
    let issuer = Issuer::from(&Certificate::parse(&issuer).unwrap());
    let mut schedule = Schedule::new(&leaf, now()).with_responders([responder.into()]);
    let request = Request::new(&leaf, &issuer, IssuerHash::Sha1);
    (schedule.poll_fetch(now()).unwrap(), request)
}
