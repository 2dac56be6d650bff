//! The content of a response.

use std::path::PathBuf;

use data_encoding::HEXLOWER;
use examples::cases::certificates::written;
use examples::cases::shown::Done;
use ocsp_staple::{Certificate, Limits, Response};

use crate::files;

/// Shows responses, one after the other.
pub(crate) fn all(paths: &[PathBuf]) -> Done {
    for path in paths {
        let der = files::response(&path.to_string_lossy())?;
        println!("{}: {} octets", path.display(), der.len());
        match Response::parse(&der, &Limits::default()) {
            Err(error) => println!("  malformed    {error}"),
            Ok(Response::Failed(error)) => println!("  error        {error}"),
            Ok(Response::Successful(response)) => {
                println!("  signer       {}", response.responder());
                println!("  produced at  {}", written(response.produced_at()));
                for answer in response.responses() {
                    println!("  certificate  {}", HEXLOWER.encode(answer.serial_number()));
                    println!("    status       {}", answer.status());
                    println!("    this update  {}", written(answer.this_update()));
                    let next = answer.next_update().map(written);
                    println!("    next update  {}", next.as_deref().unwrap_or("not there"));
                }
                for certificate in response.certificates() {
                    match Certificate::parse(certificate) {
                        Ok(signer) => {
                            let until = written(signer.not_after());
                            println!("  has          \"{}\", until {until}", signer.subject());
                        }
                        Err(error) => println!("  has          malformed certificate: {error}"),
                    }
                }
            }
        }
    }
    Ok(())
}
