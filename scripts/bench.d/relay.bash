# shellcheck shell=bash disable=SC2034,SC2154 # Shared with scripts/bench.
# What a relayed message costs: over TLS beside clear text, and in instructions.

relay() {
    declare -gA relays=() # The trap needs it after this function has ended.
    recipient=load@relayed.test
    trap end_relay EXIT
    server=next_hop
    start_own $((port + 65)) "$target/release/next_hop 127.0.0.1:$((port + 65))"
    relays[next_hop]="$address $session"
    start_relaying clear $((port + 66)) 'hosts_avoid_tls = "*"' 'hosts_try_dane = ""'
    start_relaying tls $((port + 67))
    echo "# messages of a connection, of each run the microseconds of processor time a message"
    relay_row many -d
    relay_row one ""
    if grep -q ' => .* X=' "$out/clear.log" || grep ' => ' "$out/tls.log" | grep -qv ' CV=dane '; then
        echo "messages were not secured as meant: see $out/clear.log and $out/tls.log" >&2
        return 1
    fi
    end_relay
}

# start_relaying NAME PORT [OPTION...]
start_relaying() {
    local hop=127.0.0.1:$((port + 65))
    server=$1
    start_gateway "$2" maildir "dns_resolver = \"$hop\"
relay_to_domains = \"relayed.test\"
route_data = \"next.test:${hop#*:}\"
[remote_smtp]
$(printf '%s\n' "${@:3}")"
    relays[$1]="$address $session"
}

# relay_row ROW CONNECTIONS
relay_row() {
    local name messages cpu _
    local -A spent=()
    kept=$2
    turn_to tls
    messages=$(fitting 10)
    for _ in $(seq "$repeats"); do
        for name in clear tls; do
            turn_to "$name"
            cpu=$(cpu_us)
            generate 10 "$messages"
            spent[$name]+=" $((($(cpu_us) - cpu) / messages))"
            rest
        done
    done
    echo "$1 clear${spent[clear]} tls${spent[tls]}"
}

# --- counts ----------------------------------------------------------------------------------

# The bars are a little more than it takes.
counts() {
    declare -gA relays=()
    trap end_relay EXIT
    server=next_hop
    start_own $((port + 65)) "$target/release/next_hop 127.0.0.1:$((port + 65))"
    relays[next_hop]="$address $session"
    echo "# message, instructions"
    recipient=load@local.test
    count_row kept
    recipient=load@relayed.test
    count_row address 127.0.0.1
    count_row name next.test
    end_relay
}

# count_row ROW [NEXT_HOP]
count_row() {
    local few many each
    few=$(counted 50 "${@:2}")
    many=$(counted 250 "${@:2}")
    each=$(((many - few) / 200))
    [ $each -gt 0 ] # No valgrind, no count.
    echo "$1 instructions $each"
}

# counted MESSAGES [NEXT_HOP]: all instructions of a gateway that gets so many messages in one session.
counted() {
    local under="valgrind --tool=callgrind --callgrind-out-file=/dev/null" options=
    [ $# -lt 2 ] || options="dns_resolver = \"127.0.0.1:$((port + 65))\"
relay_to_domains = \"relayed.test\"
route_data = \"$2:$((port + 65))\"
[remote_smtp]
hosts_avoid_tls = \"*\""
    [ "${2:-127.0.0.1}" = 127.0.0.1 ] || options+=$'\nhosts_try_dane = ""'
    server=counted
    start_gateway $((port + 68)) maildir "$options"
    generate 1 "$1" || { end_server && return 1; }
    end_server
    sed -n 's/.*Collected : //p' "$out/counted.log"
}

turn_to() {
    server=$1
    read -r address session <<<"${relays[$1]}"
}

end_relay() {
    local name
    for name in "${!relays[@]}"; do
        turn_to "$name"
        end_server
    done
    relays=()
}
