# shellcheck shell=bash disable=SC2034,SC2154 # Shared with scripts/bench.
# Mail with checks and over TLS: the gateway, Exim and Postfix by the same client, with the same work.

# The domain of the sender, in the signed zones.
checked_domain=load.secure.test

# tls: STARTTLS. checked: SPF, DKIM, and a lookup for each recipient; the gateway does DMARC too, which Exim
# has not on Debian. both: all of it. Postfix has none of these checks, and is there with tls only.
checks() {
    local work name count
    trap end_checks EXIT
    sign_message
    names=$(PEERS_ZONE=$out/checked.zone PEERS_TTL=300 scripts/peers start dnssec | awk '$1 == "unbound" { print $3 }')
    recipient=load@local.test
    echo "# server-work sessions, of each run its messages/s and microseconds of processor time a message"
    start_checked gateway tls
    generate 1 40 || true
    idle_one gateway-tls 5000
    end_server
    for name in {gateway,exim}-{tls,checked,both} postfix-tls; do
        work=${name#*-}
        start_checked "${name%-*}" "$work"
        for count in 10 100; do
            load_one "$count" "$name $count"
        done
        end_server
    done
    end_checks
}

end_checks() {
    end_server
    scripts/peers stop
    client='' message=$octets envelope=load@sender.test
}

# start_checked NAME WORK
start_checked() {
    local keys
    keys=$(scripts/peers certificates)
    client='' message=$octets envelope=load@sender.test
    case $2 in tls | both) client=tls ;; *) client=clear ;; esac
    case $2 in checked | both) message=$out/checked.eml envelope=load@$checked_domain ;; esac
    server=$1
    case $1-$2 in
        gateway-tls) start_gateway $((port + 60)) maildir "$many_clients" ;;
        gateway-*) start_gateway $((port + 60)) maildir "$many_clients
$(checked_rules)" ;;
        exim-tls) start_exim_checked exim-queue "$keys" ;;
        exim-*) start_exim_checked exim-checked "$keys" ;;
        postfix-tls) start_postfix_tls "$keys" ;;
    esac
}

many_clients='smtp_accept_max = 6000
smtp_receive_timeout = "10m"'

checked_rules() {
    cat <<TEXT
dns_resolver = "$names"
dmarc_verify_hosts = "*"
[[acl_smtp_mail]]
verb = "deny"
spf = "fail"
[[acl_smtp_rcpt]]
verb = "deny"
condition = "\${lookup sqlite{SELECT 1 FROM sqlite_schema WHERE name='\${quote_sqlite:\$sender_address_domain}'}{yes}{no}}"
TEXT
}

# start_exim_checked PEER CERTIFICATES
start_exim_checked() {
    export PEERS_EXIM_TLS="tls_advertise_hosts = *
tls_certificate = $2/server.pem
tls_privatekey = $2/server.key"
    start_peer "$1"
    unset PEERS_EXIM_TLS
}

# start_postfix_tls CERTIFICATES
start_postfix_tls() {
    export PEERS_POSTFIX_TLS="smtpd_tls_security_level = may
smtpd_tls_cert_file = $1/server.pem
smtpd_tls_key_file = $1/server.key"
    start_peer postfix
    unset PEERS_POSTFIX_TLS
}

# A message with a signature, and the records of its domain.
sign_message() {
    local key=$out/checked.key
    openssl genrsa -out "$key" 2048 2>/dev/null
    /usr/bin/python3 - "$key" "$checked_domain" "$octets" >"$out/checked.eml" <<'PYTHON'
import sys
import dkim
key, domain, octets = sys.argv[1:]
header = f"From: <load@{domain}>\r\nTo: <load@local.test>\r\nSubject: load\r\n\r\n"
message = (header + ("x" * 76 + "\r\n") * (int(octets) // 78 - 10)).encode()
signature = dkim.sign(message, b"load", domain.encode(), open(key, "rb").read(),
                      canonicalize=(b"relaxed", b"relaxed"))
sys.stdout.buffer.write(signature + message)
PYTHON
    local public
    public=$(openssl rsa -in "$key" -pubout -outform DER 2>/dev/null | base64 -w 0)
    cat >"$out/checked.zone" <<TEXT
${checked_domain%%.*} TXT "v=spf1 ip4:127.0.0.0/8 -all"
_dmarc.${checked_domain%%.*} TXT "v=DMARC1; p=reject"
load._domainkey.${checked_domain%%.*} TXT "v=DKIM1; k=rsa; p=" "${public:0:200}" "${public:200}"
TEXT
}
