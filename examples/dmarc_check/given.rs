//! The results of SPF and DKIM in a case, checked by the parser.

use std::str::FromStr;

use dmarc_policy::DkimInput;
use examples::cases::typed_name::host;
use mail_types::dns::Name;
use mail_types::results::{AuthResult, SpfIdentity, SpfInput};
use serde::{Deserialize, Serialize};

/// What SPF has found.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "SpfText", into = "SpfText")]
pub(crate) struct Spf(pub(crate) SpfInput);

/// The result of a signature.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "SignatureText", into = "SignatureText")]
pub(crate) struct Signature(pub(crate) DkimInput);

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct SpfText {
    result: String,
    domain: String,
    identity: Identity,
}

/// Whose name was tested.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Identity {
    Mfrom,
    Helo,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct SignatureText {
    result: String,
    domain: String,
    #[serde(default)]
    selector: String,
}

impl TryFrom<SpfText> for Spf {
    type Error = String;

    fn try_from(text: SpfText) -> Result<Self, String> {
        let identity = match text.identity {
            Identity::Mfrom => SpfIdentity::MailFrom,
            Identity::Helo => SpfIdentity::Helo,
        };
        let (result, domain) = (result(&text.result)?, domain(&text.domain)?);
        Ok(Self(SpfInput { result, identity, domain }))
    }
}

impl From<Spf> for SpfText {
    fn from(Spf(input): Spf) -> Self {
        let identity = match input.identity {
            SpfIdentity::MailFrom => Identity::Mfrom,
            SpfIdentity::Helo => Identity::Helo,
        };
        let (result, domain) = (input.result.to_string(), input.domain.to_string());
        Self { result, domain, identity }
    }
}

impl FromStr for Spf {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(':');
        let mut next = || parts.next().unwrap_or_default().to_owned();
        let (result, domain) = (next(), next());
        let identity = match next().as_str() {
            "" | "mfrom" => Identity::Mfrom,
            "helo" => Identity::Helo,
            other => return Err(format!("{other} is neither mfrom nor helo")),
        };
        let form = |error| format!("{error}; expected RESULT:DOMAIN, as pass:example.com");
        SpfText { result, domain, identity }.try_into().map_err(form)
    }
}

impl TryFrom<SignatureText> for Signature {
    type Error = String;

    fn try_from(text: SignatureText) -> Result<Self, String> {
        let (result, domain) = (result(&text.result)?, domain(&text.domain)?);
        Ok(Self(DkimInput { result, domain, selector: text.selector }))
    }
}

impl From<Signature> for SignatureText {
    fn from(Signature(DkimInput { result, domain, selector }): Signature) -> Self {
        Self { result: result.to_string(), domain: domain.to_string(), selector }
    }
}

impl FromStr for Signature {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, ':');
        let mut next = || parts.next().unwrap_or_default().to_owned();
        let (result, domain, selector) = (next(), next(), next());
        let form = |error| {
            format!("{error}; expected RESULT:DOMAIN:SELECTOR, as pass:example.com:selector")
        };
        SignatureText { result, domain, selector }.try_into().map_err(form)
    }
}

fn result(text: &str) -> Result<AuthResult, String> {
    text.parse().map_err(|error| format!("{text}: {error}"))
}

fn domain(text: &str) -> Result<Name, String> {
    host(text).map_err(|error| if text.is_empty() { error } else { format!("{text}: {error}") })
}
