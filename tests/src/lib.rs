//! The harness of the end-to-end tests: a sandbox with known keys, a client for it, and the program itself.
//!
//! Must never reach into a crate's inside: these tests stand where a user stands.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use wxmember::{
    Client, ImportByPhone, Merchant, MerchantKey, PhoneNumber, PlatformKey, RetryPolicy, Trust, Validity,
};
use wxmember_sandbox::{Identity, IdentityError, IdentityParts, Sandbox};

pub mod folder;
pub mod kill;
pub mod markers;
pub mod members;
mod postgres;
pub mod random;
mod running;
pub mod stage;

pub use postgres::Postgres;
pub use running::Running;

/// The phone number of [`member`]; no text that the program writes may hold it.
pub const PHONE: &str = "13800138000";

/// The public test keys of `tests/vectors`, so that no test waits for new keys.
///
/// # Errors
///
/// [`IdentityError`] when the files do not fit together.
pub fn identity() -> Result<Identity, IdentityError> {
    Identity::from_parts(IdentityParts {
        mchid: "1900000109".to_owned(),
        merchant_key_pem: include_str!("../vectors/test_merchant_key.pem").to_owned(),
        merchant_certificate_pem: include_str!("../vectors/test_merchant_cert.pem").to_owned(),
        platform_key_id: "PUB_KEY_ID_0119000001092026113000000000000001".to_owned(),
        platform_private_key_pem: include_str!("../vectors/test_wechatpay_pubmode_key.pem").to_owned(),
        apiv3_key: "TestOnlyApiV3Key0123456789abcdef".to_owned(),
        brand_id: "1004".to_owned(),
        card_id: "pbLatjvWOibDc5-TBnbUk1pD12o0".to_owned(),
    })
}

/// A sandbox with the keys of [`identity`].
///
/// # Panics
///
/// When it does not start.
pub async fn sandbox() -> Sandbox {
    let identity = identity().expect("the test keys");
    Sandbox::builder()
        .with_identity(identity)
        .start()
        .await
        .expect("a sandbox")
}

/// A client that believes the sandbox. It repeats nothing, so that a test sees each answer.
///
/// # Panics
///
/// When the sandbox's credentials are unusable.
#[must_use]
pub fn client(sandbox: &Sandbox) -> Client {
    let credentials = sandbox.credentials();
    let key = MerchantKey::from_pem(&credentials.merchant_key_pem).expect("the merchant key");
    let platform = PlatformKey::from_pem(&credentials.platform_key_pem).expect("the platform key");
    Client::builder()
        .merchant(Merchant::new(&credentials.mchid, &credentials.merchant_serial, key).expect("the merchant"))
        .trust(Trust::public_key(&credentials.platform_key_id, platform).expect("the platform key's id"))
        .with_base_url(sandbox.base_url())
        .with_retry(RetryPolicy::never())
        .build()
        .expect("a client")
}

/// A member of the sandbox's card.
///
/// # Panics
///
/// When the code is no user card code.
#[must_use]
pub fn member(sandbox: &Sandbox, code: &str) -> ImportByPhone {
    let credentials = sandbox.credentials();
    ImportByPhone::builder()
        .brand_id(credentials.brand_id.parse().expect("a brand id"))
        .card_id(credentials.card_id.parse().expect("a card id"))
        .phone_number(PhoneNumber::new(PHONE))
        .user_card_code(code.parse().expect("a user card code"))
        .date_information(Validity::permanent())
        .pickup_time("2020-05-20T13:29:35.120+08:00".parse().expect("a time"))
        .build()
}

/// The root of the repository.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace's folder")
}

/// The program `wxmember`, as `cargo xtask test` built it, with an environment of its own below `home`.
///
/// # Panics
///
/// When it was not built.
#[must_use]
pub fn wxmember(home: &Path) -> Command {
    let program =
        env::var_os("WXMEMBER_TEST_BIN").map_or_else(|| root().join("target/debug/wxmember"), PathBuf::from);
    assert!(
        program.exists(),
        "{} is not there; run `cargo build` first",
        program.display()
    );
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("HOME", home)
        .env("XDG_STATE_HOME", home.join("state"))
        .current_dir(root());
    command
}

/// An example of the repository, as `cargo xtask test` built it beside the program.
///
/// # Panics
///
/// When it was not built.
#[must_use]
pub fn example(name: &str) -> Command {
    let program =
        env::var_os("WXMEMBER_TEST_BIN").map_or_else(|| root().join("target/debug/wxmember"), PathBuf::from);
    let example = program
        .with_file_name("examples")
        .join(format!("{name}{}", env::consts::EXE_SUFFIX));
    assert!(
        example.exists(),
        "{} is not there; run `cargo build -p wxmember-cli --examples` first",
        example.display()
    );
    let mut command = Command::new(example);
    command.current_dir(root());
    command
}

/// Exit code, stdout and stderr in one text for a snapshot, with what differs from run to run replaced.
#[must_use]
pub fn shown(output: &Output, replace: &[(&str, &str)]) -> String {
    let mut text = format!(
        "exit code: {}\n--- stdout\n{}--- stderr\n{}",
        output
            .status
            .code()
            .map_or_else(|| "none".to_owned(), |code| code.to_string()),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    for (from, to) in replace {
        text = text.replace(from, to);
    }
    let lines = text.lines().map(|line| match line.split_once(" requests in ") {
        Some((sent, _)) => format!("{sent} requests in TIME\n"),
        None => format!("{line}\n"),
    });
    lines.collect()
}

/// Every file below a folder, with its bytes.
///
/// # Panics
///
/// When a file cannot be read.
#[must_use]
pub fn files_below(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = std::fs::read(&path).expect("a file");
                files.push((path, bytes));
            }
        }
    }
    files
}
