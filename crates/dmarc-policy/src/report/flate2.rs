//! Compresses with gzip (RFC 1952), by the crate `flate2`.

use std::io::{Read, Write};

use ::flate2::Compression;
use ::flate2::bufread::GzDecoder;
use ::flate2::write::GzEncoder;

use crate::{FeedbackError, FeedbackLimits};

/// Compresses without a time or a name, so that the same text gives the same octets.
pub(crate) fn compress(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Neither a vector nor the encoder can fail.
    let _ = encoder.write_all(text);
    encoder.finish().unwrap_or_default()
}

/// Decompresses as many octets and members as the limits allow, and reports a fault after them.
///
/// Reporters cut the trailer off, and mail programs add line ends or zeros, between the members of a
/// file too: the content is complete all the same.
pub(crate) fn decompress(
    octets: &[u8],
    limits: &FeedbackLimits,
) -> Result<(Vec<u8>, Option<DeviationOfGzip>), FeedbackError> {
    let (mut text, mut rest, mut deviation) = (Vec::new(), octets, None);
    let (limit, mut members) = (limits.xml, 0);
    while is_gzip(rest) {
        // Each takes a decoder of its own, even if it is empty.
        members += 1;
        if members > limits.members {
            return Err(FeedbackError::Members { limit: limits.members });
        }
        let most = u64::try_from(limit - text.len()).unwrap_or(u64::MAX).saturating_add(1);
        let mut member = GzDecoder::new(rest);
        let read = member.by_ref().take(most).read_to_end(&mut text);
        if text.len() > limit {
            return Err(FeedbackError::Xml { limit });
        }
        rest = match read {
            Ok(_) => member.into_inner(),
            Err(_) if text.is_empty() => return Err(FeedbackError::Gzip),
            Err(_) => {
                deviation = Some(DeviationOfGzip::End);
                b""
            }
        };
        let is_padding = |octet: &u8| *octet == 0 || octet.is_ascii_whitespace();
        let padding = rest.iter().take_while(|octet| is_padding(octet)).count();
        if let Some(next) = rest.get(padding..).filter(|next| padding > 0 && is_gzip(next)) {
            (rest, deviation) = (next, Some(DeviationOfGzip::Behind));
        }
    }
    if !rest.is_empty() {
        deviation = Some(DeviationOfGzip::Behind);
    }
    Ok((text, deviation))
}

/// A fault of compressed data whose content is complete.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum DeviationOfGzip {
    /// The data is truncated, or its checksum is wrong.
    End,
    /// Octets follow the data.
    Behind,
}

/// Tells whether the octets begin as gzip does.
pub(crate) fn is_gzip(octets: &[u8]) -> bool {
    octets.starts_with(&[0x1f, 0x8b])
}
