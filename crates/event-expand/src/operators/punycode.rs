//! Punycode: RFC 3492.

/// Encodes a text; `None` if it is too long for 32 bits.
pub(crate) fn encode(text: &str) -> Option<String> {
    let mut encoded: String = text.chars().filter(char::is_ascii).collect();
    let basic = u32::try_from(encoded.len()).ok()?;
    if basic > 0 {
        encoded.push('-');
    }
    let (mut n, mut delta, mut bias, mut handled) = (128_u32, 0_u32, 72, basic);
    let total = u32::try_from(text.chars().count()).ok()?;
    while handled < total {
        let next = text.chars().map(u32::from).filter(|c| *c >= n).min()?;
        delta = (next - n).checked_mul(handled + 1)?.checked_add(delta)?;
        n = next;
        for c in text.chars().map(u32::from) {
            if c < n {
                delta = delta.checked_add(1)?;
            }
            if c == n {
                push_number(&mut encoded, delta, bias)?;
                bias = adapt(delta, handled + 1, handled == basic);
                delta = 0;
                handled += 1;
            }
        }
        delta = delta.checked_add(1)?;
        n = n.checked_add(1)?;
    }
    Some(encoded)
}

/// Decodes a text; `None` if it is not Punycode.
pub(crate) fn decode(text: &str) -> Option<String> {
    let (basic, digits) = text.rsplit_once('-').unwrap_or(("", text));
    let mut decoded: Vec<char> = basic.is_ascii().then(|| basic.chars().collect())?;
    let (mut n, mut i, mut bias) = (128_u32, 0_u32, 72);
    let mut digits = digits.bytes().peekable();
    while digits.peek().is_some() {
        let (before, mut weight, mut k) = (i, 1_u32, BASE);
        loop {
            let digit = match digits.next()? {
                digit @ b'0'..=b'9' => u32::from(digit - b'0') + 26,
                digit if digit.is_ascii_alphabetic() => {
                    u32::from(digit.to_ascii_lowercase() - b'a')
                }
                _ => return None,
            };
            i = digit.checked_mul(weight)?.checked_add(i)?;
            let least = threshold(k, bias);
            if digit < least {
                break;
            }
            weight = weight.checked_mul(BASE - least)?;
            k += BASE;
        }
        let count = u32::try_from(decoded.len()).ok()?.checked_add(1)?;
        bias = adapt(i - before, count, before == 0);
        n = n.checked_add(i / count)?;
        i %= count;
        decoded.insert(usize::try_from(i).ok()?, char::from_u32(n)?);
        i += 1;
    }
    Some(decoded.into_iter().collect())
}

fn push_number(encoded: &mut String, mut number: u32, bias: u32) -> Option<()> {
    let mut k = BASE;
    loop {
        let least = threshold(k, bias);
        if number < least {
            encoded.push(digit(number)?);
            return Some(());
        }
        encoded.push(digit(least + (number - least) % (BASE - least))?);
        number = (number - least) / (BASE - least);
        k += BASE;
    }
}

fn digit(number: u32) -> Option<char> {
    b"abcdefghijklmnopqrstuvwxyz0123456789"
        .get(usize::try_from(number).ok()?)
        .map(|b| char::from(*b))
}

fn threshold(k: u32, bias: u32) -> u32 {
    k.saturating_sub(bias).clamp(1, 26)
}

fn adapt(delta: u32, count: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / count;
    let mut k = 0;
    while delta > 455 {
        delta /= 35;
        k += BASE;
    }
    k + 36 * delta / (delta + 38)
}

const BASE: u32 = 36;
