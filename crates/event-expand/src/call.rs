//! Requests of a template to the program, other than lookups.

use crate::Capability;

/// A request of a template to the program, other than a lookup. Its arguments are those of the
/// template, expanded.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum HostCall {
    /// `${acl{name}{argument}…}` and the condition `acl`: run a list of rules. Answer it with an
    /// [`AclVerdict`](crate::AclVerdict). A [`LookupResult::Value`] accepts with a message, and
    /// [`LookupResult::Nothing`] denies without one.
    ///
    /// [`LookupResult::Value`]: mail_types::exim::LookupResult::Value
    /// [`LookupResult::Nothing`]: mail_types::exim::LookupResult::Nothing
    Acl,
    /// `${authresults{host}}`: the header field `Authentication-Results`, with its name.
    AuthResults,
    /// `${certextract{field}{$variable}}`: a field of a certificate; the variable's name is the
    /// second argument, and [`Variables::certificate`](crate::Variables::certificate) its certificate.
    CertExtract,
    /// `crypteq`: test whether a password matches an encrypted one.
    CryptEq,
    /// `${dlfunc{file}{function}{argument}…}`.
    DlFunc,
    /// `${env{name}}`.
    Env,
    /// `exists`: test whether a file exists.
    Exists,
    /// `inbound_srs`: test whether a local part is a rewritten sender, signed with the second
    /// argument.
    InboundSrs,
    /// `ldapauth`.
    LdapAuth,
    /// `pam`.
    Pam,
    /// `${perl{subroutine}{argument}…}`.
    Perl,
    /// `${prvs{address}{secret}{key number}}`: the address, signed.
    Prvs,
    /// `${prvscheck{address}{secret}…}`: the address without its signature if it is valid, else
    /// [`LookupResult::Nothing`](mail_types::exim::LookupResult::Nothing).
    PrvsCheck,
    /// `pwcheck`.
    PwCheck,
    /// `radius`.
    Radius,
    /// `${randint:limit}`: a random number, at least 0 and less than the argument, which is a decimal number; 0
    /// for a limit of 0.
    RandInt,
    /// `${readfile{name}{line end}}`: the content of a file.
    ReadFile,
    /// `${readsocket{socket}{request}{options}{line end}}`: the response of a socket.
    ReadSocket,
    /// `${run{command}}`: the output of a successful command. Each word of the template's text is
    /// one argument: no value becomes two.
    Run,
    /// `saslauthd`.
    SaslAuthd,
    /// `${srs_encode{secret}{return path}{domain}}`: the sender, rewritten.
    SrsEncode,
    /// `${stat:name}`: the status of a file.
    Stat,
}

impl HostCall {
    /// The capability that it needs; none if a program can answer from its own data.
    ///
    /// ```
    /// use event_expand::{Capability, HostCall};
    ///
    /// assert_eq!(HostCall::ReadFile.capability(), Some(Capability::Files));
    /// assert_eq!(HostCall::CertExtract.capability(), None);
    /// ```
    #[must_use]
    pub const fn capability(self) -> Option<Capability> {
        Some(match self {
            Self::Acl | Self::AuthResults | Self::CertExtract => return None,
            Self::CryptEq
            | Self::LdapAuth
            | Self::Pam
            | Self::PwCheck
            | Self::Radius
            | Self::SaslAuthd => Capability::Authentication,
            Self::DlFunc | Self::Perl => Capability::Code,
            Self::Env => Capability::Environment,
            Self::Exists | Self::ReadFile | Self::Stat => Capability::Files,
            Self::InboundSrs | Self::Prvs | Self::PrvsCheck | Self::SrsEncode => Capability::Clock,
            Self::RandInt => Capability::Random,
            Self::ReadSocket => Capability::Sockets,
            Self::Run => Capability::Commands,
        })
    }

    /// The word of the template language.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Acl => "acl",
            Self::AuthResults => "authresults",
            Self::CertExtract => "certextract",
            Self::CryptEq => "crypteq",
            Self::DlFunc => "dlfunc",
            Self::Env => "env",
            Self::Exists => "exists",
            Self::InboundSrs => "inbound_srs",
            Self::LdapAuth => "ldapauth",
            Self::Pam => "pam",
            Self::Perl => "perl",
            Self::Prvs => "prvs",
            Self::PrvsCheck => "prvscheck",
            Self::PwCheck => "pwcheck",
            Self::Radius => "radius",
            Self::RandInt => "randint",
            Self::ReadFile => "readfile",
            Self::ReadSocket => "readsocket",
            Self::Run => "run",
            Self::SaslAuthd => "saslauthd",
            Self::SrsEncode => "srs_encode",
            Self::Stat => "stat",
        }
    }
}
