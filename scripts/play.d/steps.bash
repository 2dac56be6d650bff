# shellcheck shell=bash disable=SC2154 # The variables of scripts/play.
# The steps of scripts/play, in the order of the manual.

all_steps() {
    step_start
    step_reload
    step_files
    step_certificate
    step_stop
    step_service
    step_tls_on_connect
    step_version
    step_print_config
    step_help
    step_readme
    step_haproxy
    step_log_lines
    step_refusals
    step_json
    step_rust_log
    step_log_selector
    step_quarantine
    step_recipients
    step_send_proxy
    step_forwarders
}

# --- the start -------------------------------------------------------------------------------

# The command in the log, in three configurations.
step_start() {
    local lines command
    for lines in '' 'proxy_required_hosts = "127.0.0.1"' 'tls_on_connect_ports = "@PORT"'; do
        step "first message ${lines%% *}"
        launch start "$(plain "$lines")"
        command=$(sed -n 's/.* try: //p' "$log")
        sh -c "$command" 2>"$folder/curl" || differs "$command works" "$(cat "$folder/curl")"
        logged ' <= ann@client\.example .* for postmaster@example\.com$'
        equal "messages in the Maildir" 1 "$(files "$folder/gateway-data/maildir" | wc -l)"
        holds "$(cat "$(files "$folder/gateway-data/maildir")")" 'It works\.'
        stop start
        rm -r "$folder"
        done_with
    done
}

# --- signals ---------------------------------------------------------------------------------

# connect: a connection as file descriptor 4; sets `reply` to its banner.
connect() {
    exec 4<>"/dev/tcp/127.0.0.1/$port"
    hear
}

hear() { IFS= read -r -t 20 -u 4 reply || differs "a reply" "none"; }

say() {
    printf '%s\r\n' "$1" >&4
    hear
}

banner() {
    connect
    exec 4>&-
    holds "$reply" "$1"
}

step_reload() {
    step "SIGHUP"
    launch reload "$(plain 'smtp_banner = "one"')"
    connect
    holds "$reply" '^220 mx\.play\.test one'
    configure reload "$(plain 'smtp_banner = "two"')"
    signal reload HUP
    logged 'configuration reloaded'
    # The old connection goes on.
    say NOOP
    holds "$reply" '^250 '
    exec 4>&-
    banner '^220 mx\.play\.test two'
    done_with
    step "SIGHUP, broken configuration"
    configure reload "$(plain 'smtp_baner = "three"')"
    signal reload HUP
    logged 'configuration not reloaded.*line 3: .*did you mean smtp_banner'
    banner '^220 mx\.play\.test two'
    stop reload
    done_with
}

# certificate NAME: makes a certificate for this name, and puts it in the place of the present one.
certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$1" \
        -addext "subjectAltName=DNS:$1" -keyout "$folder/new.key" -out "$folder/new.pem" 2>/dev/null
    cat "$folder/new.key" >>"$folder/new.pem"
    mv "$folder/new.pem" "$folder/mail.pem"
}

# subject PATTERN: checks the certificate that a client gets.
subject() {
    holds "$(openssl s_client -connect "127.0.0.1:$port" -starttls smtp -servername mx.play.test </dev/null 2>/dev/null |
        openssl x509 -noout -subject)" "$1"
}

step_certificate() {
    step "certificate renewed, no signal"
    folder=$work/certificate
    mkdir -p "$folder"
    certificate one.play.test
    launch certificate "$(plain 'tls_certificate = "mail.pem"')"
    subject 'CN ?= ?one\.play\.test'
    certificate two.play.test
    subject 'CN ?= ?two\.play\.test'
    stop certificate
    done_with
}

step_stop() {
    step "SIGTERM"
    launch stop "$(plain)"
    connect
    signal stop TERM
    hear
    holds "$reply" '^421 '
    exec 4>&-
    stop stop
    done_with
}

# --- the service and the program -------------------------------------------------------------

step_service() {
    local unit=$root/examples/gateway/gateway.service section
    command -v systemd-analyze >/dev/null || return 0
    step "service file"
    section=$(sed -n '/^## As a service/,/^## /p' "$root/$manual")
    for word in /usr/local/bin /etc/gateway/gateway.toml /var/lib/gateway /etc/gateway/key.pem /run/credentials/gateway.service/key.pem; do
        holds "$section" "$word"
        holds "$(cat "$unit")" "$word"
    done
    mkdir -p "$work/unit"
    sed "s:/usr/local/bin/gateway:$bin:" "$unit" >"$work/unit/gateway.service"
    local found
    found=$(systemd-analyze verify --man=no "$work/unit/gateway.service" 2>&1 | grep 'gateway\.service' || true)
    equal "faults of the unit" '' "$found"
    done_with
}

step_tls_on_connect() {
    step "TLS on connect"
    launch smtps "$(plain 'tls_on_connect_ports = "@PORT"')"
    sent --tls-on-connect --to bob@example.com
    logged ' <= ann@client\.example .* P=esmtps X=TLS'
    stop smtps
    done_with
}

step_version() {
    local version
    step "--version"
    version=$("$bin" --version)
    holds "$version" '^Support for: PROXY TLS DANE OCSP PRDR SPF DKIM DMARC Events'
    holds "$version" '^Lookups: iplsearch lsearch nwildlsearch sqlite'
    done_with
}

step_print_config() {
    local told code=0
    step "--print-config and --check"
    mkdir -p "$work/printed"
    "$bin" --print-config >"$work/printed/gateway.toml"
    told=$(cd "$work/printed" && "$bin" --config gateway.toml --check 2>&1) || code=$?
    equal "--check of --print-config" "the configuration is valid 0" "$told $code"
    echo 'smtp_baner = ""' >"$work/printed/gateway.toml"
    told=$("$bin" --config "$work/printed/gateway.toml" --check 2>&1) || code=$?
    equal "the exit code of an unknown option" 2 $code
    holds "$told" 'line 1: smtp_baner: .*did you mean smtp_banner\?'
    done_with
}

step_help() {
    local help text
    step "--help"
    help=$("$bin" --help)
    text=$(block "$manual" "The help" text)
    [ -n "$text" ] || differs "a text in the manual" none
    [ "${help%"$text"*}" != "$help" ] || differs "$text" "$help"
    ! grep -E '\.rs|\.md|examples/' <<<"$help" || differs "no source file" "$help"
    done_with
}

# --- the README ------------------------------------------------------------------------------

# readme LINE: a command of the README, with our port, in the folder of the gateway.
readme() {
    (cd "$folder" && sh -c "${1//:2525/:$port}") 2>"$folder/told" || differs "$1 works" "$(cat "$folder/told")"
}

step_readme() {
    local text commands
    step "README"
    text=$(block README.md "Run" toml)
    # Nobody answers there, so that SPF need not wait.
    text="dns_resolver = \"127.0.0.1:$((port + 9))\"
spf_timeout = \"1s\"
${text//127.0.0.1.2525/127.0.0.1.@PORT}"
    launch readme "$text"
    mapfile -t commands < <(block README.md "Run" sh | sed -n '/^# While/,/^# Each/{/^#/!p}')
    equal "commands in the README" 3 ${#commands[@]}
    readme "${commands[0]}"
    readme "${commands[1]}"
    logged ' <= ann@client\.example .* for bob@example\.com$'
    wait_for "the events" happened "${commands[2]}"
    refused '[Rr]emote host closed' --to bob@example.com
    stop readme
    done_with
}

# happened QUERY: whether the event of a delivery is in the database.
happened() {
    readme "$1" >"$folder/events"
    grep -q 'msg:delivery' "$folder/events"
}

step_haproxy() {
    local lines front=$((port + 2))
    command -v haproxy >/dev/null || return 0
    step "HAProxy"
    launch balanced "$(plain "$(block "$manual" "Behind a load balancer" toml)")"
    lines=$(block "$manual" "Behind a load balancer" haproxy)
    lines=${lines//192.0.2.1:25/127.0.0.1:$front}
    echo "${lines//127.0.0.1:2525/127.0.0.1:$port}" >"$folder/haproxy.cfg"
    haproxy -db -f "$folder/haproxy.cfg" >"$folder/haproxy.log" 2>&1 &
    haproxy=$!
    wait_for "HAProxy" sent_through "$front"
    logged ' <= ann@client\.example .* PRX=127\.0\.0\.1'
    kill "$haproxy"
    wait "$haproxy" 2>/dev/null || true
    haproxy=''
    readme "$(block "$manual" "Behind a load balancer" sh)"
    logged ' <= ann@client\.example .* for postmaster@example\.com$'
    stop balanced
    done_with
}

sent_through() { swaks --server "127.0.0.1:$1" --from ann@client.example --to bob@example.com >/dev/null 2>&1; }

# --- the log ---------------------------------------------------------------------------------

relayed='relay_to_domains = "next.test"
route_data = "127.0.0.1:@HOP"'

step_log_lines() {
    local id
    step "log lines <= and =>"
    hop ''
    launch lines "$(plain "$relayed
log_selector = \"+subject\"")"
    sent --to carl@next.test
    logged ' => carl@next\.test T=remote_smtp H=127\.0\.0\.1 .* C="250 '
    sent --to bob@example.com,carl@example.com --header "Subject: a sign"
    logged ' => bob <bob@example\.com> R=localuser T=local_delivery'
    logged ' -> carl <carl@example\.com> R=localuser T=local_delivery'
    logged ' <= ann@client\.example H=.*\[127\.0\.0\.1\].* T="a sign".* for bob@example\.com carl@example\.com$'
    # The id is in the reply, in the lines and in the message.
    id=$(sed -n 's/.* OK id=\([^ ]*\).*/\1/p' <<<"$dialogue")
    holds "$line" " $id <= "
    holds "$(cat "$(files "$folder/gateway-data/maildir")")" "$id"
    local query
    query=$(block "$manual" "Reading mail and quarantine" sh 3)
    wait_for "the events of the message" happened "${query//ID/$id}"
    stop lines
    stop hop
    done_with
}

step_refusals() {
    step "log lines ** and =="
    # shellcheck disable=SC2016
    hop '[[acl_smtp_rcpt]]
verb = "deny"
local_parts = "nobody"
[[acl_smtp_data]]
verb = "deny"
condition = "${if match{$recipients}{^bad@}}"
[[acl_smtp_data]]
verb = "defer"
condition = "${if match{$recipients}{^later@}}"'
    launch refusals "$(plain "$relayed")"
    refused '550 5\.7\.1' --to nobody@next.test
    logged ' rejected RCPT <nobody@next\.test>: 550 5\.7\.1 '
    refused '55[0-9] ' --to bad@next.test
    logged ' \*\* bad@next\.test T=remote_smtp H=127\.0\.0\.1 .*: 550 5\.7\.1 '
    refused '45[0-9] ' --to later@next.test
    logged ' == later@next\.test T=remote_smtp H=127\.0\.0\.1 .* defer: 451 '
    stop refusals
    stop hop
    done_with
}

step_json() {
    local field
    step "log lines as JSON"
    launch json "$(plain 'log_format = "json"')"
    sent --to bob@example.com
    logged '"event":"delivery"'
    for field in id recipient result transport size seconds quarantined; do
        jq -e "has(\"$field\")" <<<"$line" >/dev/null || differs "the field $field" "$line"
    done
    logged '"event":"arrival"'
    equal "the recipients" bob@example.com "$(jq -r .recipients <<<"$line")"
    equal "the sender" ann@client.example "$(jq -r .sender <<<"$line")"
    stop json
    done_with
}

step_rust_log() {
    local told code=0
    step "a wrong RUST_LOG"
    told=$(cd "$work" && RUST_LOG=inof "$bin" --check 2>&1) || code=$?
    equal "the exit code" 2 $code
    holds "$told" 'RUST_LOG: "inof" is neither a level'
    done_with
}

step_log_selector() {
    local told code=0
    step "a refused word of log_selector"
    mkdir -p "$work/selector"
    # The first is a word of Exim, the second of nobody.
    for word in queue_run:'queue_run is a word of Exim that selects nothing here' subjct:'unknown word "subjct"'; do
        code=0
        printf '\nlog_selector = "+%s"\n' "${word%%:*}" >"$work/selector/gateway.toml"
        told=$("$bin" --config "$work/selector/gateway.toml" --check 2>&1) || code=$?
        equal "the exit code" 2 $code
        holds "$told" "line 2: log_selector: item 1: ${word#*:}"
    done
    done_with
}

# --- Maildirs --------------------------------------------------------------------------------

step_quarantine() {
    local commands held name
    step "quarantine"
    launch quarantine "$(plain '[[acl_smtp_data]]
verb = "quarantine"
header.subject = "*lottery*"
log_message = "a lottery"')"
    sent --to bob@example.com --header "Subject: a lottery"
    logged ' => bob <bob@example\.com> R=localuser T=local_delivery in quarantine '
    held=$(files "$folder/gateway-data/maildir/.Quarantine")
    holds "$line" " $(sed -n 's/.* OK id=\([^ ]*\).*/\1/p' <<<"$dialogue") => "
    mapfile -t commands < <(block "$manual" "Reading mail and quarantine" sh 2)
    equal "commands for quarantine" 2 ${#commands[@]}
    holds "$(cd "$folder" && sh -c "${commands[0]}")" 'X-Quarantine: .*a lottery'
    name=$(basename "$held")
    readme "${commands[1]//FILE/$name}"
    equal "released" "$folder/gateway-data/maildir/new/$name" "$(files "$folder/gateway-data/maildir")"
    mapfile -t commands < <(block "$manual" "Reading mail and quarantine" sh 1)
    holds "$(cd "$folder" && sh -c "${commands[1]}")" 'Subject: a lottery'
    stop quarantine
    done_with
}

step_recipients() {
    step "Maildirs of recipients"
    # shellcheck disable=SC2016
    launch recipients "$(plain 'maildir = "mail/${lc:$local_part}"')"
    sent --to Bob@example.com,carl@example.com
    holds "$(cat "$(files "$folder/mail/bob")")" '^Delivered-To: Bob@example\.com'
    holds "$(cat "$(files "$folder/mail/carl")")" '^Delivered-To: carl@example\.com'
    refused '550 5\.1\.1' --to '"../x"@example.com'
    stop recipients
    done_with
}
