//! A batch of the journal is read as written, and not at all with a changed byte; any other parsed
//! batch never has more messages than its bytes allow.

#![no_main]

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use examples::gateway::message::id::MessageId;
use examples::gateway::store::Message;
use examples::gateway::store::batch::Batch;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u64, u16, u8, Vec<&[u8]>)| {
    let (nonce, at, change, bodies) = input;
    assert!(MessageId::next(UNIX_EPOCH).seconds() < u64::MAX);
    let messages: Vec<Message> = bodies
        .iter()
        .map(|body| {
            let (head, tail) = body.split_at(body.len() / 2);
            let parts = [head, tail].map(Bytes::copy_from_slice).into();
            Message { id: MessageId::next(UNIX_EPOCH), parts }
        })
        .collect();
    let mut bytes = Vec::new();
    let count = Batch::write(messages.iter(), nonce, 7, &mut bytes);
    assert_eq!(count as usize, messages.len());

    let found = read(&bytes, nonce).expect("it is whole");
    assert_eq!((found.first(), found.behind(), found.bytes()), (7, 7 + count, bytes.len() as u64));
    let found: Vec<_> = found.messages().collect();
    assert_eq!(found.len(), messages.len());
    for ((number, found), (place, message)) in found.iter().zip((7..).zip(&messages)) {
        assert_eq!((*number, found.id), (place, message.id));
        assert_eq!(found.parts.concat(), message.parts.concat());
    }

    let at = usize::from(at) % bytes.len();
    bytes[at] ^= change | 1;
    assert!(read(&bytes, nonce).is_none(), "a spoiled batch counts");
    for body in bodies {
        if let Some(batch) = read(body, nonce) {
            assert!(batch.messages().count() <= body.len());
        }
    }
});

fn read(bytes: &[u8], nonce: u64) -> Option<Batch> {
    let file =
        File::from(rustix::fs::memfd_create("batch", rustix::fs::MemfdFlags::empty()).unwrap());
    file.write_all_at(bytes, 0).unwrap();
    Batch::read(&file, 0, bytes.len() as u64, nonce).unwrap()
}
