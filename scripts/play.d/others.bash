# shellcheck shell=bash disable=SC2034,SC2154 # The variables of scripts/play.
# The steps about hosts that mail goes to, and hosts that forward it.

# --- the next hop ----------------------------------------------------------------------------

step_send_proxy() {
    step "PROXY header to the next hop"
    hop 'proxy_required_hosts = "127.0.0.1"
log_selector = "+proxy"'
    launch announced "$(plain "proxy_required_hosts = \"127.0.0.1\"
$relayed
[remote_smtp]
hosts_send_proxy = \"127.0.0.1\"")"
    sent --proxy-version 1 --proxy 'TCP4 192.0.2.7 192.0.2.1 40000 25' --to carl@next.test
    log=$work/hop/log
    logged ' <= ann@client\.example H=.*\[192\.0\.2\.7\].* PRX=127\.0\.0\.1'
    log=$work/announced/log
    stop announced
    stop hop
    done_with
}

# --- forwarders ------------------------------------------------------------------------------

# The configuration below "Mailing lists and forwarders": without it a message has the result of DMARC.
step_forwarders() {
    local text from=127.0.0.2 name message
    step "mailing lists and forwarders"
    text=$(block "$manual" "SPF, DKIM and DMARC" toml)
    holds "$text" '^forwarders = "192\.0\.2\.10 '
    text=${text//192.0.2.10/$from}
    # Nobody answers there, and clients on this host are verified here.
    launch forwarders "dns_resolver = \"127.0.0.1:$((port + 9))\"
dmarc_timeout = \"2s\"
dmarc_verify_hosts = \"*\"
$(plain "$text")"
    for name in forwarded direct; do
        sent --local-interface "$from" --to bob@example.com --header "Subject: $name"
        from=127.0.0.3
    done
    for name in forwarded direct; do
        message=$(cat "$(grep -rl "^Subject: $name" "$folder/gateway-data/maildir/new")")
        case $name in
            direct) holds "$message" 'dmarc=temperror' ;;
            forwarded) ! grep -E 'dmarc=|dkim=' <<<"$message" || differs "no result of DMARC and DKIM" "$message" ;;
        esac
    done
    stop forwarders
    done_with
}
