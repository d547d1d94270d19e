//! Load for a sandbox in another process: requests signed beforehand over plain sockets, so that this side costs little.
//!
//! What the sandbox costs is read from `/proc`: its CPU time, its memory and, in a soak, how the memory grows.

use std::{
    io::{Read, Write},
    net::{TcpStream, ToSocketAddrs},
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::Instant;
use wxmember::{Clock, CommonField, CommonFieldName, FormValue, SystemClock};
use wxmember_tests::members::MemberList;

use crate::{
    cost::{cpu_of, memory, peak_memory},
    platform::Account,
    request,
};

/// Sends so many members, a request each, and waits for the answers; `first` numbers the first one.
pub(crate) fn measure(
    first: u64,
    requests: u64,
    connections: usize,
    folder: &Path,
    process: &str,
) -> Result<Value, String> {
    let maker = Maker::new(folder, first..first + requests)?;
    let made = made_on_all_cores(&maker, requests)?;
    let next = AtomicU64::new(0);
    let (cpu_before, start) = (cpu_of(process)?, Instant::now());
    on_connections(&maker, connections, |connection| {
        while let Some(request) = made.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
            connection.exchange(request)?;
        }
        Ok(())
    })?;
    let (seconds, cpu_after) = (start.elapsed().as_secs_f64(), cpu_of(process)?);
    Ok(json!({
        "requests": requests,
        "connections": connections,
        "seconds": seconds,
        "cpu_seconds": cpu_after.own - cpu_before.own,
        "bytes": memory(process),
        "peak_bytes": peak_memory(process),
    }))
}

/// Sends the same members over and over, each request signed anew, and looks at the sandbox's memory once a second.
pub(crate) fn soak(
    seconds: u64,
    members: u64,
    connections: usize,
    folder: &Path,
    process: &str,
) -> Result<Value, String> {
    let maker = Maker::new(folder, 1..1 + members)?;
    let (next, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    let start = Instant::now();
    let mut looks = Vec::new();
    thread::scope(|scope| {
        let work = scope.spawn(|| {
            let ended = on_connections(&maker, connections, |connection| {
                while !is_over.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    connection.exchange(&maker.request(number % members)?)?;
                }
                Ok(())
            });
            is_over.store(true, Ordering::Relaxed);
            ended
        });
        for second in 1..=seconds {
            thread::sleep((Duration::from_secs(second)).saturating_sub(start.elapsed()));
            looks.push((next.load(Ordering::Relaxed), memory(process).unwrap_or(0)));
        }
        is_over.store(true, Ordering::Relaxed);
        work.join().map_err(|_| "a thread panicked".to_owned())?
    })?;
    // By then every member is there, every thread has been used, and the journal is full.
    let settled = looks.get(looks.len() / 4).copied().unwrap_or_default();
    let last = looks.last().copied().unwrap_or_default();
    Ok(json!({
        "seconds": seconds,
        "requests": last.0,
        "settled_requests": settled.0,
        "settled_bytes": settled.1,
        "bytes": last.1,
        "peak_bytes": peak_memory(process),
        "bytes_by_second": looks.iter().map(|(_, bytes)| bytes).collect::<Vec<_>>(),
    }))
}

/// Makes requests: members whose bodies are sealed once, and signatures.
struct Maker {
    account: Account,
    address: String,
    clock: SystemClock,
    nonces: AtomicU64,
    bodies: Vec<String>,
}

impl Maker {
    fn new(folder: &Path, members: std::ops::Range<u64>) -> Result<Self, String> {
        let account = Account::of_folder(folder)?;
        let list = MemberList::new(members.end, SEED);
        let sealed = members.map(|row| {
            let mut member = request::of_row(&account, list.row(row))?;
            let address = CommonField::builder()
                .name(CommonFieldName::Address)
                .value(FormValue::new("广东省深圳市南山区"))
                .build();
            // The third sealed field, beside the phone number and the name.
            let information = member.user_information.as_mut().ok_or("no user information")?;
            information.common_field_list.push(address);
            let sealed = account.client.seal(&member).map_err(|error| error.to_string())?;
            let sealed = serde_json::to_value(&sealed).map_err(|error| error.to_string())?;
            Ok(sealed["request"].to_string())
        });
        let bodies = sealed.collect::<Result<_, String>>()?;
        let address = account.base_url.trim_start_matches("http://").to_owned();
        let clock = SystemClock::new();
        // Of this second, so that no two runs against one sandbox use a nonce twice.
        let nonces = AtomicU64::new((clock.now().0 as u64) << 32);
        Ok(Self {
            account,
            address,
            clock,
            nonces,
            bodies,
        })
    }

    /// The whole request for a member, with a new signature.
    fn request(&self, member: u64) -> Result<Vec<u8>, String> {
        let body = &self.bodies[member as usize];
        let now = self.clock.now().0;
        let nonce = self.nonces.fetch_add(1, Ordering::Relaxed);
        let message = format!("POST\n{PATH}\n{now}\n{nonce:032X}\n{body}\n");
        let signature = self
            .account
            .key
            .sign(message.as_bytes())
            .map_err(|error| error.to_string())?;
        let Account {
            mchid,
            merchant_serial,
            platform_key_id,
            ..
        } = &self.account;
        Ok(format!(
            "POST {PATH} HTTP/1.1\r\nHost: {}\r\nUser-Agent: wxmember-bench\r\nAccept: application/json\r\n\
             Content-Type: application/json\r\nWechatpay-Serial: {platform_key_id}\r\nContent-Length: {}\r\n\
             Authorization: WECHATPAY2-SHA256-RSA2048 mchid=\"{mchid}\",nonce_str=\"{nonce:032X}\",\
             signature=\"{}\",timestamp=\"{now}\",serial_no=\"{merchant_serial}\"\r\n\r\n{body}",
            self.address,
            body.len(),
            signature.to_base64(),
        )
        .into_bytes())
    }
}

fn made_on_all_cores(maker: &Maker, requests: u64) -> Result<Vec<Vec<u8>>, String> {
    let threads = thread::available_parallelism().map_or(1, usize::from) as u64;
    let made = thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn(move || {
                    let own = (thread..requests).step_by(threads as usize);
                    own.map(|member| maker.request(member))
                        .collect::<Result<Vec<_>, _>>()
                })
            })
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join())
            .collect::<Vec<_>>()
    });
    let mut all = Vec::new();
    for made in made {
        all.extend(made.map_err(|_| "a thread panicked".to_owned())??);
    }
    Ok(all)
}

/// Runs the same work on every connection at once.
fn on_connections(
    maker: &Maker,
    connections: usize,
    work: impl Fn(&mut Connection) -> Result<(), String> + Sync,
) -> Result<(), String> {
    let wrong = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..connections {
            scope.spawn(|| {
                let ended = Connection::open(&maker.address).and_then(|mut connection| work(&mut connection));
                if let (Err(error), Ok(mut wrong)) = (ended, wrong.lock()) {
                    wrong.get_or_insert(error);
                }
            });
        }
    });
    match wrong.into_inner() {
        Ok(None) => Ok(()),
        Ok(Some(error)) => Err(error),
        Err(_) => Err("a thread panicked".to_owned()),
    }
}

/// One connection that is kept alive.
struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    fn open(address: &str) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("{address}: {error}");
        let address = address
            .to_socket_addrs()
            .map_err(failed)?
            .next()
            .ok_or("no address")?;
        let stream = TcpStream::connect(address).map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        stream.set_read_timeout(Some(LONGEST_ANSWER)).map_err(failed)?;
        Ok(Self {
            stream,
            read: Vec::new(),
        })
    }

    /// Sends a request and reads its answer, which must be a 200.
    fn exchange(&mut self, request: &[u8]) -> Result<(), String> {
        self.stream
            .write_all(request)
            .map_err(|error| error.to_string())?;
        self.read.clear();
        let mut buffer = [0; 8192];
        loop {
            let read = self.stream.read(&mut buffer).map_err(|error| error.to_string())?;
            self.read.extend_from_slice(&buffer[..read]);
            if read == 0 {
                return Err("the sandbox closed a connection".to_owned());
            }
            if let Some(whole) = whole_length(&self.read)
                && self.read.len() >= whole
            {
                break;
            }
        }
        match self.read.starts_with(b"HTTP/1.1 200 ") {
            true => Ok(()),
            false => Err(format!("not a 200: {}", String::from_utf8_lossy(&self.read))),
        }
    }
}

/// Bytes of an answer with its head, once the head is there.
fn whole_length(read: &[u8]) -> Option<usize> {
    let head = read.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
    let text = str::from_utf8(&read[..head]).ok()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    Some(head + length?)
}

const PATH: &str = "/v3/brand/partner/card-member/user-cards/import-by-phone";
const SEED: u64 = 7;
const LONGEST_ANSWER: Duration = Duration::from_secs(30);
