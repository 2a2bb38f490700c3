//! An HTTP client, as small as the tests of the service need one: a request per connection.

use serde_json::Value as Json;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: String,
}

/// Posts a JSON body.
pub(crate) fn post(to: SocketAddr, path: &str, body: &str) -> Answer {
    post_as(to, path, "application/json", body)
}

/// Posts a body of any type.
pub(crate) fn post_as(to: SocketAddr, path: &str, media_type: &str, body: &str) -> Answer {
    let headers = format!(
        "Content-Type: {media_type}\r\nContent-Length: {}\r\n",
        body.len()
    );
    exchange(to, &format!("POST {path}"), &headers, body)
}

pub(crate) fn get(to: SocketAddr, path: &str) -> Answer {
    exchange(to, &format!("GET {path}"), "", "")
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Json {
        assert!(
            self.headers.contains("content-type: application/json"),
            "{self:?}"
        );
        serde_json::from_str(&self.body).expect("JSON")
    }
}

fn exchange(to: SocketAddr, line: &str, headers: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(to).expect("the service listens");
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .expect("a timeout");
    let request =
        format!("{line} HTTP/1.1\r\nHost: service\r\nConnection: close\r\n{headers}\r\n{body}");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok());
    Answer {
        status: status.expect("a status"),
        headers: head.to_ascii_lowercase(),
        body: body.to_owned(),
    }
}
