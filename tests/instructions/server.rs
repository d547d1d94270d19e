//! The platform's side of a counted call: one signed answer, made before, to whatever is asked.
//!
//! It runs on a thread of its own, which callgrind does not count. An answer leaves in one piece, so that reading it
//! always takes the same steps.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::Arc,
    thread,
};

/// Answers every request on every connection, for as long as the process lives.
///
/// # Panics
///
/// When there is no port on loopback.
pub(crate) fn start(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("an address");
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            // Who goes away is not waited for.
            thread::spawn(move || drop(converse(stream, &answer)));
        }
    });
    format!("http://{address}")
}

fn converse(mut stream: TcpStream, answer: &[u8]) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut read, mut buffer) = (Vec::new(), [0; 8192]);
    loop {
        while length(&read).is_none_or(|whole| read.len() < whole) {
            match stream.read(&mut buffer)? {
                0 => return Ok(()),
                count => read.extend_from_slice(&buffer[..count]),
            }
        }
        read.clear();
        stream.write_all(answer)?;
    }
}

/// Bytes of a request with its head, once the head is there.
fn length(read: &[u8]) -> Option<usize> {
    let head = read.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
    let text = str::from_utf8(&read[..head]).ok()?;
    let body = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse::<usize>().ok())?
    });
    Some(head + body.unwrap_or(0))
}
