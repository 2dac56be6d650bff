//! Segments of the journal: intact, incomplete and damaged.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::SystemTime;

use super::scratch::Scratch;
use crate::gateway::message::id::MessageId;
use crate::gateway::store::Message;
use crate::gateway::store::progress::Progress;
use crate::gateway::store::segment::{JournalPosition, Segment};

const BYTES: u64 = 32 << 10;
const BLOCK: usize = 4096;

fn message(text: &str) -> Message {
    let (head, body) = text.split_at(text.len() / 2);
    let parts = vec![head.to_owned().into(), body.to_owned().into()];
    Message { id: MessageId::next(SystemTime::now()), parts }
}

fn text(message: &Message) -> String {
    String::from_utf8(message.parts.concat()).unwrap()
}

/// Returns the place, id and text of each message, and how many are missing.
fn contents(path: &Path) -> (Vec<(u32, MessageId, String)>, u32) {
    let segment = Segment::open(path, BYTES).unwrap();
    let (mut found, mut missing, mut expected) = (Vec::new(), 0, 0);
    for batch in segment.batches().unwrap() {
        let batch = batch.unwrap();
        missing += batch.first() - expected;
        expected = batch.behind();
        found.extend(batch.messages().map(|(position, m)| (position, m.id, text(&m))));
    }
    (found, missing)
}

/// Writes three batches, of one, two and one message; returns what shall be read.
fn write_three(path: &Path) -> Vec<(u32, MessageId, String)> {
    let long = "x".repeat(2 * BLOCK);
    let messages = ["one", "two", long.as_str(), "four"].map(message);
    let mut segment = Segment::open(path, BYTES).unwrap();
    segment.begin(7).unwrap();
    for (range, first) in [(0..1, 0), (1..3, 1), (3..4, 3)] {
        let position = segment.append(messages[range].iter()).unwrap();
        assert_eq!(position, JournalPosition { sequence: 7, record: first });
    }
    (0..).zip(messages).map(|(position, m)| (position, m.id, text(&m))).collect()
}

#[test]
fn what_was_appended_is_read_in_order() {
    let scratch = Scratch::new();
    let path = scratch.path().join("segment-0");
    let written = write_three(&path);
    assert_eq!(contents(&path), (written, 0));
    assert_eq!(fs::metadata(&path).unwrap().len(), BYTES);
}

#[test]
fn a_batch_cut_at_any_byte_is_not_there_and_those_before_it_are() {
    let scratch = Scratch::new();
    let path = scratch.path().join("segment-0");
    let written = write_three(&path);
    let whole = fs::read(&path).unwrap();
    let torn = scratch.path().join("torn");
    let head_and_record = 32 + 24 + 4;
    // The last byte of each batch, from the layout: the first block, then 1, 3 and 1 blocks.
    let ends = [
        BLOCK + head_and_record + 3,
        2 * BLOCK + head_and_record + 3 + 28 + 2 * BLOCK,
        5 * BLOCK + head_and_record + 4,
    ];
    for cut in (BLOCK..=whole.len()).filter(|cut| cut % 61 == 0 || cut % BLOCK < 100) {
        // What a crash leaves behind the cut: nothing yet written, or the file's end.
        let mut bytes = whole[..cut].to_vec();
        if cut % 2 == 0 {
            bytes.resize(whole.len(), 0);
        }
        fs::write(&torn, &bytes).unwrap();
        let batches = ends.iter().filter(|&&end| cut >= end).count();
        let records = [0, 1, 3, 4][batches];
        assert_eq!(contents(&torn), (written[..records].to_vec(), 0), "cut at {cut}");
    }
}

#[test]
fn a_flipped_bit_costs_its_batch_alone_and_is_counted() {
    let scratch = Scratch::new();
    let path = scratch.path().join("segment-0");
    let written = write_three(&path);
    let file = File::options().read(true).write(true).open(&path).unwrap();
    for at in [0, 8, 16, 20, 24, 28, 32, 60, 3000, 8282] {
        let at = 2 * BLOCK as u64 + at;
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 0x10], at).unwrap();
        let left = vec![written[0].clone(), written[3].clone()];
        assert_eq!(contents(&path), (left, 2), "byte {at}");
        file.write_all_at(&byte, at).unwrap();
    }
    assert_eq!(contents(&path), (written, 0));
}

#[test]
fn an_earlier_use_is_never_read_again() {
    let scratch = Scratch::new();
    let path = scratch.path().join("segment-0");
    write_three(&path);
    let mut segment = Segment::open(&path, BYTES).unwrap();
    segment.begin(8).unwrap();
    let fresh = message("fresh");
    segment.append([&fresh].into_iter()).unwrap();
    assert_eq!(contents(&path), (vec![(0, fresh.id, text(&fresh))], 0));
    segment.clear().unwrap();
    assert_eq!(contents(&path), (vec![], 0));
}

#[test]
fn a_message_that_looks_like_a_batch_is_not_one() {
    let scratch = Scratch::new();
    let path = scratch.path().join("segment-0");
    write_three(&path);
    // A sender who had read the journal of an earlier use could send its blocks as a message.
    let mut stolen = vec![b'.'; BLOCK - 60];
    stolen.extend_from_slice(&fs::read(&path).unwrap()[BLOCK..2 * BLOCK]);
    let sent = Message { id: MessageId::next(SystemTime::now()), parts: vec![stolen.into()] };
    let mut segment = Segment::open(&path, BYTES).unwrap();
    segment.begin(8).unwrap();
    segment.append([&sent].into_iter()).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    file.write_all_at(b"spoiled", BLOCK as u64).unwrap();
    assert_eq!(contents(&path), (vec![], 0));
}

#[test]
fn a_first_block_that_is_not_ours_is_damage() {
    let scratch = Scratch::new();
    let path = scratch.path().join("segment-0");
    write_three(&path);
    let file = File::options().write(true).open(&path).unwrap();
    for at in [0, 16, 24, 32, 4095] {
        file.write_all_at(b"!", at).unwrap();
        assert!(Segment::open(&path, BYTES).unwrap().is_damaged(), "byte {at}");
    }
}

#[test]
fn progress_is_read_back_unless_it_is_torn() {
    let scratch = Scratch::new();
    let position = JournalPosition { sequence: 3, record: 14 };
    Progress::open(scratch.path()).unwrap().advance(position).unwrap();
    assert_eq!(Progress::open(scratch.path()).unwrap().reached(), Some(position));

    let path = scratch.path().join("progress");
    let whole = fs::read(&path).unwrap();
    for end in 0..whole.len() {
        fs::write(&path, &whole[..end]).unwrap();
        assert_eq!(Progress::open(scratch.path()).unwrap().reached(), None, "{end} bytes");
    }
}

#[test]
fn progress_of_another_boot_does_not_count() {
    let scratch = Scratch::new();
    let position = JournalPosition { sequence: 3, record: 14 };
    Progress::open(scratch.path()).unwrap().advance(position).unwrap();
    let path = scratch.path().join("progress");
    let mut bytes = fs::read(&path).unwrap();
    bytes[0] ^= 1;
    let sum = crc32c::crc32c(&bytes[..28]).to_le_bytes();
    bytes[28..].copy_from_slice(&sum);
    fs::write(&path, bytes).unwrap();
    let progress = Progress::open(scratch.path()).unwrap();
    assert_eq!(progress.reached(), None);
    assert_eq!(progress.last_sequence(), 3);
}
