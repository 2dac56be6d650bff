# shellcheck shell=bash disable=SC2154 # Read by scripts/peers.
# Exim: a next hop, a queue, and a client.

mail_user=Debian-exim

# start_exim NAME PORT
start_exim() {
    local name=$1 files=$here/$1
    rm -rf "$files"
    mkdir -p "$files/spool" "$files/log" "$files/mail"
    chown -R "$mail_user" "$files"
    { exim_head "$files" && exim_server "$name" "$2" "$files"; } >"$here/$name.conf"
    chmod 644 "$here/$name.conf"
    stop_one "$name"
    local resolving=()
    [ "$name" != exim-checked ] || dnssec_resolving
    spawn "$name" "${resolving[@]}" exim4 -C "$here/$name.conf" -bdf -oX "" -oP "$files/pid"
    wait_for "$name" "$2"
    echo "$name tcp 127.0.0.1:$2"
    echo "$name files $files"
}

exim_head() {
    cat <<TEXT
exim_user = $mail_user
primary_hostname = exim.test
qualify_domain = exim.test
spool_directory = $1/spool
log_file_path = $1/log/%slog
keep_environment =
never_users =
message_logs = false
check_spool_space = 0
TEXT
}

# exim_server NAME PORT FILES: no look-ups, no waiting, no limits; what is left is the mail.
exim_server() {
    cat <<TEXT
local_interfaces = $(exim_interfaces "$2")
smtp_accept_max = 0
smtp_accept_max_per_connection = 0
smtp_accept_queue_per_connection = 0
smtp_reserve_hosts = *
smtp_connect_backlog = 1024
smtp_receive_timeout = 120s
rfc1413_query_timeout = 0s
host_lookup =
helo_accept_junk_hosts = *
$(exim_tls)
${PEERS_PROXY:+hosts_proxy = 127.0.0.1}
message_size_limit = 50M
log_selector = +received_recipients +received_sender
$([[ $1 != exim-queue && $1 != exim-checked ]] || echo "queue_only = true")
$([ "$1" = exim-checked ] && echo "acl_smtp_mail = check_sender")
$([ "$1" = exim-prdr ] && echo "prdr_enable = true" && echo "acl_smtp_data_prdr = check_content")
acl_smtp_rcpt = check_recipient
begin acl
check_sender:
  deny  spf = fail
  accept
check_content:
  deny  message = \$local_part does not like this content
        local_parts = ^bad
  defer message = \$local_part says try later
        local_parts = ^later
  accept
check_recipient:
$([ "$1" = exim-checked ] && echo "  deny condition = \${lookup{\$sender_address_domain}lsearch{/etc/services}{yes}{no}}")
  deny  message = no such user
        local_parts = ^reject
  defer message = try this user later
        local_parts = ^defer
  accept
begin routers
all:
  driver = accept
  transport = keep
begin transports
keep:
  driver = appendfile
  directory = $3/mail
  maildir_format
  user = $mail_user
  envelope_to_add
  return_path_add
TEXT
}

# One address, or those of PEERS_MAP.
exim_interfaces() {
    [ -n "${PEERS_MAP:-}" ] || { echo "127.0.0.1.$1" && return; }
    echo "<; 127.0.0.1.$1;$(cut -d: -f1 "$PEERS_MAP" | sed "s/\$/.$1/" | paste -sd ';')"
}

# PEERS_MAP has a line for each address: its certificate and key, its staple if it has one, or tls=no.
exim_tls() {
    local of="\${lookup{\$received_ip_address}lsearch{${PEERS_MAP:-}}}"
    [ -n "${PEERS_MAP:-}" ] || { echo "${PEERS_EXIM_TLS:-tls_advertise_hosts =}" && return; }
    cat <<TEXT
tls_advertise_hosts = \${if eq{\${extract{tls}{$of}}}{no}{}{*}}
tls_certificate = \${extract{cert}{$of}}
tls_privatekey = \${extract{key}{$of}}
tls_ocsp_file = \${extract{ocsp}{$of}}
TEXT
}

# exim_send HOST:PORT FROM RCPT... <MESSAGE: one delivery; its log goes to standard output, and the
# exit status is 0 only if every recipient was delivered. MX:PORT is for the hosts of the signed zones.
exim_send() {
    local target=$1 from=$2 files
    shift 2
    mkdir -p "$here/clients"
    chmod a+rx "$here/clients"
    files=$(mktemp -d "$here/clients/XXXXXX")
    mkdir "$files/spool" "$files/log"
    chown -R "$mail_user" "$files"
    { exim_head "$files" && exim_client "${target%:*}" "${target##*:}"; } >"$files/conf"
    chmod 644 "$files/conf"
    local resolving=()
    [ "${target%:*}" != MX ] || dnssec_resolving
    "${resolving[@]}" timeout 60 exim4 -C "$files/conf" -odi -oi -f "$from" "$@" || true
    cat "$files/log/mainlog"
    local recipient
    for recipient in "$@"; do
        grep -qE " (=>|->) $recipient " "$files/log/mainlog" || return 1
    done
}

exim_client() {
    cat <<TEXT
local_interfaces =
log_selector = +smtp_confirmation +tls_cipher +tls_certificate_verified +outgoing_port
dns_dnssec_ok = 1
dns_retrans = 5s
dns_retry = 1
begin acl
tell_ocsp:
  accept logwrite = OCSP=\$tls_out_ocsp \$local_part@\$domain
begin routers
there:
$(exim_route "$1")
  self = send
  transport = out
begin transports
out:
  driver = smtp
  port = $2
  allow_localhost
  helo_data = client.test
  interface = 127.0.0.3
  connect_timeout = 5s
  command_timeout = 30s
  final_timeout = 30s
$([ "$1" = MX ] || printf '  hosts_try_dane =\n  hosts_request_ocsp =\n')
${PEERS_EXIM:-}
begin retry
* * F,1h,10m
TEXT
}

exim_route() {
    case $1 in
        MX) printf '  driver = dnslookup\n  dnssec_request_domains = *\n' ;;
        *) printf '  driver = manualroute\n  route_list = * %s\n' "$1" ;;
    esac
}
