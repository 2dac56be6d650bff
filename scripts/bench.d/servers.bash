# shellcheck shell=bash disable=SC2034,SC2154 # Shared with scripts/bench.
# The servers: each is started in a folder of its own, and ended.

# start_server NAME: sets `address` and `session`, the id of the session that its processes share.
start_server() {
    server=$1
    case $server in
        gateway) start_gateway $((port + 60)) maildir ;;
        discard) start_gateway $((port + 61)) discard ;;
        mailin) start_own $((port + 62)) "$target/release/mailin_discard 127.0.0.1:$((port + 62))" ;;
        postfix) start_peer postfix ;;
        exim) start_peer exim-queue ;;
        *) echo "no such server: $server" >&2 && exit 2 ;;
    esac
}

start_peer() {
    local told
    [ "$1" = postfix ] || settle
    told=$(scripts/peers start "$1")
    address=$(awk '$2 == "tcp" { print $3 }' <<<"$told")
    files=$(awk '$2 == "files" { print $3 }' <<<"$told")
    session=$(scripts/peers status | awk -v at="$port" -v name="$1" '$1 == at && $2 == name { print $3 }')
}

# ext4 without a journal takes no inode that was deleted in the last five minutes, and its search for others made
# each message up to twice as dear. So the files of all servers stay until the end, each server has a folder
# of its own, and after Postfix, which deletes the file of each message, others wait, as after an earlier run.
settle() {
    while [ -n "$(find "$out/deletions" -newermt '-300 seconds' 2>/dev/null)" ]; do sleep 5; done
}

# start_gateway PORT STORE [OPTION]: in a new folder.
start_gateway() {
    local folder
    settle
    folder=$(mktemp -d "$out/$server.XXXX")
    cat >"$folder/gateway.toml" <<TEXT
primary_hostname = "gateway.test"
local_interfaces = "127.0.0.1.$1"
local_domains = "local.test"
helo_accept_junk_hosts = "*"
smtp_accept_max_per_connection = 0
spool_directory = "$folder/spool"
store = "$2"
TEXT
    case $2 in
        maildir) echo "maildir = \"$folder/mail\"" ;;
        discard) echo 'event_action = ""' ;;
    esac >>"$folder/gateway.toml"
    echo "${3:-}" >>"$folder/gateway.toml"
    start_own "$1" "${under:-} $target/production/examples/gateway --config $folder/gateway.toml"
}

# start_own PORT COMMAND
start_own() {
    local _
    address=127.0.0.1:$1
    # shellcheck disable=SC2086 # A command of words without spaces.
    setsid $2 >"$out/$server.log" 2>&1 </dev/null &
    session=$!
    for _ in $(seq 300); do
        (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
        sleep 0.1
    done
    echo "$server does not listen:" >&2
    tail -n 5 "$out/$server.log" >&2
    return 1
}

end_server() {
    case ${server:-} in
        postfix)
            scripts/peers stop postfix
            touch "$out/deletions"
            keep_files ;;
        exim)
            scripts/peers stop exim-queue exim-checked
            keep_files ;;
        gateway | discard | mailin | clear | tls | counted | next_hop)
            kill -TERM "$session" 2>/dev/null || true
            wait "$session" 2>/dev/null || true ;;
    esac
    server=
}

# The next start of the peer would delete them.
keep_files() { [ ! -d "${files:-}" ] || mv "$files" "$(mktemp -d "$out/$server.XXXX")"; }

# Between two runs: lets the disk finish the last one.
rest() { sync -f "$out"; }
