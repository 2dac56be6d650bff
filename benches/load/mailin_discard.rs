//! An independent server for the load comparison: `mailin-embedded`, which accepts every message and
//! discards it.

use std::env;
use std::error::Error;

use mailin_embedded::{Handler, Server, SslConfig};

#[derive(Clone)]
struct Discard;

impl Handler for Discard {}

fn main() -> Result<(), Box<dyn Error>> {
    let address = env::args().nth(1).ok_or("usage: mailin_discard ADDRESS:PORT")?;
    let mut server = Server::new(Discard);
    let failed = |error: mailin_embedded::err::Error| error.to_string();
    server.with_name("mailin.test").with_num_threads(128);
    server.with_ssl(SslConfig::None).map_err(failed)?.with_addr(&address).map_err(failed)?;
    server.serve().map_err(failed)?;
    Ok(())
}
