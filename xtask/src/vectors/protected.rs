//! The key files under a passphrase: whether `openssl` finds in each what README.md says. The command wrote them too,
//! so this guards against a file that was swapped or forgotten, not against a mistake of the command.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use crate::{
    outcome::{Failure, Outcome},
    process,
};

/// Checks every file of the folder and returns how many there are.
pub(super) fn check(vectors: &Path) -> Outcome<usize> {
    let folder = vectors.join("protected");
    let unreadable = |error: std::io::Error| {
        Failure::failed(
            format!("cannot read tests/vectors/protected: {error}"),
            "run `git restore tests/vectors`",
        )
    };
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(&folder).map_err(unreadable)? {
        found.insert(
            entry
                .map_err(unreadable)?
                .file_name()
                .to_string_lossy()
                .into_owned(),
        );
    }
    found.remove("make.sh");
    let known: BTreeSet<String> = FILES.iter().map(|file| file.name.to_owned()).collect();
    if found != known {
        let differs: Vec<&String> = found.symmetric_difference(&known).collect();
        return Err(disagree(&format!(
            "the folder and the table in xtask differ in {differs:?}"
        )));
    }
    let expect = public_half(&fs::read(vectors.join("test_merchant_key.pem")).map_err(unreadable)?)?;
    for file in FILES {
        let Some(content) = file.open(&folder)? else {
            continue;
        };
        let text = String::from_utf8_lossy(&content);
        let count = |label: &str| text.matches(&format!("-----BEGIN {label}-----")).count();
        let keys = count("PRIVATE KEY");
        if (keys, count("CERTIFICATE")) != (file.keys, file.certificates) {
            return Err(disagree(&format!("{} holds something else", file.name)));
        }
        if keys == 1 && (public_half(&content)? == expect) != file.is_merchant_key() {
            return Err(disagree(&format!("{} holds another key", file.name)));
        }
    }
    Ok(FILES.len())
}

/// One file, and what is in it.
struct File {
    name: &'static str,
    passphrase: &'static str,
    keys: usize,
    certificates: usize,
}

impl File {
    const fn pem(name: &'static str, passphrase: &'static str) -> Self {
        Self {
            name,
            passphrase,
            keys: 1,
            certificates: 0,
        }
    }

    const fn p12(name: &'static str, passphrase: &'static str, keys: usize, certificates: usize) -> Self {
        Self {
            name,
            passphrase,
            keys,
            certificates,
        }
    }

    fn is_merchant_key(&self) -> bool {
        !self.name.contains("elliptic")
    }

    /// The content in clear; none for a file that is costly on purpose, which would take seconds.
    fn open(&self, folder: &Path) -> Outcome<Option<Vec<u8>>> {
        if self.name.contains("costly") {
            return Ok(None);
        }
        let mut said = String::new();
        // OpenSSL 3 needs its legacy provider for some of them; OpenSSL 1.1 does not know the option.
        for providers in [&["-provider", "default", "-provider", "legacy"][..], &[]] {
            let mut command = Command::new("openssl");
            if self.name.ends_with(".p12") {
                command.args(["pkcs12", "-nodes"]);
            } else {
                command.arg("pkey");
            }
            command
                .args(providers)
                .arg("-in")
                .arg(folder.join(self.name))
                .args(["-passin", &format!("pass:{}", self.passphrase)]);
            let output = process::output(&mut command, &[])?;
            if output.status.success() {
                return Ok(Some(output.stdout));
            }
            said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        }
        Err(disagree(&format!(
            "{} does not open with its passphrase: {said}",
            self.name
        )))
    }
}

fn public_half(pem: &[u8]) -> Outcome<Vec<u8>> {
    let output = process::output(Command::new("openssl").args(["pkey", "-pubout"]), pem)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(disagree("no public half can be made of a key"))
}

fn disagree(what: &str) -> Failure {
    Failure::failed(
        format!("tests/vectors/protected: {what}"),
        "run `git restore tests/vectors`, or `tests/vectors/protected/make.sh` and adapt the table in xtask",
    )
}

const PHRASE: &str = "test-passphrase";
const MCHID: &str = "1900000109";
const HAN: &str = "口令";

/// As README.md beside the files has it.
const FILES: &[File] = &[
    File::p12("costly.p12", MCHID, 1, 1),
    File::p12("legacy.p12", MCHID, 1, 1),
    File::p12("legacy_han_passphrase.p12", HAN, 1, 1),
    File::p12("mac_only.p12", MCHID, 1, 1),
    File::p12("modern.p12", MCHID, 1, 1),
    File::pem("pkcs1.pem", PHRASE),
    File::pem("pkcs1_old_encryption.pem", PHRASE),
    File::pem("pkcs8_aes128_sha1.pem", PHRASE),
    File::pem("pkcs8_aes192_sha512.pem", PHRASE),
    File::pem("pkcs8_costly.pem", PHRASE),
    File::pem("pkcs8_default.pem", PHRASE),
    File::pem("pkcs8_des3.pem", PHRASE),
    File::pem("pkcs8_elliptic.pem", PHRASE),
    File::pem("pkcs8_han_passphrase.pem", HAN),
    File::pem("pkcs8_scrypt.pem", PHRASE),
    File::pem("pkcs8_v1_3des.pem", PHRASE),
    File::pem("pkcs8_v1_md5_des.pem", PHRASE),
    File::pem("pkcs8_v1_rc2_40.pem", PHRASE),
    File::p12("sha512_mac.p12", MCHID, 1, 1),
    File::p12("with_other_certificate.p12", MCHID, 1, 2),
    File::p12("without_certificate.p12", MCHID, 1, 0),
    File::p12("without_key.p12", MCHID, 0, 1),
    File::p12("without_mac.p12", MCHID, 1, 1),
];
