# shellcheck shell=bash
# The ledger of fuzzing: fuzz/LEDGER.md, and what is missing in it.

ledger=fuzz/LEDGER.md
: "${state:?the folder of the runs}"
# Seconds of a target in sum, and of them with its present code.
least_sum=1800
least_present=120

ledger_head() {
    cat <<'TEXT'
# Fuzzing so far

Written by `scripts/soak fuzz`. Seconds are of one core. A finding is an input that broke a property
of its target; each became a row of a test before it was mended. A line of 0 runs is a run that ended at
its finding, and was not counted.

| target | commit | runs | seconds | findings |
|---|---|---|---|---|
TEXT
}

# enter TARGET RUNS SECONDS FINDINGS: adds to the line of this target and commit, or begins one.
enter() {
    [ -e "$ledger" ] || ledger_head >"$ledger"
    awk -F ' *[|] *' -v name="$1" -v commit="$(commit)" -v runs="$2" -v secs="$3" -v found="$4" '
        function line(r, s, f) { printf "| %s | %s | %d | %d | %d |\n", name, commit, r, s, f }
        $2 == name && $3 == commit { line($4 + runs, $5 + secs, $6 + found); done = 1; next }
        { print }
        END { if (!done) line(runs, secs, found) }' "$ledger" >"$state/ledger"
    cat "$state/ledger" >"$ledger"
}

# seconds_of TARGET [COMMIT]: those in the ledger, of all commits unless one is given.
seconds_of() {
    [ -e "$ledger" ] || { echo 0 && return; }
    awk -F ' *[|] *' -v name="$1" -v commit="${2:-}" \
        '$2 == name && (commit == "" || $3 == commit) { sum += $5 } END { print sum + 0 }' "$ledger"
}

targets() { find fuzz/targets -name '*.rs' -printf '%f\n' | sed 's/\.rs$//' | sort; }

# code_of TARGET: the paths of its code, by the names that it uses: itself, whole libraries, but of
# mail-types and of the gateway the modules.
code_of() {
    local file=fuzz/targets/$1.rs name
    echo "$file"
    for name in crates/*/; do
        name=$(basename "$name")
        [ "$name" != mail-types ] || continue
        ! grep -qP "\b${name//-/_}::" "$file" || echo "crates/$name/src"
    done
    modules mail_types crates/mail-types/src
    modules examples::gateway examples/gateway
}

# modules PATH FOLDER: the files of the modules below PATH that $file names.
modules() {
    grep -oP "\b$1::\K[a-z_]+" "$file" | sort -u | sed "s,.*,$2/&.rs\n$2/&," || true
}

# is_present TARGET COMMIT: whether its code was the same then, but for comments, empty lines and tests.
is_present() {
    local paths
    # An unknown commit, and one whose work tree had changes, may have had any code.
    git rev-parse --quiet --verify "$2^{commit}" >/dev/null || return 1
    mapfile -t paths < <(code_of "$1")
    [ -z "$(git diff -I'^[[:space:]]*//' -I'^[[:space:]]+$' -I'^#\[cfg\(test\)\]$' -I'^(pub(\(crate\))? )?mod tests;$' \
        "$2" -- "${paths[@]}" ':!**/tests.rs' ':!**/tests/**')" ]
}

# present_seconds_of TARGET: those with its present code.
present_seconds_of() {
    local commit seconds sum=0
    while read -r commit seconds; do
        ! is_present "$1" "$commit" || sum=$((sum + seconds))
    done < <(awk -F ' *[|] *' -v name="$1" '$2 == name { print $3, $5 }' "$ledger")
    echo $sum
}

# missing_of TARGET: the seconds that it must be fuzzed yet.
missing_of() {
    local sum present
    sum=$((least_sum - $(seconds_of "$1")))
    present=$((least_present - $(present_seconds_of "$1")))
    echo $((sum > present ? (sum > 0 ? sum : 0) : (present > 0 ? present : 0)))
}

# Prints what is missing; fails if anything is.
ledger_check() {
    local name missing count=0 row='%-20s %8s %8s %8s\n'
    for name in $(targets); do
        missing=$(missing_of "$name")
        [ "$missing" -gt 0 ] || continue
        # shellcheck disable=SC2059
        [ $count -gt 0 ] || printf "$row" target seconds present missing
        count=$((count + 1))
        # shellcheck disable=SC2059
        printf "$row" "$name" "$(seconds_of "$name")" "$(present_seconds_of "$name")" "$missing"
    done
    if [ $count -gt 0 ]; then
        echo "$count of $(targets | wc -l) targets need $least_sum seconds, $least_present of them with their present code"
        return 1
    fi
    echo "each target has $least_sum seconds, $least_present of them with its present code"
}
