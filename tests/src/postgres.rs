//! A PostgreSQL server of its own for a test: a new cluster in a temporary folder, on loopback, gone with the value.
//!
//! Knows nothing of the ledger. `crates/import` includes this file in its own tests, so it uses the standard library
//! and `tempfile` only.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A running server. Anybody on this host may connect, which is why it must hold test data only.
#[derive(Debug)]
pub struct Postgres {
    folder: tempfile::TempDir,
    port: u16,
    /// PostgreSQL does not run as root: its commands run as the user `postgres` then.
    is_root: bool,
    has_tls: bool,
}

impl Postgres {
    /// Makes a cluster and starts its server.
    ///
    /// # Panics
    ///
    /// When PostgreSQL is not installed or does not start; the message has what it said.
    #[must_use]
    pub fn start() -> Self {
        Self::new(false)
    }

    /// As [`start`](Self::start), with a certificate for `localhost` of its own making; see
    /// [`certificate`](Self::certificate).
    ///
    /// # Panics
    ///
    /// Also when `openssl` is not installed.
    #[must_use]
    pub fn start_with_tls() -> Self {
        Self::new(true)
    }

    fn new(has_tls: bool) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("wxmember-pg")
            .tempdir()
            .expect("a temporary folder");
        let id = Command::new("id").arg("-u").output().expect("`id`");
        let mut server = Self {
            folder,
            port: 0,
            is_root: id.stdout == b"0\n",
            has_tls,
        };
        if server.is_root {
            let path = server.folder.path();
            check("chown", Command::new("chown").arg("postgres").arg(path).output());
        }
        let data = server.data();
        let mut initdb = server.command("initdb");
        initdb.args([
            "--username=wxmember",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-locale",
        ]);
        initdb.args(["--no-sync", "--pgdata"]).arg(data);
        check("initdb", initdb.output());
        if has_tls {
            let mut openssl = server.command("openssl");
            openssl.args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
            ]);
            openssl.args(["-nodes", "-days", "2", "-subj", "/CN=localhost"]);
            openssl.args(["-addext", "subjectAltName=DNS:localhost"]);
            openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
            openssl.args(["-keyout", "data/server.key", "-out", "data/server.crt"]);
            check("openssl", openssl.output());
        }
        // Another program may take the port in between; then another port is tried.
        for _ in 0..5 {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr());
            server.port = free.expect("a free port").port();
            if server.try_start() {
                return server;
            }
        }
        panic!("PostgreSQL does not start: {}", server.log());
    }

    /// The address of a database of this server; `postgres` is always there.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://wxmember@127.0.0.1:{}/{database}", self.port)
    }

    /// The certificate of a server [with TLS](Self::start_with_tls), as PEM.
    ///
    /// # Panics
    ///
    /// When the server has none.
    #[must_use]
    pub fn certificate(&self) -> String {
        fs::read_to_string(self.data().join("server.crt")).expect("a server with TLS")
    }

    /// Where its files and its log are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Makes a new database and returns its address.
    ///
    /// # Panics
    ///
    /// When the server refuses.
    pub fn create_database(&self, name: &str) -> String {
        self.sql("postgres", &format!("CREATE DATABASE \"{name}\""));
        self.url(name)
    }

    /// Runs SQL and returns what came of it, one row a line, without headers.
    ///
    /// # Panics
    ///
    /// When the server refuses.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let mut psql = self.command("psql");
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]);
        psql.args(["-d", &self.url(database), "-c", sql]);
        text(check("psql", psql.output()))
    }

    /// Everything that a database holds, as SQL.
    ///
    /// # Panics
    ///
    /// When the server refuses.
    pub fn dump(&self, database: &str) -> String {
        let mut dump = self.command("pg_dump");
        dump.args(["-d", &self.url(database)]);
        text(check("pg_dump", dump.output()))
    }

    /// Stops the server as a crash does: connections break, nothing is tidied up.
    ///
    /// # Panics
    ///
    /// When it does not stop.
    pub fn crash(&self) {
        let mut stop = self.pg_ctl();
        stop.args(["-w", "-m", "immediate", "stop"]);
        check("pg_ctl stop", stop.output());
    }

    /// Starts it again on the same port, after [`crash`](Self::crash).
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn start_again(&self) {
        assert!(self.try_start(), "PostgreSQL does not start: {}", self.log());
    }

    fn try_start(&self) -> bool {
        let tls = if self.has_tls { "-c ssl=on" } else { "" };
        let options = format!(
            "-p {} {tls} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c max_connections=50",
            self.port
        );
        let mut start = self.pg_ctl();
        start.args(["-w", "-t", "60", "-o", &options, "-l"]);
        start.arg(self.folder.path().join("log")).arg("start");
        start.output().is_ok_and(|output| output.status.success())
    }

    fn pg_ctl(&self) -> Command {
        let mut command = self.command("pg_ctl");
        command.arg("-D").arg(self.data());
        command
    }

    /// A command of PostgreSQL, as a user that it accepts.
    fn command(&self, program: &str) -> Command {
        let program = find(program);
        let mut command = if self.is_root {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
            command.arg(program);
            command
        } else {
            Command::new(program)
        };
        // The folder we stand in need not be readable for that user.
        command.current_dir(self.folder.path()).env("LC_ALL", "C");
        command
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let mut stop = self.pg_ctl();
        stop.args(["-w", "-m", "immediate", "stop"]);
        // One that was stopped before says so, and nobody minds.
        let _ = stop.output();
    }
}

/// Where distributions put what is not in the path.
fn find(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).map(|folder| folder.join(program));
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut installed: Vec<PathBuf> = versions
        .map(|version| version.path().join("bin").join(program))
        .collect();
    installed.sort();
    let mut places = in_path.chain(installed.into_iter().rev());
    places.find(|place| is_file(place)).unwrap_or_else(|| {
        panic!("`{program}` is not there: install PostgreSQL, on Debian with `apt-get install postgresql`")
    })
}

fn is_file(path: &Path) -> bool {
    path.is_file()
}

fn check(what: &str, output: std::io::Result<Output>) -> Output {
    let output = output.unwrap_or_else(|error| panic!("{what}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {said}");
    output
}

fn text(output: Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
