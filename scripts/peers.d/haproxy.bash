# shellcheck shell=bash disable=SC2154 # Read by scripts/peers.
# HAProxy: each kind of PROXY header that it can send.

# A line for each frontend: name, kind, address family of its port (or `path`), server options.
frontends() {
    cat <<'TEXT'
v1            tcp   4    send-proxy
v2            tcp   4    send-proxy-v2
v2-crc32c     tcp   4    send-proxy-v2 proxy-v2-options crc32c
v2-unique-id  tcp   4    send-proxy-v2 proxy-v2-options unique-id
v2-ssl        tls   4    send-proxy-v2-ssl
v2-authority  tls   4    send-proxy-v2 proxy-v2-options authority
v2-alpn       alpn  4    send-proxy-v2-ssl
v2-ssl-cn     mtls  4    send-proxy-v2-ssl-cn
v2-cipher     mtls  4    send-proxy-v2 proxy-v2-options ssl,ssl-cipher
v2-cert       mtls  4    send-proxy-v2 proxy-v2-options ssl,cert-cn,cert-sig,cert-key
v2-all        mtls  4    send-proxy-v2 proxy-v2-options ssl,cert-cn,ssl-cipher,cert-sig,cert-key,crc32c,unique-id,authority
v1-ip6        tcp   6    send-proxy
v2-ip6        tcp   6    send-proxy-v2 proxy-v2-options crc32c
v1-behind     proxy 4    send-proxy
v2-behind     proxy 4    send-proxy-v2 proxy-v2-options crc32c,unique-id
v1-unix       unix  path send-proxy
v2-unix       unix  path send-proxy-v2
TEXT
}

checks() {
    cat <<'TEXT'
v1-check      tcp   4    send-proxy check inter 500ms
v2-check      tcp   4    send-proxy-v2 check inter 500ms
TEXT
}

start_haproxy() {
    local name=$1 target=$2 first=$port list=frontends
    if [ "$name" = haproxy-checks ]; then
        first=$((port + 30))
        list=checks
    fi
    certificates
    : >"$here/$name.listeners"
    { haproxy_head && "$list" | haproxy_frontends "$name" "$first" "$target"; } >"$here/$name.cfg"
    haproxy -c -q -f "$here/$name.cfg"
    stop_one "$name"
    spawn "$name" haproxy -db -f "$here/$name.cfg"
    wait_for "$name" "$first"
    cat "$here/$name.listeners"
}

haproxy_head() {
    cat <<'TEXT'
global
    maxconn 4000
    nbthread 1
defaults
    mode tcp
    timeout connect 5s
    timeout client 300s
    timeout server 300s
    timeout check 2s
    unique-id-format %{+X}o\ %ci:%cp_%fi:%fp_%Ts_%rt:%pid
TEXT
}

# haproxy_frontends NAME FIRST-PORT TARGET <LIST
haproxy_frontends() {
    local name kind family options at=$2 address bind
    while read -r name kind family options; do
        case $family in
            4) address=127.0.0.1:$at ;;
            6) address='[::1]':$at ;;
            path) address=$here/$name.socket ;;
        esac
        bind=$address
        case $kind in
            tls) bind="$address ssl crt $keys/server-both.pem" ;;
            alpn) bind="$address ssl crt $keys/server-both.pem alpn smtp,http/1.1" ;;
            mtls) bind="$address ssl crt $keys/server-both.pem ca-file $keys/authority.pem verify optional" ;;
            proxy) bind="$address accept-proxy" ;;
            unix) bind="unix@$address mode 666" ;;
        esac
        printf 'listen %s\n    bind %s\n    server target %s %s\n' "$name" "$bind" "$3" "$options"
        echo "$name ${kind/alpn/tls} $address" >>"$here/$1.listeners"
        at=$((at + 1))
    done
}
