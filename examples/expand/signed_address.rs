//! Addresses that are signed with a secret and the day: `prvs` (BATV) and SRS, as Exim 4.96 writes them.

use std::time::{SystemTime, UNIX_EPOCH};

use event_expand::{HostCall, Template, Variables};
use mail_types::exim::{LookupResult, Trust, Value, Variable};

/// Answers a request for such an address; `None` for any other.
pub(crate) fn answer(
    call: HostCall,
    arguments: &[Value<'_>],
    now: SystemTime,
) -> Option<LookupResult> {
    let arguments: Vec<_> = arguments.iter().map(Value::as_bytes).collect();
    let days = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / 86_400;
    let found = match (call, &arguments[..]) {
        (HostCall::Prvs, [address, secret]) => prvs(address, secret, b"0", days),
        (HostCall::Prvs, [address, secret, key]) => prvs(address, secret, key, days),
        (HostCall::PrvsCheck, [address, secret]) => prvs_check(address, secret, days),
        (HostCall::SrsEncode, [secret, path, domain]) => srs(secret, path, domain, days),
        (HostCall::InboundSrs, [local_part, secret]) => inbound_srs(local_part, secret, days),
        _ => return None,
    };
    Some(found.map_or(LookupResult::Nothing, LookupResult::Value))
}

/// Signs an address for a week, with a key number of one digit.
fn prvs(address: &[u8], secret: &[u8], key: &[u8], days: u64) -> Option<Vec<u8>> {
    let (local_part, domain) = split(address)?;
    let is_key = matches!(key, [b'0'..=b'9']);
    if !is_key || local_part.is_empty() || domain.is_empty() || secret.len() > MAX_SECRET {
        return None;
    }
    let day = day(days + 7);
    let hash = prvs_hash(address, secret, key, day.as_bytes())?;
    Some([b"prvs=", key, day.as_bytes(), &hash, b"=", address].concat())
}

/// Returns the address without its signature, if that is valid.
fn prvs_check(signed: &[u8], secret: &[u8], days: u64) -> Option<Vec<u8>> {
    let (tag, address) = signed.split_at_checked(15)?;
    let address = address.strip_prefix(b"=")?;
    let [p, r, v, s, b'=', key, hash @ ..] = tag else { return None };
    let (day_of_end, hash) = hash.split_at_checked(3)?;
    let is_tag = [p, r, v, s].into_iter().zip(b"prvs").all(|(a, b)| a.eq_ignore_ascii_case(b));
    if !is_tag
        || secret.len() > MAX_SECRET
        || prvs_hash(address, secret, &[*key], day_of_end)? != hash
    {
        return None;
    }
    let end: u64 = str::from_utf8(day_of_end).ok()?.parse().ok()?;
    // Behind the day 999 is the day 0.
    let today = match days % 1000 {
        993.. if end < 7 => 0,
        today => today,
    };
    (end >= today).then(|| address.to_vec())
}

fn prvs_hash(address: &[u8], secret: &[u8], key: &[u8], day: &[u8]) -> Option<Vec<u8>> {
    let mut hash = hmac("sha1", secret, &[key, day, address].concat())?;
    hash.truncate(6);
    Some(hash)
}

/// The last three digits.
fn day(days: u64) -> String {
    format!("{:03}", days % 1000)
}

/// Rewrites a reverse-path into a domain; that of nobody stays empty.
fn srs(secret: &[u8], path: &[u8], domain: &[u8], days: u64) -> Option<Vec<u8>> {
    if path.is_empty() {
        return Some(Vec::new());
    }
    let (local_part, of) = split(path)?;
    let hash = srs_hash(secret, path)?;
    let letter = |number: u64| {
        let place = usize::try_from(number & 0x1f).unwrap_or_default();
        BASE32.get(place..=place).unwrap_or_default()
    };
    let day = [letter(days >> 5), letter(days)].concat();
    Some([b"SRS0=", &hash[..], b"=", &day, b"=", of, b"=", local_part, b"@", domain].concat())
}

/// Returns the address that a local part was made of, if it was made with this secret, in the last ten days.
fn inbound_srs(local_part: &[u8], secret: &[u8], days: u64) -> Option<Vec<u8>> {
    let (tag, rest) = local_part.split_at_checked(5)?;
    let mut parts = rest.splitn(4, |octet| *octet == b'=');
    let (hash, day) = (parts.next()?, parts.next()?);
    let (domain, local_part) = (parts.next()?, parts.next()?);
    let value = |letter: &u8| BASE32.iter().position(|known| known.eq_ignore_ascii_case(letter));
    let made = day
        .iter()
        .try_fold(0, |day, letter| Some(day << 5 | u64::try_from(value(letter)?).ok()?))?;
    let path = [local_part, b"@", domain].concat();
    let is_recent = days.wrapping_sub(made) & 0x3ff <= 10;
    let is_signed = secret.is_empty() || is_recent && srs_hash(secret, &path)? == hash;
    (tag.eq_ignore_ascii_case(b"SRS0=") && is_signed).then_some(path)
}

fn srs_hash(secret: &[u8], path: &[u8]) -> Option<Vec<u8>> {
    let mut hash = hmac("md5", secret, &path.to_ascii_lowercase())?;
    hash.truncate(4);
    Some(hash)
}

fn split(address: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = address.iter().rposition(|&octet| octet == b'@')?;
    Some((address.get(..at)?, address.get(at + 1..)?))
}

/// The code of the language itself, in hexadecimal.
fn hmac(hash: &str, secret: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let template = format!("${{hmac{{{hash}}}{{$secret}}{{$text}}}}").parse::<Template>().ok()?;
    Some(template.expand(&Signed { secret, text }).ok()?.as_bytes().to_vec())
}

struct Signed<'a> {
    secret: &'a [u8],
    text: &'a [u8],
}

impl Variables for Signed<'_> {
    fn variable(&self, name: &str) -> Variable<'_> {
        let value = if name == "secret" { self.secret } else { self.text };
        Value::new(value, Trust::Trusted).into()
    }
}

/// The longest secret of `prvs`, in octets.
const MAX_SECRET: usize = 64;

const BASE32: &[u8] = b"abcdefghijklmnopqrstuvwxyz234567";
