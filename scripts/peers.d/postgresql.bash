# shellcheck shell=bash disable=SC2154 # Read by scripts/peers.
# PostgreSQL: a cluster of its own, with the database `mail` of the user `gateway`.

pgsql_user=postgres # It refuses to run as root.

start_postgresql() {
    local at=$1 files=$here/postgresql programs
    programs=$(dirname "$(find /usr/lib/postgresql -path '*/bin/initdb' | sort -V | tail -n 1)")
    stop_one postgresql
    rm -rf "$files"
    mkdir -p "$files"
    echo secret >"$files/password"
    chown -R "$pgsql_user" "$files"
    as_pgsql_user "$programs/initdb" --pgdata="$files/data" --username=gateway --encoding=UTF8 \
        --locale=C.UTF-8 --auth=scram-sha-256 --pwfile="$files/password" --no-sync \
        >"$here/log/postgresql-initdb.out" 2>&1
    echo "CREATE DATABASE mail" | as_pgsql_user "$programs/postgres" --single -D "$files/data" \
        postgres >>"$here/log/postgresql-initdb.out" 2>&1
    spawn postgresql setpriv --reuid="$pgsql_user" --regid="$pgsql_user" --clear-groups \
        "$programs/postgres" -D "$files/data" -F -p "$at" -c listen_addresses=127.0.0.1 \
        -c unix_socket_directories=
    wait_for postgresql "$at"
    # It listens before it takes connections.
    for _ in {1..300}; do
        ! "$programs/pg_isready" --quiet --host=127.0.0.1 --port="$at" || break
        sleep 0.1
    done
    echo "postgresql tcp 127.0.0.1:$at"
}

as_pgsql_user() {
    (cd / && setpriv --reuid="$pgsql_user" --regid="$pgsql_user" --clear-groups "$@")
}
