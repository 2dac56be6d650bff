//! Exim's own variables, with the values that `exim -be` gives them: of a process without a message.
//!
//! An installation of Exim has more, which are empty here: `compile_date`, `compile_number`, `config_dir`,
//! `config_file`, `exim_gid`, `exim_path`, `exim_uid`, `log_inodes`, `log_space`, `spool_directory`, `spool_inodes`
//! and `spool_space`. Times are in UTC.

use std::time::SystemTime;
use std::{env, fs, process};

use mail_types::exim::{Trust, Value, Variable};
use rustix::process::{getgid, getuid};
use rustix::system::uname;

use crate::clock;

/// Exim's variables, for one string.
#[derive(Debug)]
pub(crate) struct EximVariables {
    host: String,
    /// The name of the user, if it has one.
    login: Option<String>,
    now: SystemTime,
}

impl EximVariables {
    /// Those of this process.
    pub(crate) fn of_process() -> Self {
        let host = uname().nodename().to_string_lossy().into_owned();
        Self { host, login: login(getuid().as_raw()), now: SystemTime::now() }
    }

    /// Sets the clock.
    pub(crate) fn at(&mut self, now: SystemTime) {
        self.now = now;
    }

    /// Returns the variable of a name.
    pub(crate) fn variable(&self, name: &str) -> Variable<'static> {
        if let Some((_, value)) = FIXED.iter().find(|(known, _)| *known == name) {
            return Value::trusted(value).into();
        }
        match self.computed(name) {
            Some(value) => Value::new(value.into_bytes(), Trust::Trusted).into(),
            None if is_empty(name) || is_numbered(name) => Variable::Unset,
            None => Variable::Unknown,
        }
    }

    /// Returns what depends on the process.
    fn computed(&self, name: &str) -> Option<String> {
        Some(match name {
            "primary_hostname"
            | "qualify_domain"
            | "qualify_recipient"
            | "smtp_active_hostname"
            | "sender_address_domain" => self.host.clone(),
            "sender_address" | "authenticated_sender" => {
                format!("{}@{}", self.login.as_ref()?, self.host)
            }
            "sender_address_local_part" | "authenticated_id" | "sender_ident" => {
                self.login.clone()?
            }
            "caller_uid" | "originator_uid" => getuid().as_raw().to_string(),
            "caller_gid" | "originator_gid" => getgid().as_raw().to_string(),
            "initial_cwd" => env::current_dir().ok()?.to_string_lossy().into_owned(),
            "load_average" => load_average()?,
            "pid" => process::id().to_string(),
            _ => return clock::value(name, self.now),
        })
    }
}

fn is_empty(name: &str) -> bool {
    EMPTY.split_ascii_whitespace().any(|known| known == name)
}

/// Variables of rules, routers, authenticators and expressions, of which each name is known.
fn is_numbered(name: &str) -> bool {
    let starts = |prefixes: &[&str]| prefixes.iter().find_map(|prefix| name.strip_prefix(prefix));
    let is_digit = |rest: &str| matches!(rest.as_bytes(), [b'1'..=b'9']);
    match (starts(&["acl_c", "acl_m"]), starts(&["auth", "acl_arg", "regex"])) {
        (Some(rest), _) => !rest.starts_with(|c: char| c.is_ascii_alphabetic()),
        (None, Some(number)) => is_digit(number),
        (None, None) => name.starts_with("r_"),
    }
}

/// The name of a user.
fn login(uid: u32) -> Option<String> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

/// The load of the last minute, in thousandths.
fn load_average() -> Option<String> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    let (whole, hundredths) = text.split(' ').next()?.split_once('.')?;
    let load = format!("{whole}{hundredths}0").parse::<u64>().ok()?;
    Some(load.to_string())
}

/// Those whose value is always the same.
const FIXED: &[(&str, &str)] = &[
    ("acl_narg", "0"),
    ("authentication_failed", "0"),
    ("av_failed", "0"),
    ("body_linecount", "0"),
    ("body_zerocount", "0"),
    ("bounce_return_size_limit", "102400"),
    ("dkim_bodylength", "9999999999999"),
    ("dkim_created", "0"),
    ("dkim_expires", "9999999999999"),
    ("dkim_key_granularity", "*"),
    ("dkim_key_length", "0"),
    ("dkim_key_nosubdomains", "0"),
    ("dkim_key_srvtype", "*"),
    ("dkim_key_testing", "0"),
    ("event_defer_errno", "0"),
    ("exim_version", "4.96"),
    ("host_lookup_deferred", "0"),
    ("host_lookup_failed", "0"),
    ("host_port", "0"),
    ("inode", "0"),
    ("interface_port", "-1"),
    ("local_user_gid", "4294967295"),
    ("local_user_uid", "4294967295"),
    ("localhost_number", "0"),
    ("max_received_linelength", "0"),
    ("message_age", "0"),
    ("message_body_size", "0"),
    ("message_linecount", "0"),
    ("message_size", "0"),
    ("message_smtputf8", "no"),
    ("mime_anomaly_level", "0"),
    ("mime_content_size", "0"),
    ("mime_is_coverletter", "0"),
    ("mime_is_multipart", "0"),
    ("mime_is_rfc822", "0"),
    ("mime_part_count", "-1"),
    ("prdr_requested", "no"),
    ("proxy_external_port", "0"),
    ("proxy_local_port", "0"),
    ("proxy_session", "no"),
    ("rcpt_count", "0"),
    ("rcpt_defer_count", "0"),
    ("rcpt_fail_count", "0"),
    ("received_count", "0"),
    ("received_port", "-1"),
    ("received_time", "0"),
    ("recipients_count", "0"),
    ("return_size_limit", "102400"),
    ("runrc", "0"),
    ("sender_helo_dnssec", "no"),
    ("sender_host_dnssec", "no"),
    ("sender_host_port", "0"),
    ("sending_port", "-1"),
    ("smtp_count_at_connection_start", "0"),
    ("spf_guess", "v=spf1 a/24 mx/24 ptr ?all"),
    ("spf_result_guessed", "no"),
    ("tls_bits", "0"),
    ("tls_certificate_verified", "0"),
    ("tls_in_bits", "0"),
    ("tls_in_certificate_verified", "0"),
    ("tls_in_ocsp", "0"),
    ("tls_in_resumption", "0"),
    ("tls_out_bits", "0"),
    ("tls_out_certificate_verified", "0"),
    ("tls_out_dane", "no"),
    ("tls_out_ocsp", "0"),
    ("tls_out_resumption", "0"),
    ("tls_out_tlsa_usage", "0"),
    ("version_number", "4.96"),
];

/// Those without a value.
const EMPTY: &str = "\
    acl_verify_message address_data address_file address_pipe authenticated_fail_id authenticated_id \
    authenticated_sender bounce_recipient callout_address compile_date compile_number config_dir config_file \
    csa_status dkim_algo dkim_canon_body dkim_canon_headers dkim_copiedheaders dkim_cur_signer dkim_domain \
    dkim_headernames dkim_identity dkim_key_notes dkim_selector dkim_signers dkim_verify_reason \
    dkim_verify_status dmarc_domain_policy dmarc_status dmarc_status_text dmarc_used_domain dnslist_domain \
    dnslist_matched dnslist_text dnslist_value domain domain_data event_data event_name exim_gid exim_path \
    exim_uid headers_added home host host_address host_data initial_cwd interface_address ldap_dn \
    load_average local_part local_part_data local_part_prefix local_part_prefix_v local_part_suffix \
    local_part_suffix_v local_scan_data log_inodes log_space lookup_dnssec_authenticated mailstore_basename \
    malware_name message_body message_body_end message_exim_id message_headers message_headers_raw message_id \
    mime_anomaly_text mime_boundary mime_charset mime_content_description mime_content_disposition \
    mime_content_id mime_content_transfer_encoding mime_content_type mime_decoded_filename mime_filename \
    original_domain original_local_part parent_domain parent_local_part proxy_external_address \
    proxy_local_address prvscheck_address prvscheck_keynum prvscheck_result queue_name queue_size \
    received_for received_ip_address received_protocol recipient_data recipient_verify_failure recipients \
    regex_match_string reply_address return_path router_name self_hostname sender_address sender_address_data \
    sender_address_local_part sender_data sender_fullhost sender_helo_name sender_host_address \
    sender_host_authenticated sender_host_name sender_ident sender_rate sender_rate_limit sender_rate_period \
    sender_rcvhost sender_verify_failure sending_ip_address smtp_command smtp_command_argument \
    smtp_command_history smtp_notquit_reason spam_action spam_bar spam_report spam_score spam_score_int \
    spf_header_comment spf_received spf_result spf_smtp_comment spool_directory spool_inodes spool_space \
    srs_recipient thisaddress tls_cipher tls_in_cipher tls_in_cipher_std tls_in_ourcert tls_in_peercert \
    tls_in_peerdn tls_in_sni tls_in_ver tls_out_cipher tls_out_cipher_std tls_out_ourcert tls_out_peercert \
    tls_out_peerdn tls_out_sni tls_out_ver tls_peerdn tls_sni transport_name verify_mode warn_message_delay \
    warn_message_recipient warn_message_recipients warnmsg_delay warnmsg_recipient warnmsg_recipients";
