# shellcheck shell=bash disable=SC2154 # The variables of scripts/play.
# The steps about files that SIGHUP has read: keys, certificates, staples, revocation lists and lists.

# authority: makes an authority in `folder`, with an index of what it has issued.
authority() {
    in_folder 'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
            -subj "/CN=Authority" -keyout ca.key -out ca.pem
        : >index
        printf "[ca]\ndefault_ca=d\n[d]\ndatabase=index\ndefault_md=sha256\ndefault_crl_days=2\n\
crl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid\n" >crl.conf'
}

# issue NAME SERIAL: makes NAME.key, NAME.pem and its staple NAME.ocsp.
issue() {
    in_folder "openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=$1 -keyout $1.key -out $1.csr
        printf 'subjectAltName=DNS:$1\n' >$1.ext
        openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -set_serial 0x$2 -days 2 -extfile $1.ext -out $1.leaf
        cat $1.leaf ca.pem >$1.pem
        printf 'V\t360101000000Z\t\t$2\tunknown\t/CN=$2\n' >>index
        openssl ocsp -index index -CA ca.pem -rsigner ca.pem -rkey ca.key -issuer ca.pem -cert $1.pem -no_nonce \
            -ndays 2 -respout $1.ocsp"
}

# revoke SERIAL
revoke() { in_folder "sed -i 's/^V\(.*\)\t\t$1/R\1\t260101000000Z\t$1/' index"; }

# revocations FILE: signs the list of what is revoked.
revocations() { in_folder "openssl ca -gencrl -config crl.conf -keyfile ca.key -cert ca.pem -out $1"; }

in_folder() {
    (cd "$folder" && sh -ec "$1") >"$folder/openssl" 2>&1 || differs "openssl works" "$(cat "$folder/openssl")"
}

# served NAME SERIAL: checks the certificate and the staple that a client gets.
served() {
    local shown
    shown=$(openssl s_client -connect "127.0.0.1:$port" -starttls smtp -status -servername "$1" </dev/null 2>/dev/null)
    holds "$shown" "subject=.*$1"
    holds "$shown" "Serial Number: $2"
    holds "$shown" 'Cert Status: good'
}

# with_certificate NAME: the arguments of swaks for a client at the address that needs a certificate.
with_certificate() {
    needed=(--local-interface 127.0.0.2 -tls --tls-cert "$folder/$1.pem" --tls-key "$folder/$1.key")
}

# texts NAME LIST DOMAINS: a configuration with these files.
texts() {
    plain "tls_certificate = \"$1.pem\"
tls_privatekey = \"$1.key\"
tls_ocsp_file = \"$1.ocsp\"
tls_verify_hosts = \"127.0.0.2\"
tls_verify_certificates = \"ca.pem\"
tls_crl = \"$2\"
lookup_directories = \"$folder\"
local_domains = \"$folder/$3\""
}

step_files() {
    local needed
    step "SIGHUP, keys, staples, CRL, lists"
    folder=$work/files
    mkdir -p "$folder"
    authority
    issue one.play.test 1001
    issue client.play.test 1002
    revocations none.crl
    echo old.test >"$folder/old"
    launch files "$(texts one.play.test none.crl old)"
    served one.play.test 1001
    with_certificate client.play.test
    sent "${needed[@]}" --to bob@old.test
    refused '550 ' --to bob@new.test
    # As a connection that began before it, one without a new file goes on.
    connect
    issue two.play.test 1003
    revoke 1002
    revocations client.crl
    printf 'old.test\nnew.test\n' >"$folder/new"
    configure files "$(texts two.play.test client.crl new)"
    signal files HUP
    logged 'configuration reloaded'
    say NOOP
    holds "$reply" '^250 '
    exec 4>&-
    served two.play.test 1003
    sent --to bob@new.test
    refused '[Hh]andshake|alert|TLS|closed' "${needed[@]}" --to bob@old.test
    done_with
    step "SIGHUP, broken files"
    : >"$folder/broken"
    broken tls_privatekey "$(texts two.play.test client.crl new | sed 's/two\.play\.test\.key/one.play.test.key/')"
    broken tls_crl "$(texts two.play.test broken new)"
    broken tls_verify_certificates "$(texts two.play.test client.crl new | sed 's/"ca\.pem"/"broken"/')"
    broken local_domains "$(texts two.play.test client.crl absent)"
    served two.play.test 1003
    sent --to bob@new.test
    stop files
    done_with
    step "files changed, no signal"
    launch files "$(texts one.play.test none.crl old)"
    served one.play.test 1001
    issue one.play.test 1004
    served one.play.test 1004
    sent "${needed[@]}" --to bob@old.test
    mv "$folder/client.crl" "$folder/none.crl"
    refused '[Hh]andshake|alert|TLS|closed' "${needed[@]}" --to bob@old.test
    cp "$folder/new" "$folder/old"
    sent --to bob@new.test
    stop files
    done_with
}

# broken OPTION TEXT: reloads a configuration with a fault of a file of this option.
broken() {
    : >"$log"
    configure files "$2"
    signal files HUP
    logged "configuration not reloaded.*$1"
}
