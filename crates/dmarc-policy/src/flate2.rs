//! gzip (RFC 1952), with `flate2`.

use std::io::{Read, Write};

use ::flate2::Compression;
use ::flate2::bufread::MultiGzDecoder;
use ::flate2::write::GzEncoder;

use crate::FeedbackError;

/// Compresses; without a time or a name, so that the same text gives the same octets.
pub(crate) fn compress(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Neither a vector nor the encoder refuses octets.
    let _ = encoder.write_all(text);
    encoder.finish().unwrap_or_default()
}

/// Decompresses no more than `limit` octets.
pub(crate) fn decompress(octets: &[u8], limit: usize) -> Result<Vec<u8>, FeedbackError> {
    let mut text = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let read = MultiGzDecoder::new(octets).take(most).read_to_end(&mut text);
    read.map_err(|_| FeedbackError::Gzip)?;
    if text.len() > limit { Err(FeedbackError::Xml { limit }) } else { Ok(text) }
}

/// Whether the octets begin as gzip does.
pub(crate) fn is_gzip(octets: &[u8]) -> bool {
    octets.starts_with(&[0x1f, 0x8b])
}
