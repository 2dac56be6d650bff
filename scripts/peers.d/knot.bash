# shellcheck shell=bash disable=SC2154 # Read by scripts/peers.
# Knot: a name server for the zone `test`, with what its domains publish for mail.

start_knot() {
    local at=$1 files=$here/knot
    rm -rf "$files"
    mkdir -p "$files"
    knot_zone >"$files/test.zone"
    cat >"$files/knot.conf" <<TEXT
server:
  listen: 127.0.0.1@$at
  rundir: $files
database:
  storage: $files
log:
  - target: stderr
    any: info
zone:
  - domain: test.
    file: $files/test.zone
    zonefile-sync: -1
    journal-content: none
TEXT
    stop_one knot
    spawn knot knotd -c "$files/knot.conf"
    wait_for knot "$at"
    echo "knot dns 127.0.0.1:$at"
}

# Hosts of ours connect from 127.0.0.2; the domains are named after what SPF says of them. What is
# signed is signed by the key of RFC 8463 appendix A.2.
knot_zone() {
    cat <<'TEXT'
$ORIGIN test.
$TTL 60
@                IN SOA ns.test. hostmaster.test. 1 3600 600 86400 60
@                IN NS  ns.test.
ns               IN A   127.0.0.1
pass             IN TXT "v=spf1 ip4:127.0.0.2 -all"
fail             IN TXT "v=spf1 -all exp=why.fail.test"
why.fail         IN TXT "%{i} is not a host of %{d}"
softfail         IN TXT "v=spf1 include:pass.test -ip4:127.0.0.3 ~all"
permerror        IN TXT "v=spf1 nonsense"
mx               IN TXT "v=spf1 mx -all"
mx               IN MX  10 host.test.
host             IN A   127.0.0.2
guessed          IN A   127.0.0.2
_dmarc.fail      IN TXT "v=DMARC1; p=reject"
_dmarc.pass      IN TXT "v=DMARC1; p=reject"
_dmarc.softfail  IN TXT "v=DMARC1; p=quarantine; rua=mailto:dmarc@softfail.test"
signed           IN TXT "v=spf1 -all"
_dmarc.signed    IN TXT "v=DMARC1; p=reject; rua=mailto:dmarc@signed.test,mailto:dmarc@reports.test!10m,mailto:dmarc@mx.test; ruf=mailto:ruf@signed.test; fo=1"
signed.test._report._dmarc.reports IN TXT "v=DMARC1"
s._domainkey.signed IN TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
TEXT
}
