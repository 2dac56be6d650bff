//! Conversion of the replies of the crate `redis`.

use ::redis::{FromRedisValue, ServerError, Value};

use crate::{Refusal, Reply};

pub(super) fn reply(value: Value) -> Reply {
    let list = |values: Vec<Value>| Reply::List(values.into_iter().map(reply).collect());
    match value {
        Value::Nil => Reply::Nil,
        Value::Int(number) => Reply::Integer(number),
        Value::BulkString(text) => Reply::Text(text),
        Value::Array(values) | Value::Set(values) => list(values),
        Value::SimpleString(text) => Reply::Status(text.into_bytes()),
        Value::Okay => Reply::Status(b"OK".to_vec()),
        Value::Map(pairs) => {
            Reply::Map(pairs.into_iter().map(|(key, value)| (reply(key), reply(value))).collect())
        }
        Value::Attribute { data, .. } => reply(*data),
        Value::Double(number) => Reply::Double(number),
        Value::Boolean(truth) => Reply::Boolean(truth),
        Value::VerbatimString { text, .. } => Reply::Text(text.into_bytes()),
        // Its type depends on a feature, which another crate may turn on.
        number @ Value::BigNumber(_) => match String::from_redis_value(number) {
            Ok(digits) => Reply::Text(digits.into_bytes()),
            Err(_) => Reply::Other,
        },
        Value::ServerError(error) => Reply::Error(refusal(&error)),
        _ => Reply::Other,
    }
}

fn refusal(error: &ServerError) -> Refusal {
    match error.details() {
        Some(details) => Refusal::new(format!("{} {details}", error.code()).as_bytes()),
        None => Refusal::new(error.code().as_bytes()),
    }
}
