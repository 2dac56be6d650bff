//! The features of Exim that this server does not have, by the names that configurations use.

/// Conditions and modifiers.
pub(crate) const STEPS: &[&str] = &[
    "atrn_domains",
    "bmi_optin",
    "continue",
    "dcc",
    "decode",
    "demime",
    "dkim_signers",
    "dkim_status",
    "dnslists",
    "endpass",
    "log_reject_target",
    "malware",
    "mime_regex",
    "queue",
    "regex",
    "seen",
    "spam",
    "udpsend",
    "verify",
];

/// The verb.
pub(crate) const VERB: &str = "discard";

/// Options and tables, and the feature that they are for.
pub(crate) const OPTIONS: &[(&str, &str)] = &[
    ("acl_not_smtp", "there is no local submission"),
    ("acl_not_smtp_mime", "there is no local submission"),
    ("acl_not_smtp_start", "there is no local submission"),
    ("acl_smtp_auth", NO_AUTH),
    ("acl_smtp_dkim", "rules see the result of DKIM by dmarc_status"),
    ("acl_smtp_etrn", "there is no ETRN"),
    ("acl_smtp_expn", "EXPN is always refused"),
    ("acl_smtp_mailauth", NO_AUTH),
    ("acl_smtp_mime", "no MIME parts are read"),
    ("acl_smtp_notquit", NO_PLACE),
    ("acl_smtp_predata", NO_PLACE),
    ("acl_smtp_quit", NO_PLACE),
    ("acl_smtp_starttls", NO_PLACE),
    ("acl_smtp_vrfy", "VRFY always has the same reply"),
    ("auth_advertise_hosts", NO_AUTH),
    ("authenticators", NO_AUTH),
    ("dsn_advertise_hosts", NO_DSN),
    ("dsn_from", NO_DSN),
    ("hosts_require_auth", NO_AUTH),
    ("hosts_try_auth", NO_AUTH),
    ("lmtp_ignore_quota", NO_LMTP),
    ("protocol", NO_LMTP),
    ("server_advertise_condition", NO_AUTH),
];

const NO_AUTH: &str = "there is no AUTH";
const NO_DSN: &str = "there is no DSN";
const NO_LMTP: &str = "there is no LMTP, only SMTP";
const NO_PLACE: &str = "there are no rules at this place";
