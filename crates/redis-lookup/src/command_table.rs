//! The commands of Redis 7.4: their effect, and the place of their first key. Source: the flags `readonly`, `write`,
//! `blocking` and `noscript` and the key specifications in the reply to `COMMAND`.

use crate::Effect;

/// The place of the first key of a command.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Keys {
    /// The command has no key.
    None,
    /// The word of this number, from 0.
    At(usize),
    /// The word after this one, which is the number of keys.
    Counted(usize),
    /// The word after `STREAMS`.
    Streams,
}

/// The class of a command.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Permission {
    Known(Effect, Keys),
    /// It changes the state of the shared connection, or blocks it.
    Never,
    /// It is in no table here.
    Unknown,
}

/// Finds a command; for a container the second word is a part of the name.
pub(crate) fn permission(name: &[u8], second: Option<&[u8]>) -> Permission {
    let is = |known: &&str| known.as_bytes().eq_ignore_ascii_case(name);
    for (effect, keys, names) in TABLE {
        if names.iter().any(is) {
            return Permission::Known(*effect, *keys);
        }
    }
    if NEVER.iter().any(is) {
        return Permission::Never;
    }
    let second = second.unwrap_or_default();
    let found = SUBCOMMANDS
        .iter()
        .find(|(known, sub, ..)| is(known) && sub.as_bytes().eq_ignore_ascii_case(second));
    found.map_or(Permission::Unknown, |(_, _, effect, keys)| Permission::Known(*effect, *keys))
}

/// Whether the second word of a command is a part of its name.
pub(crate) fn is_container(name: &[u8]) -> bool {
    CONTAINERS.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(name))
}

/// The indexes of the words that hold a script or name one.
pub(crate) fn code_words(name: &[u8]) -> std::ops::Range<usize> {
    let is = |known: &&str| known.as_bytes().eq_ignore_ascii_case(name);
    if SCRIPTS.iter().any(is) {
        1..3
    } else if LIBRARIES.iter().any(is) {
        2..usize::MAX
    } else {
        0..0
    }
}

/// The script, its digest or a function, and the number of keys, are the words after these.
const SCRIPTS: &[&str] = &["EVAL", "EVALSHA", "EVALSHA_RO", "EVAL_RO", "FCALL", "FCALL_RO"];

/// All words after the subcommands of these are programs, or choose one.
const LIBRARIES: &[&str] = &["FUNCTION", "SCRIPT"];

const NEVER: &[&str] = &[
    "ASKING",
    "AUTH",
    "BLMOVE",
    "BLMPOP",
    "BLPOP",
    "BRPOP",
    "BRPOPLPUSH",
    "BZMPOP",
    "BZPOPMAX",
    "BZPOPMIN",
    "CLIENT",
    "DISCARD",
    "EXEC",
    "HELLO",
    "MONITOR",
    "MULTI",
    "PSUBSCRIBE",
    "PSYNC",
    "PUNSUBSCRIBE",
    "QUIT",
    "READONLY",
    "READWRITE",
    "REPLCONF",
    "RESET",
    "SELECT",
    "SSUBSCRIBE",
    "SUBSCRIBE",
    "SUNSUBSCRIBE",
    "SYNC",
    "UNSUBSCRIBE",
    "UNWATCH",
    "WAIT",
    "WAITAOF",
    "WATCH",
    "XREADGROUP",
];

const CONTAINERS: &[&str] = &[
    "ACL", "CLUSTER", "COMMAND", "CONFIG", "DEBUG", "FUNCTION", "LATENCY", "MEMORY", "MODULE",
    "OBJECT", "PUBSUB", "SCRIPT", "SENTINEL", "SLOWLOG", "XGROUP", "XINFO",
];

const SUBCOMMANDS: &[(&str, &str, Effect, Keys)] = &[
    ("MEMORY", "USAGE", Effect::Read, Keys::At(2)),
    ("OBJECT", "ENCODING", Effect::Read, Keys::At(2)),
    ("OBJECT", "FREQ", Effect::Read, Keys::At(2)),
    ("OBJECT", "HELP", Effect::Read, Keys::None),
    ("OBJECT", "IDLETIME", Effect::Read, Keys::At(2)),
    ("OBJECT", "REFCOUNT", Effect::Read, Keys::At(2)),
    ("XGROUP", "CREATE", Effect::Write, Keys::At(2)),
    ("XGROUP", "CREATECONSUMER", Effect::Write, Keys::At(2)),
    ("XGROUP", "DELCONSUMER", Effect::Write, Keys::At(2)),
    ("XGROUP", "DESTROY", Effect::Write, Keys::At(2)),
    ("XGROUP", "SETID", Effect::Write, Keys::At(2)),
    ("XINFO", "CONSUMERS", Effect::Read, Keys::At(2)),
    ("XINFO", "GROUPS", Effect::Read, Keys::At(2)),
    ("XINFO", "STREAM", Effect::Read, Keys::At(2)),
];

const TABLE: &[(Effect, Keys, &[&str])] = &[
    (
        Effect::Read,
        Keys::At(1),
        &[
            "BITCOUNT",
            "BITFIELD_RO",
            "BITPOS",
            "DUMP",
            "EXISTS",
            "EXPIRETIME",
            "GEODIST",
            "GEOHASH",
            "GEOPOS",
            "GEORADIUSBYMEMBER_RO",
            "GEORADIUS_RO",
            "GEOSEARCH",
            "GET",
            "GETBIT",
            "GETRANGE",
            "HEXISTS",
            "HEXPIRETIME",
            "HGET",
            "HGETALL",
            "HKEYS",
            "HLEN",
            "HMGET",
            "HPEXPIRETIME",
            "HPTTL",
            "HRANDFIELD",
            "HSCAN",
            "HSTRLEN",
            "HTTL",
            "HVALS",
            "LCS",
            "LINDEX",
            "LLEN",
            "LPOS",
            "LRANGE",
            "MGET",
            "PEXPIRETIME",
            "PFCOUNT",
            "PTTL",
            "SCARD",
            "SDIFF",
            "SINTER",
            "SISMEMBER",
            "SMEMBERS",
            "SMISMEMBER",
            "SORT_RO",
            "SRANDMEMBER",
            "SSCAN",
            "STRLEN",
            "SUBSTR",
            "SUNION",
            "TOUCH",
            "TTL",
            "TYPE",
            "XLEN",
            "XPENDING",
            "XRANGE",
            "XREVRANGE",
            "ZCARD",
            "ZCOUNT",
            "ZLEXCOUNT",
            "ZMSCORE",
            "ZRANDMEMBER",
            "ZRANGE",
            "ZRANGEBYLEX",
            "ZRANGEBYSCORE",
            "ZRANK",
            "ZREVRANGE",
            "ZREVRANGEBYLEX",
            "ZREVRANGEBYSCORE",
            "ZREVRANK",
            "ZSCAN",
            "ZSCORE",
        ],
    ),
    (Effect::Read, Keys::Counted(1), &["SINTERCARD", "ZDIFF", "ZINTER", "ZINTERCARD", "ZUNION"]),
    (Effect::Read, Keys::Counted(2), &["EVALSHA_RO", "EVAL_RO", "FCALL_RO"]),
    (Effect::Read, Keys::Streams, &["XREAD"]),
    (
        Effect::Read,
        Keys::None,
        &[
            "DBSIZE",
            "ECHO",
            "INFO",
            "KEYS",
            "LASTSAVE",
            "PING",
            "RANDOMKEY",
            "ROLE",
            "SCAN",
            "TIME",
        ],
    ),
    (
        Effect::Write,
        Keys::At(1),
        &[
            "APPEND",
            "BITFIELD",
            "COPY",
            "DECR",
            "DECRBY",
            "DEL",
            "EXPIRE",
            "EXPIREAT",
            "GEOADD",
            "GEORADIUS",
            "GEORADIUSBYMEMBER",
            "GEOSEARCHSTORE",
            "GETDEL",
            "GETEX",
            "GETSET",
            "HDEL",
            "HEXPIRE",
            "HEXPIREAT",
            "HINCRBY",
            "HINCRBYFLOAT",
            "HMSET",
            "HPERSIST",
            "HPEXPIRE",
            "HPEXPIREAT",
            "HSET",
            "HSETNX",
            "INCR",
            "INCRBY",
            "INCRBYFLOAT",
            "LINSERT",
            "LMOVE",
            "LPOP",
            "LPUSH",
            "LPUSHX",
            "LREM",
            "LSET",
            "LTRIM",
            "MOVE",
            "MSET",
            "MSETNX",
            "PERSIST",
            "PEXPIRE",
            "PEXPIREAT",
            "PFADD",
            "PFMERGE",
            "PSETEX",
            "RENAME",
            "RENAMENX",
            "RESTORE",
            "RPOP",
            "RPOPLPUSH",
            "RPUSH",
            "RPUSHX",
            "SADD",
            "SDIFFSTORE",
            "SET",
            "SETBIT",
            "SETEX",
            "SETNX",
            "SETRANGE",
            "SINTERSTORE",
            "SMOVE",
            "SORT",
            "SPOP",
            "SPUBLISH",
            "SREM",
            "SUNIONSTORE",
            "UNLINK",
            "XACK",
            "XADD",
            "XAUTOCLAIM",
            "XCLAIM",
            "XDEL",
            "XSETID",
            "XTRIM",
            "ZADD",
            "ZDIFFSTORE",
            "ZINCRBY",
            "ZINTERSTORE",
            "ZPOPMAX",
            "ZPOPMIN",
            "ZRANGESTORE",
            "ZREM",
            "ZREMRANGEBYLEX",
            "ZREMRANGEBYRANK",
            "ZREMRANGEBYSCORE",
            "ZUNIONSTORE",
        ],
    ),
    (Effect::Write, Keys::At(2), &["BITOP"]),
    (Effect::Write, Keys::Counted(1), &["LMPOP", "ZMPOP"]),
    (Effect::Write, Keys::Counted(2), &["EVAL", "EVALSHA", "FCALL"]),
    (Effect::Write, Keys::None, &["PUBLISH"]),
];
