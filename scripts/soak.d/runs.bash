# shellcheck shell=bash
# The ledger of the other long runs: docs/soak.md.

runs=docs/soak.md
: "${state:?the folder of the runs}"

runs_head() {
    cat <<'TEXT'
# Long runs so far

Written by `scripts/soak`; fuzzing has a ledger of its own, `fuzz/LEDGER.md`. The count is the number of kills,
of reloads, of messages during a fault, or of mutants; a finding is a test that failed, or a mutant that no test found.

| run | commit | count | findings |
|---|---|---|---|
TEXT
}

# is_noted RUN: without a finding, for the present commit.
is_noted() {
    [ -e "$runs" ] && awk -F ' *[|] *' -v run="$1" -v commit="$(commit)" \
        '$2 == run && $3 == commit && $5 == 0 { found = 1 } END { exit !found }' "$runs"
}

# note_run RUN COUNT FINDINGS: replaces the line of this run and commit, or adds one.
note_run() {
    [ -e "$runs" ] || runs_head >"$runs"
    awk -F ' *[|] *' -v run="$1" -v commit="$(commit)" -v count="$2" -v found="$3" '
        function line() { printf "| %s | %s | %d | %d |\n", run, commit, count, found; done = 1 }
        $2 == run && $3 == commit { line(); next }
        { print }
        END { if (!done) line() }' "$runs" >"$state/runs"
    cat "$state/runs" >"$runs"
}
