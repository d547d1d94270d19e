//! The private key stays in another process: `openssl` signs and opens, and this program never holds the key.
//!
//! Stands for a hardware module or a key service. Needs the `openssl` command.
//!
//!     cargo run --example remote_signer

#![expect(clippy::print_stdout, reason = "an example shows its outcome")]

use std::{
    error::Error,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use wxmember::{
    Client, FormValue, ImportByPhone, Merchant, MerchantCiphertext, OpenError, Opener, PhoneNumber,
    Plaintext, PlatformKey, Signature, Signer, SignerError, Signing, Trust, Validity,
};
use wxmember_sandbox::Sandbox;

/// A key that only `openssl` reads.
#[derive(Clone, Debug)]
struct Openssl {
    key: PathBuf,
}

impl Openssl {
    /// Runs `openssl` with `input` on its standard input.
    fn run(key: &Path, arguments: &[&str], input: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut child = Command::new("openssl")
            .args(arguments)
            .arg(key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input)?;
        }
        let output = child.wait_with_output()?;
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(std::io::Error::other("openssl failed"))
        }
    }
}

impl Signer for Openssl {
    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        let (key, message) = (self.key.clone(), message.to_vec());
        Box::pin(async move {
            // Waiting for another process blocks, so it has a thread of its own.
            let signing = move || Self::run(&key, &["dgst", "-sha256", "-sign"], &message);
            let signature = tokio::task::spawn_blocking(signing)
                .await
                .map_err(SignerError::new)?;
            signature.map(Signature::from_bytes).map_err(SignerError::new)
        })
    }
}

impl Opener for Openssl {
    fn open(&self, ciphertext: &MerchantCiphertext) -> Result<FormValue, OpenError> {
        let ciphertext = ciphertext.to_bytes().ok_or(OpenError)?;
        let oaep = [
            "pkeyutl",
            "-decrypt",
            "-pkeyopt",
            "rsa_padding_mode:oaep",
            "-pkeyopt",
            "rsa_oaep_md:sha1",
            "-inkey",
        ];
        let opened = Self::run(&self.key, &oaep, &ciphertext).map_err(|_| OpenError)?;
        FormValue::from_opened_bytes(opened.into())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let folder = tempfile::tempdir()?;
    let sandbox = Sandbox::builder().with_folder(folder.path()).start().await?;
    let credentials = sandbox.credentials();
    let key = Arc::new(Openssl {
        key: folder.path().join("apiclient_key.pem"),
    });
    let platform = PlatformKey::from_pem(&credentials.platform_key_pem)?;
    let client = Client::builder()
        .merchant(Merchant::with_signer(
            &credentials.mchid,
            &credentials.merchant_serial,
            key.clone(),
            key,
        )?)
        .trust(Trust::public_key(&credentials.platform_key_id, platform)?)
        .with_base_url(sandbox.base_url())
        .build()?;

    let member = ImportByPhone::builder()
        .brand_id(credentials.brand_id.parse()?)
        .card_id(credentials.card_id.parse()?)
        .phone_number(PhoneNumber::new("13800138000"))
        .user_card_code("478515832665".parse()?)
        .date_information(Validity::permanent())
        .pickup_time("2020-05-20T13:29:35.120+08:00".parse()?)
        .build();
    let card = client.user_cards().import_by_phone(&member).await?;
    println!(
        "signed by openssl, accepted: {} {}",
        card.user_card_code, card.user_card_state
    );

    let sealed = card.into_inner().phone_number.ok_or("no phone number")?;
    // The opener waits for another process as well.
    let phone = tokio::task::spawn_blocking(move || sealed.open()).await??;
    println!("opened by openssl, as sent: {}", phone.expose() == "13800138000");
    sandbox.shutdown().await;
    Ok(())
}
