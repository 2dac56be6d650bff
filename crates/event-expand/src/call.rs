//! What the program does for a template, besides lookups.

use crate::Capability;

/// Something that a template asks of the program, other than a lookup. Its arguments are those of
/// the template, expanded.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum HostCall {
    /// `${acl{name}{argument}…}` and the condition `acl`: run a list of rules. [`LookupResult::Value`] has
    /// its message, and for the condition means that it accepts; [`LookupResult::Nothing`] that it denies.
    ///
    /// [`LookupResult::Value`]: mail_types::exim::LookupResult::Value
    /// [`LookupResult::Nothing`]: mail_types::exim::LookupResult::Nothing
    Acl,
    /// `${authresults{host}}`: the header field `Authentication-Results`, with its name.
    AuthResults,
    /// `${certextract{field}{$variable}}`: a field of a certificate; the variable's name is the
    /// second argument.
    CertExtract,
    /// `crypteq`: whether a password is the encrypted one.
    CryptEq,
    /// `${dlfunc{file}{function}{argument}…}`.
    DlFunc,
    /// `${env{name}}`.
    Env,
    /// `exists`: whether there is such a file.
    Exists,
    /// `inbound_srs`: whether a local part is a rewritten sender, signed with the second argument.
    InboundSrs,
    /// `ldapauth`.
    LdapAuth,
    /// `pam`.
    Pam,
    /// `${perl{subroutine}{argument}…}`.
    Perl,
    /// `${prvs{address}{secret}{key number}}`: the address, signed.
    Prvs,
    /// `${prvscheck{address}{secret}…}`: the address without its signature if it is sound, else
    /// [`LookupResult::Nothing`](mail_types::exim::LookupResult::Nothing).
    PrvsCheck,
    /// `pwcheck`.
    PwCheck,
    /// `radius`.
    Radius,
    /// `${randint:limit}`: a random number from 0, less than the argument.
    RandInt,
    /// `${readfile{name}{line end}}`: what is in a file.
    ReadFile,
    /// `${readsocket{socket}{request}{options}{line end}}`: what a socket answers.
    ReadSocket,
    /// `${run{command}}`: what a command writes, if it succeeds. There is one argument for each word
    /// of the template's text: no value makes two.
    Run,
    /// `saslauthd`.
    SaslAuthd,
    /// `${srs_encode{secret}{return path}{domain}}`: the sender, rewritten.
    SrsEncode,
    /// `${stat:name}`: what the file system says of a file.
    Stat,
}

impl HostCall {
    /// What must be on for it; nothing for what a program answers from what it knows anyway.
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

    /// The word that a template has for it.
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
