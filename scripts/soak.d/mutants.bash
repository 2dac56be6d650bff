# shellcheck shell=bash
# Changes of the code that decides, each of which a test must find: cargo-mutants.

# What survives and may, with the reason.
argued=docs/mutants.md
: "${state:?the folder of the runs}"

# For each package the files, and the tests, which are quick and need no other program.
mutants_of() {
    features=--all-features
    case $1 in
        proxy-protocol) files=(header v1 v2) tests=(--tests) ;;
        spf-result) files=(evaluation domain_spec) tests=(--tests) ;;
        dmarc-policy)
            files=(verdict identifier owner discovery)
            tests=(--lib --test cases --test failure --test questions --test record --test review
                --test verdict)
            ;;
        dane-tlsa) files=(check uses selected usable leaf) tests=(--tests) ;;
        ocsp-staple)
            files=(check requirement signature)
            tests=(--lib --test check --test request --test requirement --test rustls
                --test rustls_issuers --test rustls_vectors --test store --test vectors)
            ;;
        # Those of the machines, which are built without the server.
        examples)
            files=(framing) features=--no-default-features
            tests=(--lib -- gateway::smtp::tests::{framing,session,session_chunks,session_limits,stuffing})
            ;;
        *) echo "no mutants of $1" >&2 && return 2 ;;
    esac
}

# mutants [PACKAGE...]: what was found before is not tried again.
mutants() {
    local package unfound=0
    [ $# -gt 0 ] || set -- proxy-protocol spf-result dmarc-policy dane-tlsa ocsp-staple examples
    scripts/setup --tool mutants
    for package; do
        mutants_of_package "$package"
    done
    for package; do
        survivors "$package" || unfound=1
    done
    return $unfound
}

mutants_of_package() {
    local out=$state/mutants/$1 source=crates/$1/src file files features tests status=0 chosen
    mutants_of "$1"
    [ "$1" != examples ] || source=examples/gateway/smtp
    # Texts decide nothing.
    chosen=(--package "$1" "$features" --exclude-re 'fmt|with_|Default::default|leak|Parsed::')
    for file in "${files[@]}"; do chosen+=(--file "$source/$file.rs"); done
    mkdir -p "$out"
    # All are built in one copy of the tree, of which each changes a place.
    env -u CI EXIMIA_PEERS=none CARGO_INCREMENTAL=1 CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR="$state/mutants/target" \
        cargo mutants "${chosen[@]}" --iterate --jobs 1 --cap-lints true --minimum-test-timeout 120 \
        --output "$out" -- "${tests[@]}" || status=$?
    # 2: some are missed, 3: some ran for too long.
    case $status in 0 | 2 | 3) ;; *) return $status ;; esac
    note_run "mutants of $1" "$(cargo mutants --list "${chosen[@]}" | wc -l)" "$(unfound_of "$1" | wc -l)"
}

# survivors PACKAGE: prints those that are not argued; fails if there are any.
survivors() {
    local out
    # shellcheck disable=SC2016
    out=$(comm -23 <(unfound_of "$1") <(sed -En 's/^- `([^`]*)`:.*/\1/p' "$argued" | sort))
    [ -z "$out" ] || { printf '%s\n' "no test finds:" "$out" && return 1; }
    echo "$1: each mutant is found or argued"
}

# unfound_of PACKAGE: without lines and columns, which every change moves.
unfound_of() { cat "$state/mutants/$1/mutants.out"/{missed,timeout}.txt | sed -E 's/:[0-9]+:[0-9]+:/:/' | sort; }
