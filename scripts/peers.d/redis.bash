# shellcheck shell=bash disable=SC2154 # Read by scripts/peers.
# Redis: one server, a cluster and a master with sentinels. Cluster buses have ports of the block, too.

redis_password=secret

# Seventeen ports from here on: the server, TLS, six nodes, three servers, three sentinels; the buses of
# the nodes are ten ports behind our own.
start_redis() {
    local at=$1 node servers=() sentinel=
    certificates
    redis_server redis "$at" "tls-port $((at + 1))" "tls-cert-file $keys/server.pem" \
        "tls-key-file $keys/server.key" "tls-ca-cert-file $keys/authority.pem" "tls-auth-clients no" \
        "unixsocket $here/redis/redis/socket" "unixsocketperm 777" \
        "user mail on >mail ~mail:* +@read +@connection"
    for node in {0..5}; do
        redis_server "redis-node-$node" $((at + 2 + node)) "cluster-enabled yes" \
            "cluster-config-file nodes.conf" "cluster-node-timeout 2000" \
            "cluster-port $((port + 190 + node))" "repl-diskless-sync-delay 0"
        servers+=("127.0.0.1:$((at + 2 + node))")
    done
    redis_cli "$((at + 2))" --cluster create "${servers[@]}" --cluster-replicas 1 --cluster-yes \
        >"$here/log/redis-cluster.out" 2>&1
    redis_server redis-master $((at + 8)) "repl-diskless-sync-delay 0"
    for node in 1 2; do
        redis_server "redis-replica-$node" $((at + 8 + node)) "replicaof 127.0.0.1 $((at + 8))"
    done
    for node in {0..2}; do
        sentinel=redis-sentinel-$node
        redis_files "$sentinel" "port $((at + 11 + node))" \
            "sentinel monitor mail 127.0.0.1 $((at + 8)) 2" "sentinel auth-pass mail $redis_password" \
            "sentinel down-after-milliseconds mail 1000" "sentinel failover-timeout mail 5000"
        # It writes to its configuration.
        spawn "$sentinel" redis-server "$here/redis/$sentinel/redis.conf" --sentinel
        wait_for "$sentinel" $((at + 11 + node))
    done
    redis_ready "$at"
    echo "redis tcp 127.0.0.1:$at"
    echo "redis-tls tls 127.0.0.1:$((at + 1))"
    echo "redis-socket unix $here/redis/redis/socket"
    echo "redis-cluster tcp 127.0.0.1:$((at + 2))"
    echo "redis-sentinel tcp 127.0.0.1:$((at + 11))"
}

# redis_files NAME LINE...: the configuration, in a folder of its own.
redis_files() {
    local name=$1 files=$here/redis/$1
    shift
    stop_one "$name"
    rm -rf "$files"
    mkdir -p "$files"
    printf '%s\n' "bind 127.0.0.1" "protected-mode no" "dir $files" "$@" >"$files/redis.conf"
}

# redis_server NAME PORT LINE...
redis_server() {
    local name=$1 at=$2
    shift 2
    redis_files "$name" "port $at" 'save ""' "appendonly no" "shutdown-timeout 0" "requirepass $redis_password" \
        "masterauth $redis_password" "$@"
    spawn "$name" redis-server "$here/redis/$name/redis.conf"
    wait_for "$name" "$at"
}

redis_cli() {
    local at=$1
    shift
    redis-cli -p "$at" -a "$redis_password" --no-auth-warning "$@"
}

# Until every node says that the cluster works, and the sentinels know each other.
redis_ready() {
    local at=$1 _ node
    for node in {2..7}; do
        for _ in {1..100}; do
            ! redis_cli $((at + node)) cluster info | grep -q cluster_state:ok || continue 2
            sleep 0.1
        done
        echo "redis-node-$((node - 2)) is not in a cluster that works" >&2 && return 1
    done
    for _ in {1..150}; do
        ! redis-cli -p $((at + 11)) sentinel ckquorum mail 2>/dev/null | grep -q '^OK 3' || return 0
        sleep 0.1
    done
    echo "the sentinels do not know each other" >&2 && return 1
}
