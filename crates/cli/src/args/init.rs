//! Arguments of `init`.

use std::path::PathBuf;

use clap::Args;

use super::{Chosen, boolean};

/// Arguments of `init`. What is left out is asked for, on a terminal.
#[derive(Args)]
#[command(
    after_help = "Keys are read and compared before anything is written. The file holds paths, never secrets, and \
                  belongs to its owner alone (mode 600).\n\nExit codes: 0 written, 1 failed, 2 wrong usage."
)]
pub(crate) struct Init {
    #[command(flatten)]
    pub(crate) chosen: Chosen,

    /// Replace the configuration file when it is there
    #[arg(long, env = "WXMEMBER_INIT_FORCE", value_parser = boolean)]
    pub(crate) force: bool,

    /// The service provider's merchant id (商户号)
    #[arg(long, env = "WXMEMBER_MCHID")]
    pub(crate) mchid: Option<String>,

    /// The merchant's private key, apiclient_key.pem
    #[arg(
        long,
        env = "WXMEMBER_MERCHANT_KEY",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub(crate) merchant_key: Option<PathBuf>,

    /// A file with the passphrase of that key, when it is encrypted
    #[arg(
        long,
        env = "WXMEMBER_MERCHANT_KEY_PASSPHRASE_FILE",
        hide_env_values = true,
        value_name = "FILE",
        requires = "merchant_key"
    )]
    pub(crate) merchant_key_passphrase_file: Option<PathBuf>,

    /// The merchant's key and certificate in one file, apiclient_cert.p12, instead of the two
    #[arg(
        long,
        env = "WXMEMBER_MERCHANT_P12",
        hide_env_values = true,
        value_name = "FILE",
        conflicts_with_all = ["merchant_key", "merchant_certificate"]
    )]
    pub(crate) merchant_p12: Option<PathBuf>,

    /// A file with the passphrase of that file [default: it is the merchant id]
    #[arg(
        long,
        env = "WXMEMBER_MERCHANT_P12_PASSPHRASE_FILE",
        hide_env_values = true,
        value_name = "FILE",
        requires = "merchant_p12"
    )]
    pub(crate) merchant_p12_passphrase_file: Option<PathBuf>,

    /// The merchant's certificate, apiclient_cert.pem
    #[arg(long, env = "WXMEMBER_MERCHANT_CERTIFICATE", value_name = "FILE")]
    pub(crate) merchant_certificate: Option<PathBuf>,

    /// WeChat Pay's public key (微信支付公钥), pub_key.pem
    #[arg(
        long,
        env = "WXMEMBER_PLATFORM_KEY",
        value_name = "FILE",
        requires = "platform_key_id"
    )]
    pub(crate) platform_key: Option<PathBuf>,

    /// The id of that key, PUB_KEY_ID_…
    #[arg(
        long,
        env = "WXMEMBER_PLATFORM_KEY_ID",
        value_name = "ID",
        requires = "platform_key"
    )]
    pub(crate) platform_key_id: Option<String>,

    /// A platform certificate (平台证书), instead of the public key or beside it
    #[arg(long, env = "WXMEMBER_PLATFORM_CERTIFICATE", value_name = "FILE")]
    pub(crate) platform_certificate: Option<PathBuf>,

    /// A file with the APIv3 key (APIv3密钥) and nothing else; alone, it downloads the platform certificates
    #[arg(
        long,
        env = "WXMEMBER_APIV3_KEY_FILE",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub(crate) apiv3_key_file: Option<PathBuf>,

    /// The brand (品牌ID)
    #[arg(long, env = "WXMEMBER_BRAND_ID", value_name = "ID")]
    pub(crate) brand_id: Option<String>,

    /// The card template (会员卡模板ID)
    #[arg(long, env = "WXMEMBER_CARD_ID", value_name = "ID")]
    pub(crate) card_id: Option<String>,

    /// Validity of rows that say nothing: `permanent`, a number of days, or `BEGIN/END` in RFC 3339
    #[arg(long, env = "WXMEMBER_VALIDITY", value_parser = validity)]
    pub(crate) validity: Option<String>,

    /// Where to send requests [default: WeChat Pay]
    #[arg(long, env = "WXMEMBER_BASE_URL", value_name = "URL")]
    pub(crate) base_url: Option<String>,
}

/// Lets through what a profile can say.
fn validity(text: &str) -> Result<String, String> {
    let is_time = |text: &str| text.trim().parse::<jiff::Timestamp>().is_ok();
    let fits = text == "permanent"
        || text.parse::<u32>().is_ok()
        || text
            .split_once('/')
            .is_some_and(|(begin, end)| is_time(begin) && is_time(end));
    if fits {
        Ok(text.to_owned())
    } else {
        Err("`permanent`, a number of days, or `BEGIN/END` in RFC 3339 is needed".to_owned())
    }
}
