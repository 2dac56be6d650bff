# shellcheck shell=bash disable=SC2154 # Read by scripts/peers.
# Postfix, unpacked and not installed: a server that discards, and a load generator.

# Ids that no Debian package takes: what is not installed has no user.
postfix_uid=64901
postdrop_gid=64902

postfix_tool() {
    local tool=$1
    shift
    LD_LIBRARY_PATH=$unpacked/usr/lib/postfix exec "$unpacked/usr/sbin/$tool" "$@"
}

# start_postfix PORT: smtpd, cleanup, a queue file on disk, qmgr, and discard(8) in place of delivery.
start_postfix() {
    local files=$here/postfix
    postfix_files "$files"
    postfix_main "$files" >"$files/etc/main.cf"
    postfix_master "$1" >"$files/etc/master.cf"
    stop_one postfix
    # shellcheck disable=SC2016 # The inner shell expands it.
    spawn postfix env LD_LIBRARY_PATH="$unpacked/usr/lib/postfix" MAIL_CONFIG="$files/etc" \
        unshare -m --propagation private bash -c '
            mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/group" /etc/group
            shift && exec "$@"' postfix "$files" \
        "$unpacked/usr/lib/postfix/sbin/master" -c "$files/etc" -d
    wait_for postfix "$1"
    echo "postfix tcp 127.0.0.1:$1"
    echo "postfix files $files"
}

# The folders that Postfix wants, with the owners and modes that it checks; and the files by which
# its user exists in its own mount namespace only.
postfix_files() {
    local files=$1 each
    rm -rf "$files"
    mkdir -p "$files/etc" "$files/data" "$files/queue/pid"
    for each in active bounce corrupt defer deferred flush hold incoming private saved trace; do
        mkdir "$files/queue/$each"
        chmod 700 "$files/queue/$each"
    done
    mkdir "$files/queue/maildrop" "$files/queue/public"
    chown "$postfix_uid" "$files"/queue/* "$files/data"
    chown root "$files/queue/pid"
    chgrp "$postdrop_gid" "$files/queue/maildrop" "$files/queue/public"
    chmod 730 "$files/queue/maildrop"
    chmod 710 "$files/queue/public"
    chmod 700 "$files/data"
    { grep -v '^postfix:' /etc/passwd; echo "postfix:x:$postfix_uid:$postfix_uid::/nonexistent:/bin/false"; } \
        >"$files/passwd"
    { grep -vE '^(postfix|postdrop):' /etc/group; echo "postfix:x:$postfix_uid:"; echo "postdrop:x:$postdrop_gid:"; } \
        >"$files/group"
}

postfix_main() {
    cat <<TEXT
compatibility_level = 3.6
queue_directory = $1/queue
data_directory = $1/data
daemon_directory = $unpacked/usr/lib/postfix/sbin
command_directory = $unpacked/usr/sbin
shlib_directory = $unpacked/usr/lib/postfix
meta_directory = $unpacked/etc/postfix
mail_owner = postfix
setgid_group = postdrop
import_environment = LD_LIBRARY_PATH MAIL_CONFIG MAIL_LOGTAG TZ LANG=C
maillog_file = $here/log/postfix.log
maillog_file_prefixes = $here
myhostname = postfix.test
mydestination =
mynetworks = 127.0.0.0/8 ${PEERS_PROXY:+192.0.2.0/24}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
default_process_limit = 200
in_flow_delay = 0
default_transport = discard:test
${PEERS_PROXY:+smtpd_upstream_proxy_protocol = haproxy}
${PEERS_POSTFIX_TLS:-}
TEXT
}

postfix_master() {
    cat <<TEXT
127.0.0.1:$1 inet n - n - 200 smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
TEXT
    [ -z "${PEERS_MAP:-}${PEERS_POSTFIX_TLS:-}" ] || echo "tlsmgr unix - - n 1000? 1 tlsmgr"
    [ -z "${PEERS_MAP:-}" ] || postfix_tls "$1"
}

# PEERS_MAP has a line for each address: its certificate and key, or tls=no.
postfix_tls() {
    local address options word
    while IFS=: read -r address options; do
        echo "$address:$1 inet n - n - 20 smtpd"
        for word in $options; do
            case $word in
                cert=*) echo "  -o smtpd_tls_security_level=may -o smtpd_tls_cert_file=${word#cert=}" ;;
                key=*) echo "  -o smtpd_tls_key_file=${word#key=}" ;;
            esac
        done
    done <"$PEERS_MAP"
}
