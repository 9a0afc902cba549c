//! CONFIG SET and GET, answer for answer, against a real redis-server.
//!
//! By hand, where one is installed: `cargo test -p ringslot-config --test against_redis -- --ignored`.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use config::{words, Config, Effect, Id, SetContext, TABLE};

const PORT: u16 = 17_981;

struct Redis {
    child: Child,
    stream: TcpStream,
}

impl Redis {
    fn start() -> Redis {
        let port = PORT.to_string();
        let child = Command::new("redis-server")
            .args(["--port", &port, "--save", "", "--bind", "127.0.0.1", "--dir"])
            .arg(std::env::temp_dir())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            match TcpStream::connect(("127.0.0.1", PORT)) {
                Ok(stream) => return Redis { child, stream },
                Err(error) if Instant::now() > deadline => panic!("{error}"),
                Err(_) => std::thread::yield_now(),
            }
        }
    }

    /// One line: `+OK` or an error.
    fn set(&mut self, name: &str, value: &[u8]) -> String {
        let request = [
            format!("*4\r\n$6\r\nCONFIG\r\n$3\r\nSET\r\n${}\r\n{name}\r\n${}\r\n", name.len(), value.len())
                .as_bytes(),
            value,
            b"\r\n",
        ]
        .concat();
        self.stream.write_all(&request).expect("write");
        self.line()
    }

    fn get(&mut self, name: &str) -> Vec<u8> {
        let request = format!("*3\r\n$6\r\nCONFIG\r\n$3\r\nGET\r\n${}\r\n{name}\r\n", name.len());
        self.stream.write_all(request.as_bytes()).expect("write");
        assert_eq!(self.line(), "*2");
        self.bulk();
        self.bulk()
    }

    fn line(&mut self) -> String {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).expect("read");
            line.push(byte[0]);
        }
        String::from_utf8_lossy(&line).trim_end().to_string()
    }

    fn bulk(&mut self) -> Vec<u8> {
        let length: usize = self.line()[1..].parse().expect("a length");
        let mut bytes = vec![0; length + 2];
        self.stream.read_exact(&mut bytes).expect("read");
        bytes.truncate(length);
        bytes
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "needs a redis-server"]
fn set_and_get_answer_as_redis_does() {
    const VALUES: [&str; 46] = [
        "",
        " ",
        "0",
        "1",
        "2",
        "-1",
        "-5",
        "-0",
        "00",
        "01",
        "+1",
        " 1",
        "1 ",
        "1.5",
        "99",
        "100",
        "101",
        "1000",
        "65535",
        "65536",
        "2147483647",
        "2147483648",
        "4294967295",
        "9223372036854775807",
        "9223372036854775808",
        "1k",
        "1Kb",
        "1mb",
        "1g",
        "1gb",
        "1tb",
        "kb",
        "5%",
        "100%",
        "101%",
        "yes",
        "NO",
        "no one",
        "x",
        "a/b",
        "save now",
        "nosave save",
        "60 1",
        "60 1 ",
        "Ag",
        "normal 1mb 1 1",
    ];
    // Changing these changes the machine or the connection, or 7.0 differs from 7.2.
    const SKIPPED: [&str; 12] = [
        "bind",
        "port",
        "maxclients",
        "appendonly",
        "oom-score-adj",
        "oom-score-adj-values",
        "tls-port",
        "activedefrag",
        "dir",
        "requirepass",
        "loglevel",
        "watchdog-period",
    ];
    // C's arithmetic wraps around here; and we do not keep a minus zero.
    const DIFFERENT: [(&str, &str); 2] =
        [("maxmemory-clients", "9223372036854775808"), ("latency-tracking-info-percentiles", "-0")];
    let mut redis = Redis::start();
    let mut config = Config::default();
    let mut differences = Vec::new();
    for (id, directive) in Id::ALL.iter().zip(TABLE) {
        let name = directive.name;
        let is_known = redis.set(name, b"\x01").contains("Unknown option");
        if is_known || SKIPPED.contains(&name) || matches!(directive.effect, Effect::Refused(_)) {
            continue;
        }
        for value in VALUES {
            if DIFFERENT.contains(&(name, value)) {
                continue;
            }
            let theirs = redis.set(name, value.as_bytes());
            let ours = match config.set(&[(name, value)], SetContext::default()) {
                Ok(_) => "+OK".to_string(),
                Err(error) => format!("-ERR {error}"),
            };
            let (their_value, our_value) = (redis.get(name), config.show(*id));
            if theirs != ours || (their_value != our_value && theirs == "+OK") {
                let text = |bytes: &[u8]| String::from_utf8_lossy(&words::quote(bytes)).into_owned();
                differences.push(format!(
                    "{name} {value:?}: redis {theirs} {}, ours {ours} {}",
                    text(&their_value),
                    text(&our_value)
                ));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
