//! Fields that claim to be ours go, and nothing else does.

use bytes::Bytes;

use super::super::authentication::without_forged;

#[test]
fn what_claims_to_be_ours_is_taken_out() {
    let forged = [
        "Authentication-Results: mx.test; spf=pass\r\n",
        "authentication-results:MX.Test;\r\n\tspf=pass\r\n dkim=pass\r\n",
        "Authentication-Results : (a (b\\)) c) \"mx.test\" 1; none\r\n",
        "Authentication-Results:\r\n mx.test (x); none\r\n",
    ];
    for field in forged {
        assert_eq!(
            left(&format!("A: 1\r\n{field}B: 2\r\n\r\n{field}")),
            format!("A: 1\r\nB: 2\r\n\r\n{field}")
        );
        assert_eq!(left(&format!("{field}{field}\r\n")), "\r\n");
        assert_eq!(left(field), "");
    }
}

#[test]
fn what_claims_to_be_others_or_nothing_stays() {
    let rows = [
        "",
        "\r\n",
        "no field\r\n\r\n",
        "Authentication-Results: mx.test.example; spf=pass\r\n\r\nx",
        "Authentication-Results: other.test (mx.test); spf=pass\r\n\r\n",
        "Subject: Authentication-Results: mx.test\r\n\r\n",
        "X: y\r\n Authentication-Results: mx.test; spf=pass\r\n\r\n",
        "X: y\r\n\r\nAuthentication-Results: mx.test; spf=pass\r\n",
    ];
    for row in rows {
        assert_eq!(left(row), row);
    }
}

fn left(message: &str) -> String {
    let parts = without_forged(&Bytes::copy_from_slice(message.as_bytes()), "mx.test");
    parts.iter().map(|part| String::from_utf8_lossy(part)).collect()
}
