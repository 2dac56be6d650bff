//! The options of TLS.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mail_types::exim::{List, Trust};

use super::{ConfigError, ConfigOptions};
use crate::gateway::delivery::settings::VerifyCertificates;
use crate::gateway::lookups::language::Language;
use crate::gateway::policy::rules::Problem;
use crate::gateway::policy::stage::Stage;
use crate::gateway::server::settings::{FileList, TlsSettings};

/// Reads and checks them.
pub(super) fn settings(
    options: &ConfigOptions,
    language: &Arc<Language>,
) -> Result<TlsSettings, ConfigError> {
    let read = |option, text: &Option<String>| {
        text.as_ref().map(|text| files(option, text, language)).transpose()
    };
    let settings = TlsSettings {
        certificate: read("tls_certificate", &options.tls_certificate)?,
        privatekey: read("tls_privatekey", &options.tls_privatekey)?,
        ocsp_file: read("tls_ocsp_file", &options.tls_ocsp_file)?,
        ocsp_fetch: options.tls_ocsp_fetch,
        ocsp_proxy: options.tls_ocsp_proxy.clone(),
        ocsp_verify_certificates: options.tls_ocsp_verify_certificates.clone(),
        verify_certificates: VerifyCertificates::read(&options.tls_verify_certificates),
        crl: options.tls_crl.clone(),
    };
    let TlsSettings { certificate, privatekey, ocsp_file, .. } = &settings;
    let certificates = certificate.as_ref().and_then(|list| list.known());
    for (option, list) in [("tls_privatekey", privatekey), ("tls_ocsp_file", ocsp_file)] {
        let list = list.as_ref().and_then(|list| list.known());
        if let (Some(list), Some(certificates)) = (list, certificates)
            && list.len() != certificates.len()
        {
            let (found, certificates) = (list.len(), certificates.len());
            return Err(ConfigError::FileCount { option, found, certificates });
        }
    }
    Ok(settings)
}

fn files(
    option: &'static str,
    text: &str,
    language: &Arc<Language>,
) -> Result<FileList, ConfigError> {
    FileList::read(text, Stage::Tls, language, paths)
        .map_err(|problem| ConfigError::List { option, problem })
}

/// Reads a list of paths. What a client says, or the DNS of it, leads out of no folder.
fn paths(list: List<'_>, trust: Trust) -> Result<Vec<PathBuf>, Problem> {
    let mut paths = Vec::new();
    for (at, item) in list.enumerate() {
        // Exim has the format of a proof before its name; here the content of the file tells it.
        let item =
            ["DER ", "PEM "].iter().find_map(|form| item.strip_prefix(form)).unwrap_or(&item);
        let path = Path::new(item);
        let leads_up = path.iter().any(|part| part == OsStr::new(".."));
        if trust == Trust::Untrusted && leads_up {
            return Err(Problem::ParentFolder { item: at + 1 });
        }
        paths.push(path.to_owned());
    }
    Ok(paths)
}
