# shellcheck shell=bash disable=SC2154 # Read by scripts/peers.
# Zones signed by Knot, from a root of their own, and two resolvers of Unbound: one validates, one does not.

# start_dnssec PORT [HOST:PORT]: the resolvers ask the zones' server, or whoever is at HOST:PORT in its place. Zones
# with faults have their server at PORT + 3, if a test starts one.
# PEERS_TLSA_PORT is the port of mail servers, PEERS_TLSA_DIGEST that of their key, and PEERS_ZONE a file with more
# records for secure.test.
start_dnssec() {
    local at=$1 servers=${2:-127.0.0.1:$1} files=$here/dnssec
    rm -rf "$files"
    mkdir -p "$files/plain" "$files/signed"
    certificates
    dnssec_zones "$files/plain"
    dnssec_sign "$files" >"$here/log/dnssec-sign.out" 2>&1
    dnssec_knot "$files" "$at" >"$files/knot.conf"
    {
        dnssec_unbound "$files" $((at + 1)) "$servers" $((at + 3)) "validator iterator"
        printf 'server:\n  interface: %s@53\n' "$(dnssec_address)"
    } >"$files/validating.conf"
    printf 'nameserver %s\noptions trust-ad\n' "$(dnssec_address)" >"$files/resolv.conf"
    dnssec_unbound "$files" $((at + 2)) "$servers" $((at + 3)) iterator >"$files/iterating.conf"
    stop_one dnssec-knot
    spawn dnssec-knot knotd -c "$files/knot.conf"
    wait_for dnssec-knot "$at"
    stop_one unbound
    spawn unbound unbound -d -c "$files/validating.conf"
    stop_one unbound-iterating
    spawn unbound-iterating unbound -d -c "$files/iterating.conf"
    wait_for unbound $((at + 1))
    wait_for unbound-iterating $((at + 2))
    echo "dnssec-knot dns 127.0.0.1:$at"
    echo "unbound dns 127.0.0.1:$((at + 1))"
    echo "unbound-iterating dns 127.0.0.1:$((at + 2))"
    echo "anchor files $files/root.anchor"
}

# The address at which the validating resolver has port 53 too: resolv.conf cannot name another port.
dnssec_address() { echo "127.53.$((port / 256)).$((port % 256))"; }

# dnssec_resolving: sets `resolving`, the words before a command that asks the validating resolver, and trusts its
# word on DNSSEC.
dnssec_resolving() {
    # shellcheck disable=SC2016,SC2034 # The inner shell expands it; the callers use it.
    resolving=(unshare -m --propagation private bash -c 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'
        resolving "$here/dnssec/resolv.conf")
}

dnssec_signed=(optout.test ed.test unsupported.test tampered.test expired.test bogus.test nsec.test
    secure.test test .)
dnssec_all=(insecure.test unsigned.optout.test "${dnssec_signed[@]}")

dnssec_file() { [ "$1" = . ] && echo root || echo "$1"; }
dnssec_origin() { [ "$1" = . ] && echo . || echo "$1."; }

# dnssec_zones FOLDER: the zones before they are signed, without the DS records.
dnssec_zones() {
    local zone
    for zone in "${dnssec_all[@]}"; do
        {
            echo "\$ORIGIN $(dnssec_origin "$zone")"
            echo "\$TTL 300"
            echo "@ SOA ns.test. hostmaster.test. 1 7200 3600 1209600 300"
            echo "@ NS ns.test."
            case $zone in
                .) echo "test. NS ns.test." && echo "ns.test. A 127.0.0.1" ;;
                test) dnssec_top ;;
                secure.test) dnssec_secure ;;
                *) dnssec_one "$zone" ;;
            esac
        } >"$1/$(dnssec_file "$zone")"
    done
}

dnssec_top() {
    local zone
    echo "ns A 127.0.0.1"
    echo "faulty NS ns.test."
    for zone in "${dnssec_all[@]}"; do
        case $zone in . | test | unsigned.optout.test) ;; *) echo "$zone. NS ns.test." ;; esac
    done
}

smtp=${PEERS_TLSA_PORT:-25}
digest=${PEERS_TLSA_DIGEST:-8a9a70596e869bed72c69d97a8895dfad86f300a343feceff19e89c27c896bc9}
other=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff

# A zone with one host.
dnssec_one() {
    echo "@ MX 10 mx"
    echo "mx A 127.0.1.1"
    echo "_$smtp._tcp.mx TLSA 3 1 1 $digest"
    case $1 in
        nsec.test)
            echo "shared TLSA 3 1 1 $digest"
            echo "second CNAME shared.secure.test."
            echo "*._tcp.wild TLSA 3 1 1 $digest"
            echo "wild A 127.0.1.1"
            echo "wilder MX 10 wild"
            ;;
        insecure.test)
            echo "shared TLSA 3 1 1 $digest"
            echo "securemx MX 10 mx-ee.secure.test."
            echo "real A 127.0.1.1"
            ;;
        optout.test) echo "unsigned NS ns.test." ;;
    esac
}

# dnssec_mail NAME RECORD...: a domain with a host, and the TLSA records of that.
dnssec_mail() {
    local name=$1
    shift
    echo "$name MX 10 mx-$name"
    echo "mx-$name A 127.0.1.1"
    [ $# -eq 0 ] || printf "_$smtp._tcp.mx-$name TLSA %s\n" "$@"
}

# The whole certificate of the server, or its key, in hexadecimal.
dnssec_der() {
    case $1 in
        certificate) openssl x509 -in "$keys/server.pem" -outform DER ;;
        key) openssl pkey -in "$keys/server.key" -pubout -outform DER ;;
    esac | od -An -v -tx1 | tr -d ' \n'
}

dnssec_faults=(sound truncated servfail refused formerr notimp silent garbage wrongid slow)

dnssec_secure() {
    local number fault many=()
    dnssec_mail ee "3 1 1 $digest"
    dnssec_mail ee-certificate "3 0 1 $digest"
    dnssec_mail ee-sha512 "3 1 2 $digest$other"
    dnssec_mail ee-key "3 1 0 $(dnssec_der key)"
    dnssec_mail ee-whole "3 0 0 $(dnssec_der certificate)"
    dnssec_mail ta "2 1 1 $digest"
    dnssec_mail ta-certificate "2 0 1 $digest"
    dnssec_mail ta-sha512 "2 1 2 $digest$other"
    dnssec_mail ta-key "2 1 0 $(dnssec_der key)"
    dnssec_mail ta-whole "2 0 0 $(dnssec_der certificate)"
    dnssec_mail rollover "3 1 1 $digest" "3 1 1 $other"
    dnssec_mail rollover-ta "3 1 1 $digest" "2 1 1 $other"
    dnssec_mail mixed "2 1 1 $digest" "3 0 1 $other"
    dnssec_mail agility "3 1 1 $digest" "3 1 2 $other$other"
    dnssec_mail agility-too "3 1 1 $other" "3 1 2 $other$digest"
    dnssec_mail pkix-ee "1 1 1 $digest"
    dnssec_mail pkix-ta "0 0 1 $digest"
    dnssec_mail pkix-and-ee "1 1 1 $digest" "3 1 1 $digest"
    dnssec_mail matching "3 1 9 0011223344"
    dnssec_mail selector "3 7 1 $digest"
    dnssec_mail usage "9 1 1 $digest"
    dnssec_mail short "3 1 1 0011223344"
    dnssec_mail short-and-right "3 1 2 $digest" "3 1 1 $digest"
    dnssec_mail private-usage "255 255 255 $digest"
    for number in $(seq 100 160); do many+=("3 1 1 ${digest:3}$number"); done
    dnssec_mail many "${many[@]}"
    dnssec_mail none
    dnssec_mail nodata && echo "_$smtp._tcp.mx-nodata TXT \"no TLSA record\""
    dnssec_mail other-port && echo "_465._tcp.mx-other-port TLSA 3 1 1 $digest"
    dnssec_mail wildcard && echo "*._tcp.mx-wildcard TLSA 3 1 1 $digest"
    echo "shared TLSA 3 1 1 $digest"
    dnssec_mail alias && echo "_$smtp._tcp.mx-alias CNAME shared"
    dnssec_mail alias-zone && echo "_$smtp._tcp.mx-alias-zone CNAME shared.nsec.test."
    dnssec_mail alias-chain && echo "_$smtp._tcp.mx-alias-chain CNAME first" && echo "first CNAME second.nsec.test."
    dnssec_mail alias-insecure && echo "_$smtp._tcp.mx-alias-insecure CNAME shared.insecure.test."
    dnssec_mail alias-nowhere && echo "_$smtp._tcp.mx-alias-nowhere CNAME nowhere"
    dnssec_mail alias-nodata && echo "_$smtp._tcp.mx-alias-nodata CNAME mx-ee"
    dnssec_mail alias-loop && echo "_$smtp._tcp.mx-alias-loop CNAME loop"
    echo "loop CNAME _$smtp._tcp.mx-alias-loop"
    dnssec_mail alias-bogus && echo "_$smtp._tcp.mx-alias-bogus CNAME _$smtp._tcp.mx.bogus.test."
    echo "host-alias MX 10 mx-host-alias" && echo "mx-host-alias CNAME mx-ee"
    echo "host-alias-only MX 10 mx-host-alias-only" && echo "mx-host-alias-only CNAME mx-none"
    echo "_$smtp._tcp.mx-host-alias-only TLSA 3 1 1 $digest"
    echo "host-alias-zone MX 10 mx-host-alias-zone" && echo "mx-host-alias-zone CNAME mx.nsec.test."
    echo "host-alias-insecure MX 10 mx-host-alias-insecure"
    echo "mx-host-alias-insecure CNAME real.insecure.test."
    echo "_$smtp._tcp.mx-host-alias-insecure TLSA 3 1 1 $digest"
    echo "host-alias-insecure-none MX 10 mx-host-alias-insecure-none"
    echo "mx-host-alias-insecure-none CNAME real.insecure.test."
    echo "domain-alias CNAME ee"
    echo "dname DNAME nsec.test." && echo "dname-host MX 10 mx.dname"
    echo "insecure-host MX 10 mx.insecure.test."
    echo "bogus-host MX 10 mx.bogus.test."
    echo "implicit A 127.0.1.1" && echo "_$smtp._tcp.implicit TLSA 3 1 1 $digest"
    echo "implicit-none A 127.0.1.1"
    echo "six MX 10 mx-six" && echo "mx-six AAAA ::1" && echo "_$smtp._tcp.mx-six TLSA 3 1 1 $digest"
    echo "both MX 10 mx-both" && echo "mx-both A 127.0.1.1" && echo "mx-both AAAA ::1"
    echo "_$smtp._tcp.mx-both TLSA 3 1 1 $digest"
    echo "two MX 10 mx-ee" && echo "two MX 20 mx-none"
    echo "half MX 10 mx-nowhere" && echo "half MX 20 mx-ee"
    echo "no-address MX 10 mx-no-address" && echo 'mx-no-address TXT "no address"'
    echo "numeric MX 10 192.0.2.1."
    echo "underscore MX 10 _mx.underscore" && echo "_mx.underscore A 127.0.1.1"
    echo "_$smtp._tcp._mx.underscore TLSA 3 1 1 $digest"
    echo "null MX 0 ."
    echo "deep MX 10 a.b.c.d.deep" && echo "a.b.c.d.deep A 127.0.1.1" && echo "_$smtp._tcp.a.b.c.d.deep TLSA 3 1 1 $digest"
    echo "*.any MX 10 mx-ee"
    echo "*.hosts A 127.0.1.1" && echo "any-host MX 10 one.hosts"
    [ -z "${PEERS_ZONE:-}" ] || cat "$PEERS_ZONE"
    # The sub-tree is a zone of its own, whose server has this fault.
    for fault in "${dnssec_faults[@]}"; do
        dnssec_mail "$fault" && echo "_tcp.mx-$fault NS ns.test."
        echo "address-$fault MX 10 mx-$fault.faulty.test."
    done
}

# Signs each zone after those below it, whose DS records it has.
dnssec_sign() {
    local files=$1 zone origin
    dnssec_policies "$files" >"$files/sign.conf"
    for zone in "${dnssec_signed[@]}"; do
        origin=$(dnssec_origin "$zone")
        dnssec_key "$files" "$zone"
        case $zone in
            expired.test) kzonesign -c "$files/sign.conf" -o "$files/signed" -t 1580515200 "$origin" ;;
            *) kzonesign -c "$files/sign.conf" -o "$files/signed" "$origin" ;;
        esac
        dnssec_delegate "$files" "$zone"
    done
    # A digit of the data, which is signed.
    sed -i -E "/^_$smtp\._tcp\.mx\.tampered\.test\..*TLSA[[:space:]]+3 /I { s/0\$/1/; t; s/.\$/0/ }" "$files/signed/tampered.test"
    cp "$files/plain/insecure.test" "$files/plain/unsigned.optout.test" "$files/signed/"
    keymgr -c "$files/sign.conf" . dnskey | sed -n 's|^\. *DNSKEY 257|. 300 IN DNSKEY 257|p' >"$files/root.anchor"
}

# All keys have always been there, so that a zone can be signed in the past.
dnssec_key() {
    local algorithm=ECDSAP256SHA256
    case $2 in
        nsec.test) algorithm=RSASHA256 ;;
        ed.test) algorithm=ED25519 ;;
    esac
    keymgr -c "$1/sign.conf" "$(dnssec_origin "$2")" generate algorithm="$algorithm" ksk=yes zsk=yes created=1500000000 \
        publish=1500000000 ready=1500000000 active=1500000000 >/dev/null
}

# Puts the DS record of a zone into the zone above.
dnssec_delegate() {
    local files=$1 ds above=test
    case $2 in
        .) return ;;
        test) above=root ;;
    esac
    ds=$(keymgr -c "$files/sign.conf" "$2." ds | awk '$6 == 2 || $5 == 2' | head -n 1)
    case $2 in
        bogus.test) ds="bogus.test. DS 12345 13 2 $digest" ;;
        unsupported.test) ds="unsupported.test. DS 12345 250 2 $digest" ;;
    esac
    echo "$ds" >>"$files/plain/$above"
}

dnssec_policies() {
    local zone
    cat <<TEXT
server:
  rundir: $1
database:
  storage: $1
policy:
  - id: nsec
    manual: on
    single-type-signing: on
    rrsig-lifetime: 14d
    rrsig-refresh: 1d
    propagation-delay: 1h
  - id: nsec3
    manual: on
    single-type-signing: on
    rrsig-lifetime: 14d
    rrsig-refresh: 1d
    nsec3: on
    nsec3-iterations: 0
    nsec3-salt-length: 0
  - id: optout
    manual: on
    single-type-signing: on
    rrsig-lifetime: 14d
    rrsig-refresh: 1d
    nsec3: on
    nsec3-opt-out: on
    nsec3-iterations: 10
template:
  - id: default
    storage: $1/plain
    dnssec-signing: on
    zonefile-sync: -1
    journal-content: none
zone:
TEXT
    for zone in "${dnssec_signed[@]}"; do
        echo "  - domain: \"$zone\""
        echo "    file: \"$(dnssec_file "$zone")\""
        case $zone in
            secure.test) echo "    dnssec-policy: nsec3" ;;
            optout.test) echo "    dnssec-policy: optout" ;;
            *) echo "    dnssec-policy: nsec" ;;
        esac
    done
}

dnssec_knot() {
    local zone
    cat <<TEXT
server:
  listen: 127.0.0.1@$2
  rundir: $1
database:
  storage: $1/served
log:
  - target: stderr
    any: info
template:
  - id: default
    storage: $1/signed
    semantic-checks: off
    zonefile-sync: -1
    journal-content: none
zone:
TEXT
    for zone in "${dnssec_all[@]}"; do
        echo "  - domain: \"$zone\""
        echo "    file: \"$(dnssec_file "$zone")\""
    done
}

# dnssec_unbound FILES PORT HOST:PORT FAULTY MODULES: the zones with faults are at the port FAULTY.
dnssec_unbound() {
    local zone fault at=${3%:*}@${3##*:}
    cat <<TEXT
server:
  interface: 127.0.0.1@$2
  directory: "$1"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  do-ip6: no
  num-threads: 1
  ede: yes
  val-log-level: 2
  do-not-query-localhost: no
  access-control: 127.0.0.0/8 allow
  module-config: "$5"
  trust-anchor-file: "$1/root.anchor"
  local-zone: "test." nodefault
  qname-minimisation: no
  edns-buffer-size: 1232
  cache-max-ttl: ${PEERS_TTL:-0}
  cache-max-negative-ttl: ${PEERS_TTL:-0}
  val-bogus-ttl: 0
  infra-host-ttl: 1
  infra-cache-max-rtt: 1000
  unknown-server-time-limit: 376
remote-control:
  control-enable: no
TEXT
    for zone in "${dnssec_all[@]}"; do
        printf 'stub-zone:\n  name: "%s"\n  stub-addr: %s\n' "$zone" "$at"
    done
    printf 'stub-zone:\n  name: "faulty.test"\n  stub-addr: 127.0.0.1@%s\n' "$4"
    for fault in "${dnssec_faults[@]}"; do
        printf 'stub-zone:\n  name: "_tcp.mx-%s.secure.test"\n  stub-addr: 127.0.0.1@%s\n' "$fault" "$4"
    done
}
