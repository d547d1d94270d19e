//! The `openssl` command as an implementation that is not ours. Keys here are public test keys, so files may hold them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use tempfile::TempDir;

use crate::{
    outcome::{Failure, Outcome},
    process,
};

/// The command, the folder with the keys, and a scratch folder that is removed on drop.
pub(super) struct Openssl {
    keys: PathBuf,
    scratch: TempDir,
}

impl Openssl {
    /// Makes the scratch folder.
    pub(super) fn new(keys: &Path) -> Outcome<Self> {
        let scratch = TempDir::new().map_err(|error| scratch_failed(&error))?;
        Ok(Self {
            keys: keys.to_owned(),
            scratch,
        })
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256, in base64.
    pub(super) fn sign(&self, key: &str, message: &str) -> Outcome<String> {
        let mut command = Command::new("openssl");
        command
            .args(["dgst", "-sha256", "-sign"])
            .arg(self.keys.join(key));
        Ok(BASE64_STANDARD.encode(expect_success(&mut command, message.as_bytes())?))
    }

    /// True if the signature is the key's; false for one that is not even base64.
    ///
    /// `key` is a public key file or a certificate.
    pub(super) fn verify(&self, key: &str, message: &str, signature: &str) -> Outcome<bool> {
        let Ok(signature) = BASE64_STANDARD.decode(signature) else {
            return Ok(false);
        };
        let file = self.scratch.path().join("signature");
        fs::write(&file, signature).map_err(|error| scratch_failed(&error))?;
        let mut command = Command::new("openssl");
        command
            .args(["dgst", "-sha256", "-verify"])
            .arg(self.public_key(key)?)
            .arg("-signature")
            .arg(file);
        let output = process::output(&mut command, message.as_bytes())?;
        // The exit code alone would make a key that cannot be read look like a bad signature.
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        if output.status.success() && said.contains("Verified OK") {
            Ok(true)
        } else if ["verification failure", "error verifying data"]
            .iter()
            .any(|no| said.to_lowercase().contains(no))
        {
            Ok(false)
        } else {
            Err(openssl_failed(&command, &said))
        }
    }

    /// RSAES-OAEP with SHA-1 for both hashes; none if it does not open.
    pub(super) fn open(&self, key: &str, ciphertext: &str) -> Outcome<Option<Vec<u8>>> {
        let Ok(ciphertext) = BASE64_STANDARD.decode(ciphertext) else {
            return Ok(None);
        };
        let mut command = Command::new("openssl");
        command
            .args(["pkeyutl", "-decrypt", "-inkey"])
            .arg(self.keys.join(key))
            .args(OAEP);
        let output = process::output(&mut command, &ciphertext)?;
        Ok(output.status.success().then_some(output.stdout))
    }

    /// True if the plaintext fits the key.
    pub(super) fn seals(&self, key: &str, plaintext: &str) -> Outcome<bool> {
        let mut command = Command::new("openssl");
        command
            .args(["pkeyutl", "-encrypt", "-pubin", "-inkey"])
            .arg(self.public_key(key)?)
            .args(OAEP);
        Ok(process::output(&mut command, plaintext.as_bytes())?
            .status
            .success())
    }

    /// The serial number of a certificate: upper-case hexadecimal.
    pub(super) fn serial(&self, certificate: &str) -> Outcome<String> {
        let mut command = Command::new("openssl");
        command
            .args(["x509", "-noout", "-serial", "-in"])
            .arg(self.keys.join(certificate));
        let output = expect_success(&mut command, &[])?;
        Ok(String::from_utf8_lossy(&output)
            .trim()
            .trim_start_matches("serial=")
            .to_owned())
    }

    /// The public key of a private key, in PEM.
    pub(super) fn public_half(&self, key: &str) -> Outcome<String> {
        let mut command = Command::new("openssl");
        command.args(["pkey", "-pubout", "-in"]).arg(self.keys.join(key));
        Ok(String::from_utf8_lossy(&expect_success(&mut command, &[])?).into_owned())
    }

    /// The text of a public key file, or of the key in a certificate.
    pub(super) fn public_text(&self, key: &str) -> Outcome<String> {
        let path = self.public_key(key)?;
        fs::read_to_string(path).map_err(|error| scratch_failed(&error))
    }

    /// The file of a public key; of a certificate, its key.
    fn public_key(&self, name: &str) -> Outcome<PathBuf> {
        let source = self.keys.join(name);
        if !name.contains("cert.pem") {
            return Ok(source);
        }
        let file = self.scratch.path().join(format!("{name}.pub"));
        if !file.exists() {
            let mut command = Command::new("openssl");
            command.args(["x509", "-noout", "-pubkey", "-in"]).arg(source);
            fs::write(&file, expect_success(&mut command, &[])?).map_err(|error| scratch_failed(&error))?;
        }
        Ok(file)
    }
}

fn expect_success(command: &mut Command, input: &[u8]) -> Outcome<Vec<u8>> {
    let output = process::output(command, input)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(openssl_failed(command, &String::from_utf8_lossy(&output.stderr)))
}

fn openssl_failed(command: &Command, said: &str) -> Failure {
    Failure::failed(
        format!("`{}` failed: {}", process::show(command), said.trim()),
        "check the key files: `git status tests/vectors`; OpenSSL 1.1.1 or later is needed",
    )
}

fn scratch_failed(error: &std::io::Error) -> Failure {
    Failure::failed(
        format!("cannot use the folder for temporary files: {error}"),
        "make room, or set `TMPDIR`",
    )
}

/// The padding of sealed fields.
const OAEP: [&str; 6] = [
    "-pkeyopt",
    "rsa_padding_mode:oaep",
    "-pkeyopt",
    "rsa_oaep_md:sha1",
    "-pkeyopt",
    "rsa_mgf1_md:sha1",
];
