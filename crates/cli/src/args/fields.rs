//! Arguments of `seal`, `open` and `verify`. Plaintext and ciphertext come by stdin, never as arguments.

use std::path::PathBuf;

use clap::Args;

use super::{Chosen, Format, boolean};

/// Arguments of `seal`.
#[derive(Args)]
#[command(
    after_help = "The plaintext is read from stdin; a line break at its end is left out. Example:\n\n  \
                  wxmember seal --key pub_key.pem < phone.txt\n\nExit codes: 0 sealed, 1 failed, 2 wrong usage."
)]
pub(crate) struct Seal {
    /// WeChat Pay's public key (pub_key.pem) or a platform certificate [default: the profile's]
    #[arg(long, env = "WXMEMBER_PLATFORM_KEY", value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,

    /// The id of that public key, PUB_KEY_ID_…; only repeated in the output
    #[arg(long, env = "WXMEMBER_PLATFORM_KEY_ID", value_name = "ID", requires = "key")]
    pub(crate) key_id: Option<String>,

    #[command(flatten)]
    pub(crate) chosen: Chosen,

    /// How to print the ciphertext
    #[arg(long, env = "WXMEMBER_FORMAT", value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// Arguments of `open`.
#[derive(Args)]
#[command(
    after_help = "The ciphertext is read from stdin, the plaintext goes to stdout and nowhere else. Open only what \
                  came with a verified signature.\n\nExit codes: 0 opened, 1 failed, 2 wrong usage."
)]
pub(crate) struct Open {
    /// The merchant's private key, apiclient_key.pem or apiclient_cert.p12 [default: the profile's]
    #[arg(
        long,
        env = "WXMEMBER_MERCHANT_KEY",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub(crate) key: Option<PathBuf>,

    /// A file with the passphrase of that key and nothing else
    #[arg(
        long,
        env = "WXMEMBER_MERCHANT_KEY_PASSPHRASE_FILE",
        hide_env_values = true,
        value_name = "FILE",
        requires = "key"
    )]
    pub(crate) passphrase_file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) chosen: Chosen,
}

/// Arguments of `verify`.
#[derive(Args)]
#[command(
    after_help = "Exit codes: 0 verified, 1 not verified, 2 wrong usage. An answer saved by curl is verified with\n\n  \
                  curl -D headers.txt -o body.json …\n  wxmember verify --headers headers.txt --body body.json"
)]
pub(crate) struct Verify {
    /// WeChat Pay's public key (pub_key.pem) or a platform certificate [default: the profile's]
    #[arg(long, env = "WXMEMBER_PLATFORM_KEY", value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,

    /// The id of that public key, PUB_KEY_ID_… [default: whatever `Wechatpay-Serial` says]
    #[arg(long, env = "WXMEMBER_PLATFORM_KEY_ID", value_name = "ID", requires = "key")]
    pub(crate) key_id: Option<String>,

    #[command(flatten)]
    pub(crate) chosen: Chosen,

    /// A file with the headers, one `Name: value` a line, as `curl -D` writes them
    #[arg(
        long,
        env = "WXMEMBER_VERIFY_HEADERS",
        value_name = "FILE",
        conflicts_with_all = ["serial", "timestamp", "nonce", "signature"]
    )]
    pub(crate) headers: Option<PathBuf>,

    /// The value of Wechatpay-Serial
    #[arg(long, env = "WXMEMBER_VERIFY_SERIAL", value_name = "ID")]
    pub(crate) serial: Option<String>,

    /// The value of Wechatpay-Timestamp
    #[arg(long, env = "WXMEMBER_VERIFY_TIMESTAMP", value_name = "SECONDS")]
    pub(crate) timestamp: Option<String>,

    /// The value of Wechatpay-Nonce
    #[arg(long, env = "WXMEMBER_VERIFY_NONCE", value_name = "TEXT")]
    pub(crate) nonce: Option<String>,

    /// The value of Wechatpay-Signature
    #[arg(long, env = "WXMEMBER_VERIFY_SIGNATURE", value_name = "BASE64")]
    pub(crate) signature: Option<String>,

    /// A file with the body, byte for byte; `-` for stdin
    #[arg(long, env = "WXMEMBER_VERIFY_BODY", value_name = "FILE")]
    pub(crate) body: PathBuf,

    /// When it was received, in Unix seconds [default: now]
    #[arg(long, env = "WXMEMBER_VERIFY_RECEIVED_AT", value_name = "SECONDS")]
    pub(crate) received_at: Option<i64>,

    /// Print the message that was signed, line by line, on stderr
    #[arg(short, long, env = "WXMEMBER_VERBOSE", value_parser = boolean)]
    pub(crate) verbose: bool,

    /// How to print the verdict
    #[arg(long, env = "WXMEMBER_FORMAT", value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}
