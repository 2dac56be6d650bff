//! Makes TLSA records, compares them with what a mail server sends, and plans the replacement of keys.

mod case;
mod check;
mod key_file;
mod make;
mod next_hop;
mod policy;
mod rollover;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use examples::cases::shown;

fn main() -> ExitCode {
    let done = match Arguments::parse().action {
        Action::Make(make) => make.run().map(|()| true),
        Action::Check(check) => check.run(),
        Action::Rollover(rollover) => rollover.run().map(|()| true),
        Action::Policy(policy) => policy.run(),
    };
    shown::exit_strict("tlsa", done)
}

/// Makes TLSA records, compares them with what a mail server sends, and plans the replacement of keys.
///
/// TLSA records tell mail servers that send to yours which certificate or key it has (DANE, RFC 7672). They
/// count only in a zone that is signed with DNSSEC.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Makes the record of a certificate or a key
    ///
    /// By default it is 3 1 1: the server's own key, by its SHA-256 digest. It stays the same as long as the
    /// key does, whatever becomes of the certificate.
    Make(make::Wanted),
    /// Compares records with the certificates that a server sends
    ///
    /// Without arguments each line of standard input is a case, as a JSON object with `tlsa` (records as
    /// "3 1 1 ab..."), `chain` (certificates in base64 of DER, the server's own first), `names` (the names of
    /// the server) and `time` (RFC 3339; without one, it is now).
    Check(check::Wanted),
    /// Tells when to publish which records while a key is replaced
    ///
    /// The next key's records are published for twice their time to live before it is used, and the old key's
    /// are withdrawn behind that (RFC 7671 section 8).
    Rollover(rollover::Wanted),
    /// Tells how mail to a next hop is secured, and why
    ///
    /// Without an argument each line of standard input is a case, as a JSON object with `next_hop`, `kind` (domain,
    /// relay or literal), `port`, `mode` (try or require) and, if it is to be replayed, `dns`. The action
    /// of a host is dane, encrypt, opportunistic, mta-sts, encrypt+mta-sts, unreachable-host or defer-host; that
    /// of a message without a host is defer-message or bounce.
    Policy(policy::Wanted),
}
