//! Fetching over HTTP from responders of all kinds.
#![cfg(feature = "hyper")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/answering.rs"]
mod answering;
#[path = "support/asked.rs"]
mod asked;
#[path = "support/authority.rs"]
mod authority;
#[path = "support/data.rs"]
mod data;
#[path = "support/times.rs"]
mod times;
#[path = "support/vector_time.rs"]
mod vector_time;
#[path = "support/world.rs"]
mod world;

use std::sync::Arc;
use std::time::{Duration, Instant};

use answering::{Answer, head, responder, run};
use asked::asked;
use authority::GOOD;
use ocsp_staple::hyper::{FetchFailure, FetchLimits, Fetched, Fetcher};
use ocsp_staple::{Event, FetchError, Method};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use vector_time::now;
use world::{DAY, HOUR, World, after};

fn limits() -> FetchLimits {
    FetchLimits::default().with_time(Duration::from_millis(700)).with_response(3000)
}

fn fetch_from(answer: Answer) -> Result<Fetched, FetchFailure> {
    run(async {
        let address = responder(answer).await;
        let (fetch, request) = asked(&format!("http://{address}/ca"));
        Fetcher::new(limits()).fetch(&fetch, &request).await
    })
}

#[test]
fn a_response_comes_with_its_age() {
    let fetched = fetch_from(|head| {
        assert!(head.starts_with("GET /ca/ME") && head.contains("\r\nhost: 127.0.0.1:"), "{head}");
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nCache-Control: public, Max-Age=900\r\n\r\nabc"
            .to_vec()
    });
    let fetched = fetched.unwrap();
    assert_eq!(fetched.response, b"abc");
    assert_eq!(fetched.max_age, Some(Duration::from_secs(900)));
}

#[test]
fn every_failure_is_told_by_its_cause() {
    let rows: [(Answer, FetchError, Option<u64>); 12] = [
        (
            |_| b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nabc".to_vec(),
            FetchError::Status(404),
            None,
        ),
        (
            |_| b"HTTP/1.1 503 Busy\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n".to_vec(),
            FetchError::Status(503),
            Some(120),
        ),
        (
            |_| b"HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\n\r\n".to_vec(),
            FetchError::Redirect,
            None,
        ),
        (
            |_| b"HTTP/1.1 301 Moved\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n".to_vec(),
            FetchError::Redirect,
            None,
        ),
        (|_| b"HTTP/1.1 302 Found\r\n\r\n".to_vec(), FetchError::Location, None),
        (
            |_| b"HTTP/1.1 300 Choices\r\nLocation: /x\r\n\r\n".to_vec(),
            FetchError::Status(300),
            None,
        ),
        (|_| b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec(), FetchError::Status(304), None),
        (|_| Vec::new(), FetchError::Broken, None),
        (|_| b"220 mx.example ESMTP\r\n".to_vec(), FetchError::Broken, None),
        (
            |_| b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nthis is cut".to_vec(),
            FetchError::Broken,
            None,
        ),
        // It never ends, or fills the buffer to its limit.
        (
            |_| b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc".to_vec(),
            FetchError::Timeout { seconds: 0 },
            None,
        ),
        (
            |_| [&b"HTTP/1.1 200 OK\r\n\r\n"[..], &[b'x'; 3001]].concat(),
            FetchError::TooLong { limit: 3000 },
            None,
        ),
    ];
    for (answer, error, retry_after) in rows {
        let failure = fetch_from(answer).unwrap_err();
        assert_eq!(failure.error, error);
        assert_eq!(failure.retry_after, retry_after.map(Duration::from_secs), "{error}");
    }
}

#[test]
fn a_connection_without_a_request_ends_no_responder() {
    run(async {
        let address =
            responder(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec()).await;
        for _ in 0..3 {
            drop(TcpStream::connect(address).await.unwrap());
        }
        let (fetch, request) = asked(&format!("http://{address}/"));
        let fetched = Fetcher::new(limits()).fetch(&fetch, &request).await.unwrap();
        assert_eq!(fetched.response, b"ok");
    });
}

/// RFC 9110 section 15.4: only some of the statuses redirect, and one may say where to by a reference that is
/// relative.
#[test]
fn a_redirect_is_followed_by_any_reference_within_the_host() {
    for (location, expected) in [
        ("/there", Ok("/there")),
        ("there", Ok("/ca/there")),
        ("./there?x=/../y#z", Ok("/ca/there?x=/../y")),
        ("../there/", Ok("/there/")),
        ("/a/./b/../there", Ok("/a/there")),
        ("../../..", Ok("/")),
        ("HOST/there", Ok("/there")),
        ("HOST", Ok("/")),
        ("//127.0.0.1:1/there", Err(FetchError::Redirect)),
        ("http://127.0.0.1:1/there", Err(FetchError::Redirect)),
        ("https://127.0.0.1/there", Err(FetchError::Redirect)),
        ("//ocsp.example/there", Err(FetchError::Redirect)),
        ("mailto:ann@example.com", Err(FetchError::Location)),
        ("http:there", Err(FetchError::Location)),
        ("the re", Err(FetchError::Location)),
        ("//", Err(FetchError::Location)),
    ] {
        let (target, result) = run(redirected(location));
        match expected {
            Ok(path) => {
                assert_eq!((target.as_str(), result), (path, Ok(b"ok".to_vec())), "{location}");
            }
            Err(error) => assert_eq!(result, Err(error), "{location}"),
        }
    }
}

/// Asks at `/ca/…`, and returns where it was asked at last.
async fn redirected(location: &str) -> (String, Result<Vec<u8>, FetchError>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let location = location.replace("HOST", &format!("http://{address}"));
    let redirect =
        format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
    let server = tokio::spawn(async move {
        let mut target = String::new();
        for answer in [redirect.as_str(), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"] {
            let Ok(Ok((mut stream, _))) = timeout(SHORT, listener.accept()).await else { break };
            let head = head(&mut stream).await.unwrap();
            target = head.split(' ').nth(1).unwrap().to_owned();
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        target
    });
    let (fetch, request) = asked(&format!("http://{address}/ca"));
    let fetched = Fetcher::new(limits()).fetch(&fetch, &request).await;
    let fetched = fetched.map(|got| got.response).map_err(|failure| failure.error);
    (server.await.unwrap(), fetched)
}

const SHORT: Duration = Duration::from_millis(300);

#[test]
fn the_age_is_read_from_all_lines_of_the_field() {
    for (lines, seconds) in [
        ("Cache-Control: public\r\nCache-Control: max-age=60\r\n", Some(60)),
        ("Cache-Control: no-transform, max-age=\"60\"\r\n", Some(60)),
        ("Cache-Control: private=\"a, max-age=5\", max-age=60\r\n", Some(60)),
        ("Cache-Control: x=\"a\\\", max-age=5\", max-age=60\r\n", Some(60)),
        ("Cache-Control: max-age=60, max-age=5\r\n", Some(60)),
        ("Cache-Control: max-age=99999999999999999999\r\n", Some(u32::MAX.into())),
        ("Cache-Control: max-age=+60\r\n", None),
        ("Cache-Control: max-age=-1, s-maxage=5\r\n", None),
        ("Cache-Control: max-age=\r\n", None),
    ] {
        let fetched = run(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let (fetch, request) = asked(&format!("http://{}/", listener.local_addr().unwrap()));
            let answer = format!("HTTP/1.1 200 OK\r\n{lines}Content-Length: 2\r\n\r\nok");
            tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                head(&mut stream).await.unwrap();
                stream.write_all(answer.as_bytes()).await.unwrap();
            });
            Fetcher::new(limits()).fetch(&fetch, &request).await.unwrap()
        });
        assert_eq!(fetched.max_age, seconds.map(Duration::from_secs), "{lines}");
    }
}

/// RFC 3986 section 3.2.3.
#[test]
fn a_port_that_does_not_exist_is_not_another() {
    run(async {
        for port in ["65536", "99999", "+80", "0", "8o", "99999999999"] {
            for scheme in ["http", "https"] {
                let (fetch, request) = asked(&format!("{scheme}://127.0.0.1:{port}/ca"));
                let failure = Fetcher::new(limits()).fetch(&fetch, &request).await.unwrap_err();
                let is_https = failure.error == FetchError::Https && scheme == "https";
                assert!(is_https || failure.error == FetchError::Url, "{port}: {failure}");
            }
        }
    });
}

#[test]
fn a_redirect_within_the_host_is_followed() {
    let fetched = fetch_from(|head| {
        if head.starts_with("GET /there ") {
            return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec();
        }
        b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n".to_vec()
    });
    assert_eq!(fetched.unwrap().response, b"ok");
}

#[test]
fn a_request_is_posted_where_it_has_to_be() {
    run(async {
        let address = responder(|head| {
            assert!(head.starts_with("POST /ca?x=1 HTTP/1.1\r\n"), "{head}");
            assert!(head.contains("content-type: application/ocsp-request\r\n"), "{head}");
            assert!(head.contains("cache-control: no-cache\r\n"), "{head}");
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec()
        })
        .await;
        let (mut fetch, request) = asked(&format!("http://{address}/ca?x=1"));
        fetch.bypass_caches = true;
        assert_eq!(fetch.method, Method::Get, "but the address has a query");
        let fetched = Fetcher::new(limits()).fetch(&fetch, &request).await.unwrap();
        assert_eq!(fetched.response, b"ok");
    });
}

fn unconnected(port: u16) -> FetchError {
    FetchError::Connect { why: format!("[::1]:{port}: Connection refused (os error 111)") }
}

#[test]
fn one_address_that_is_dead_leaves_the_next() {
    run(async {
        // `localhost` is ::1 as well, where nobody listens.
        let port =
            responder(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec()).await.port();
        for (url, fetched) in [
            (format!("http://localhost:{port}/"), Ok(&b"ok"[..])),
            (format!("http://[::1]:{port}/"), Err(unconnected(port))),
            (format!("http://nowhere.invalid:{port}/"), Err(FetchError::Name)),
            (format!("https://localhost:{port}/"), Err(FetchError::Https)),
            (format!("HTTP://localhost:{port}/"), Ok(&b"ok"[..])),
            (format!("http://ann:secret@localhost:{port}/"), Err(FetchError::Url)),
            ("http:///ca".to_owned(), Err(FetchError::Url)),
            ("ldap://localhost/ca".to_owned(), Err(FetchError::Url)),
        ] {
            let (fetch, request) = asked(&url);
            let got = Fetcher::new(FetchLimits::default()).fetch(&fetch, &request).await;
            let got = got.as_ref().map(|got| &got.response[..]).map_err(|f| f.error.clone());
            assert_eq!(got, fetched, "{url}");
        }
    });
}

#[test]
fn a_responder_that_never_ends_holds_up_no_other() {
    run(async {
        let silent = responder(|_| b"HTTP/1.1 200 OK\r\n".to_vec()).await;
        let quick = responder(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec()).await;
        let fetcher = Arc::new(Fetcher::new(limits()));
        let began = Instant::now();
        let mut running = Vec::new();
        for address in [silent, silent, quick] {
            let (fetch, request) = asked(&format!("http://{address}/"));
            let fetcher = Arc::clone(&fetcher);
            running.push(tokio::spawn(async move { fetcher.fetch(&fetch, &request).await }));
        }
        let quick = running.pop().unwrap().await.unwrap();
        assert_eq!(quick.unwrap().response, b"ok");
        assert!(began.elapsed() < Duration::from_millis(600));
        for silent in running {
            let failure = silent.await.unwrap().unwrap_err();
            assert_eq!(failure.error, FetchError::Timeout { seconds: 0 });
        }
    });
}

#[test]
fn a_page_of_a_captive_portal_is_never_stapled() {
    let page = fetch_from(|_| {
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>".to_vec()
    });
    let page = page.unwrap();
    World::new(DAY * 90).run(|check, mut schedule| {
        schedule.handle_response(&world_response(), None, check, now(), 0);
        schedule.handle_response(&page.response, page.max_age, check, after(HOUR), 0);
        assert!(schedule.staple(after(HOUR)).is_some());
        let events: Vec<_> = std::iter::from_fn(|| schedule.poll_event()).collect();
        assert!(matches!(events[..], [Event::Good { .. }, Event::Failed { .. }]));
    });
}

fn world_response() -> Vec<u8> {
    World::new(DAY * 90).respond(GOOD, now(), DAY * 4)
}
