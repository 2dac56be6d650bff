//! Zip archives, by the crate `rawzip`.

use std::io::{self, Read};

use flate2::bufread::DeflateDecoder;
use rawzip::{CompressionMethod, ZipArchive, ZipFileHeaderRecord, ZipSliceArchive};

use super::limits::OpenError;
use super::opening::{Opening, join, name_of};

/// Opens all entries. An entry that cannot be read is told, and the next one follows.
pub(super) fn open(opening: &mut Opening<'_>, octets: &[u8], within: &str, depth: usize) {
    let archive = match ZipArchive::from_slice(octets) {
        Ok(archive) => archive,
        Err(error) => return opening.fault(within, OpenError::Zip(error.to_string())),
    };
    let mut entries = archive.entries();
    loop {
        let entry = match entries.next_entry() {
            Ok(Some(entry)) => entry,
            Ok(None) => return,
            Err(error) => return opening.fault(within, OpenError::Zip(error.to_string())),
        };
        if !opening.count(1, within) {
            return;
        }
        if entry.is_dir() {
            continue;
        }
        let place = join(within, &name_of(entry.file_path().as_bytes()));
        match unpack(&archive, &entry, opening.xml) {
            Ok(content) => opening.octets(&content, &place, depth + 1),
            Err(OpenError::Unpacked { .. }) => {
                opening.xml = 0;
                let limit = opening.limits.report.xml;
                return opening.fault(&place, OpenError::Unpacked { limit });
            }
            Err(error) => opening.fault(&place, error),
        }
    }
}

/// Unpacks at most `most` octets.
fn unpack(
    archive: &ZipSliceArchive<&[u8]>,
    entry: &ZipFileHeaderRecord<'_>,
    most: usize,
) -> Result<Vec<u8>, OpenError> {
    let wrong = |error: rawzip::Error| OpenError::Zip(error.to_string());
    let found = archive.get_entry(entry.wayfinder()).map_err(wrong)?;
    let mut content = Vec::new();
    let enough = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let mut read = |reader: &mut dyn Read| -> io::Result<usize> {
        reader.take(enough).read_to_end(&mut content)
    };
    let read = match entry.compression_method() {
        _ if entry.flags().is_encrypted() => return Err(OpenError::ZipMethod),
        CompressionMethod::STORE => read(&mut found.verifying_reader(found.data())),
        CompressionMethod::DEFLATE => {
            read(&mut found.verifying_reader(DeflateDecoder::new(found.data())))
        }
        _ => return Err(OpenError::ZipMethod),
    };
    if content.len() > most {
        return Err(OpenError::Unpacked { limit: most });
    }
    read.map_err(|error| OpenError::Zip(error.to_string()))?;
    Ok(content)
}
