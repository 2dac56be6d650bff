//! The same rules in Exim and in the gateway, and the same commands: the replies are compared.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::block::Block;
use super::dialogue::Dialogue;
use super::gateway::Gateway;
use super::servers::{Peers, have, output_of, swaks, text};

/// The replies of an Exim with these lists of rules to a session, which it only plays (`-bh`): each without its
/// line ends, the first being the banner.
fn exim(block: &Block, lists: &str, session: &str) -> Vec<String> {
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("exim-rules-{}", block.first()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    let file = folder.join("conf");
    let shown = folder.display();
    let head = format!(
        "primary_hostname = gateway.test\nspool_directory = {shown}\nlog_file_path = {shown}/%slog\n\
         keep_environment =\ntls_advertise_hosts =\nhost_lookup =\ntimezone = UTC\nacl_smtp_helo = helo\n\
         acl_smtp_rcpt = rcpt\nacl_smtp_data = data\nhelo_accept_junk_hosts = *\nbegin acl\n"
    );
    fs::write(&file, head + lists).unwrap();
    let mut command = Command::new("/usr/sbin/exim4");
    command.arg("-C").arg(&file).args(["-bh", "127.0.0.1"]);
    let output = text(&output_of(&mut command, session.replace('\n', "\r\n").as_bytes()).stdout);
    let _ = fs::remove_dir_all(&folder);
    let mut replies: Vec<String> = vec![String::new()];
    for line in
        output.lines().filter(|line| line.as_bytes().first().is_some_and(u8::is_ascii_digit))
    {
        let last = replies.last_mut().unwrap();
        *last += line.get(4..).unwrap_or_default();
        if line.as_bytes().get(3) == Some(&b' ') {
            last.insert_str(0, line.get(..4).unwrap());
            replies.push(String::new());
        } else {
            last.push('\n');
        }
    }
    replies.pop();
    replies
}

/// The replies of the gateway to a session, until it closes the connection.
fn ours(block: &Block, rules: &str, session: &str) -> Vec<String> {
    let options = format!("helo_accept_junk_hosts = '*'\ndmarc_verify_hosts = ''\n{rules}");
    let gateway = Gateway::start(block.own(0), &options);
    let mut smtp = Dialogue::connect(gateway.port());
    let mut replies = vec![smtp.reply()];
    smtp.send(session.replace('\n', "\r\n").as_bytes());
    smtp.finish();
    loop {
        let reply = smtp.reply();
        if reply.is_empty() {
            return replies;
        }
        replies.push(reply);
    }
}

/// A reply by its code, with the text that a rule gave it, without the enhanced code of the gateway.
fn bare(reply: &str) -> String {
    let (code, words) = (reply.get(..3).unwrap_or_default(), reply.get(4..).unwrap_or_default());
    let enhanced = words.split_once(' ').filter(|(word, _)| {
        word.split('.').count() == 3 && word.bytes().all(|c| c.is_ascii_digit() || c == b'.')
    });
    let words = enhanced.map_or(words, |(_, rest)| rest);
    let is_own = words.starts_with('<') && words.contains('>');
    if is_own { format!("{code} {words}") } else { code.to_owned() }
}

/// Runs both, and compares replies from the first command on: codes, and texts that begin with `<`.
fn compare(exim_rules: &str, rules: &str, session: &str) -> Vec<String> {
    let block = Block::claim();
    let theirs: Vec<_> =
        exim(&block, exim_rules, session).iter().map(|reply| bare(reply)).collect();
    let ours: Vec<_> = ours(&block, rules, session).iter().map(|reply| bare(reply)).collect();
    assert_eq!(theirs, ours, "Exim, and the gateway");
    ours
}

const EXIM_RULES: &str = r"
helo:
  deny    condition = ${if eq{$sender_helo_name}{bad.test}}
          message = <no $sender_helo_name> $sender_fullhost
  drop    condition = ${if eq{$sender_helo_name}{worse.test}}
          message = <away> $sender_fullhost
  accept
rcpt:
  require message = <encrypted>
          !encrypted = *
  require message = <only local.test> $rcpt_count $rcpt_fail_count $rcpt_defer_count
          domains = local.test
          set acl_m_seen = yes
  defer   local_parts = later
          message = <later> $acl_m_seen $rcpt_count $rcpt_fail_count $rcpt_defer_count
  require condition = ${if eq{$local_part}{perhaps}{maybe}{yes}}
  warn    local_parts = slow
          delay = 1s
  drop    local_parts = trap
          message = <dropped> $rcpt_count $rcpt_fail_count $rcpt_defer_count
  accept
data:
  deny    message = <$message_body> <$recipients> $rcpt_count $rcpt_fail_count $rcpt_defer_count $recipients_count
";

const RULES: &str = r#"
[[acl_smtp_helo]]
verb = "deny"
condition = "${if eq{$sender_helo_name}{bad.test}}"
message = "<no $sender_helo_name> $sender_fullhost"
[[acl_smtp_helo]]
verb = "drop"
condition = "${if eq{$sender_helo_name}{worse.test}}"
message = "<away> $sender_fullhost"
[[acl_smtp_rcpt]]
verb = "require"
message = "<encrypted>"
"!encrypted" = "*"
[[acl_smtp_rcpt]]
verb = "require"
message = "<only local.test> $rcpt_count $rcpt_fail_count $rcpt_defer_count"
domains = "local.test"
set.acl_m_seen = "yes"
[[acl_smtp_rcpt]]
verb = "defer"
local_parts = "later"
message = "<later> $acl_m_seen $rcpt_count $rcpt_fail_count $rcpt_defer_count"
[[acl_smtp_rcpt]]
verb = "require"
condition = "${if eq{$local_part}{perhaps}{maybe}{yes}}"
[[acl_smtp_rcpt]]
verb = "warn"
local_parts = "slow"
delay = "1s"
[[acl_smtp_rcpt]]
verb = "drop"
local_parts = "trap"
message = "<dropped> $rcpt_count $rcpt_fail_count $rcpt_defer_count"
[[acl_smtp_data]]
verb = "deny"
message = "<$message_body> <$recipients> $rcpt_count $rcpt_fail_count $rcpt_defer_count $recipients_count"
"#;

#[test]
fn verbs_and_variables_are_those_of_exim() {
    if !have(&["exim4"]) {
        return;
    }
    let envelope = "EHLO good.test\nMAIL FROM:<a@sender.test>\nRCPT TO:<x@other.test>\nRCPT TO:<later@local.test>\n\
                    RCPT TO:<perhaps@local.test>\nRCPT TO:<\nRCPT TO:<slow@local.test>\nRCPT TO:<ann@local.test>\n";
    let found = compare(
        EXIM_RULES,
        RULES,
        &format!("EHLO bad.test\nHELO [127.0.0.1]\n{envelope}RCPT TO:<trap@local.test>\nNOOP\n"),
    );
    let expected = [
        "220",
        "550 <no bad.test> (bad.test) [127.0.0.1]",
        "250",
        "250",
        "250",
        "550 <only local.test> 1 0 0",
        "451 <later> yes 2 1 0",
        "451",
        "501",
        "250",
        "250",
        "550 <dropped> 7 2 2",
    ];
    assert_eq!(found, expected);
    let found = compare(EXIM_RULES, RULES, "HELO worse.test\nNOOP\n");
    assert_eq!(found, ["220", "550 <away> (worse.test) [127.0.0.1]"]);
    // Only data follows DATA without a wait.
    for (message, shown) in
        [("Subject: x\n\nline one\n\n..two\n.\n", "<line one  .two >"), ("Subject: x\n\n.\n", "<>")]
    {
        let block = Block::claim();
        let theirs = exim(&block, EXIM_RULES, &format!("{envelope}DATA\n{message}QUIT\n"));
        let gateway = Gateway::start(block.own(0), &format!("dmarc_verify_hosts = ''\n{RULES}"));
        let mut smtp = Dialogue::connect(gateway.port());
        smtp.reply();
        for line in envelope.lines() {
            smtp.say(line);
        }
        assert!(smtp.say("DATA").starts_with("354"));
        smtp.send(message.replace('\n', "\r\n").as_bytes());
        let reply = bare(&smtp.reply());
        let expected = format!("550 {shown} <slow@local.test, ann@local.test> 6 2 2 2");
        assert_eq!(reply, expected);
        assert_eq!(bare(&theirs[theirs.len() - 2]), expected, "{theirs:?}");
    }
}

const EXIM_FIELDS: &str = r"
helo:
  accept
rcpt:
  warn    add_header = :at_start:X-One: 1\n:after_received:X-Two: 2\nX-Three: 3\n:at_start_rfc:X-Four: 4
  warn    add_header = :at_start:X-Five: $sender_helo_name
          remove_header = X-Abc : subject : X-Nothing
  warn    add_header = :after_received:X-Six: 6
  accept
data:
  deny    message = <${sg{$message_headers_raw}{\n}{|}}>
";

/// Exim adds at the end, where the gateway does not.
const FIELDS: &str = r#"
[[acl_smtp_rcpt]]
verb = "warn"
add_header = ":at_start:X-One: 1\n:after_received:X-Two: 2\n:at_end:X-Three: 3\n:at_start_rfc:X-Four: 4"
[[acl_smtp_rcpt]]
verb = "warn"
add_header = ":at_start:X-Five: $sender_helo_name"
remove_header = "X-Abc : subject : X-Nothing"
[[acl_smtp_rcpt]]
verb = "warn"
add_header = ":after_received:X-Six: 6"
"#;

/// Exim has its fields behind each other in `$message_headers`; the gateway's are in the stored message.
#[test]
fn fields_are_added_and_removed_as_by_exim() {
    if !have(&["exim4"]) {
        return;
    }
    let names = |fields: &mut dyn Iterator<Item = &str>| -> Vec<String> {
        let fields = fields.filter(|line| !line.starts_with([' ', '\t']) && !line.is_empty());
        fields.map(|line| line.split(':').next().unwrap().to_owned()).collect()
    };
    for fields in [
        "Received: old\nReceived: older\nSubject: a\nX-Abc: 1\n 2\nTo: x\nX-Abcd: 3",
        "Subject: a\nTo: x",
        "Resent-To: y\nReceived: old\nTo: x\nSubject: z",
    ] {
        let block = Block::claim();
        let envelope = "EHLO good.test\nMAIL FROM:<a@sender.test>\nRCPT TO:<ann@local.test>\n";
        let theirs =
            exim(&block, EXIM_FIELDS, &format!("{envelope}DATA\n{fields}\n\nbody\n.\nQUIT\n"));
        let theirs = theirs.iter().find(|reply| reply.starts_with("550 <")).unwrap();
        let theirs =
            names(&mut theirs.trim_start_matches("550 <").trim_end_matches('>').split('|'));
        let mut gateway =
            Gateway::start(block.own(0), &format!("dmarc_verify_hosts = ''\n{FIELDS}"));
        let mut smtp = Dialogue::connect(gateway.port());
        smtp.reply();
        for line in envelope.lines().chain(["DATA"]) {
            smtp.say(line);
        }
        let reply = smtp.say(&format!("{}\r\n\r\nbody\r\n.", fields.replace('\n', "\r\n")));
        assert!(reply.starts_with("250 "), "{reply}");
        let message = gateway.message("body");
        let header = message.split("\r\n\r\n").next().unwrap();
        let ours = names(&mut header.lines().filter(|line| {
            !line.starts_with("Return-Path:") && !line.starts_with("Delivered-To:")
        }));
        assert_eq!(theirs, ours, "{fields:?}: Exim, and the gateway");
        assert!(header.contains("X-Five: good.test"), "{header}");
    }
}

#[test]
fn who_is_encrypted_is_so_for_both() {
    if !have(&["exim4", "swaks", "openssl"]) {
        return;
    }
    let block = Block::claim();
    let rule = "[[acl_smtp_mail]]\nverb = 'require'\nmessage = 'in clear'\nencrypted = '*'";
    let gateway = Gateway::start(block.own(0), rule);
    let peers = Peers::of(&block);
    let folder = peers.certificates();
    let file = folder.parent().unwrap().join(format!("rule-{}", block.first()));
    fs::write(&file, "require message = in clear\n  encrypted = *\naccept\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let options = format!("tls_advertise_hosts = *\nacl_smtp_mail = {}", file.display());
    let listeners = peers.start_with(&options, &["exim"]);
    let tcp = listeners.iter().find(|listener| listener.kind == "tcp").unwrap();
    for (address, recipient) in
        [(gateway.address(), "ann@local.test"), (tcp.address.clone(), "ann@next.test")]
    {
        let (taken, transcript) = swaks(&address, &["--to", recipient, "--tls"]);
        assert!(taken, "{transcript}");
        let (taken, transcript) = swaks(&address, &["--to", recipient]);
        assert!(!taken && transcript.contains("in clear"), "{transcript}");
    }
    let _ = fs::remove_file(file);
}
