//! A message without a header section, by `DATA` and by `BDAT`.

use mail_types::smtp::Header;

use crate::gateway::smtp::tests::session::{ready, settings};
use crate::gateway::smtp::transaction::hops;

#[test]
fn a_message_without_a_header_gets_an_empty_line_first() {
    for (text, expected, header) in [
        (
            "\t; dkim=pass\r\nFrom: a@b.example\r\n",
            "\r\n\t; dkim=pass\r\nFrom: a@b.example\r\n",
            "",
        ),
        ("hello\r\n\r\nReceived: x\r\n", "\r\nhello\r\n\r\nReceived: x\r\n", ""),
        ("\r\nhello\r\n", "\r\nhello\r\n", ""),
        (
            "a: b\r\nc\r\nd: e\r\n\r\nf\r\n",
            "a: b\r\nc\r\nd: e\r\n\r\nf\r\n",
            "a: b\r\nc\r\nd: e\r\n",
        ),
        ("\r\n", "\r\n", ""),
    ] {
        let bdat = format!("BDAT {} LAST\r\n{text}", text.len());
        let (first, rest) = bdat.split_at(bdat.len() - text.len() / 2);
        let bdat = [first.to_owned(), rest.to_owned()];
        for pieces in [["DATA\r\n".to_owned(), format!("{text}.\r\n")], bdat] {
            let mut talk = ready(settings());
            for piece in &pieces {
                talk.say(piece);
            }
            assert_eq!(talk.messages, [expected], "{pieces:?}");
            assert_eq!(Header::of(expected.as_bytes()).text, header.as_bytes());
        }
    }
    let received = "Received: by x\r\n".repeat(9);
    assert_eq!(hops(format!("\r\nno field\r\n{received}").as_bytes()), 0);
    assert_eq!(hops(format!("a: b\r\nno field\r\n{received}").as_bytes()), 9);
}
