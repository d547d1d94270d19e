//! What a job is: one source, for one card of one merchant, by one route. The same again continues it.

use std::{fmt, str::FromStr};

use wxmember::{MembercardOpen, UserCards};
use wxmember_crypto::Fingerprint;

use crate::{defaults::fingerprint, mapping::MappingError, validate::DefaultsError};

/// For whom, into which card, and through which platform members are imported.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Profile {
    /// The merchant id that signs.
    pub mchid: String,
    /// The brand that owns the card.
    pub brand_id: String,
    /// The card template.
    pub card_id: String,
    /// The platform's address, such as `https://api.mch.weixin.qq.com`; a sandbox is another platform.
    pub base_url: String,
}

impl Profile {
    /// Takes the four names.
    #[must_use]
    pub fn new(
        mchid: impl Into<String>,
        brand_id: impl Into<String>,
        card_id: impl Into<String>,
        base_url: impl Into<String>,
    ) -> Self {
        Self {
            mchid: mchid.into(),
            brand_id: brand_id.into(),
            card_id: card_id.into(),
            base_url: base_url.into(),
        }
    }
}

/// The operation that brings the members in. It decides which fields a row needs.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Route {
    /// `POST /v3/brand/partner/card-member/user-cards/import-by-phone`: members known by their phone number.
    #[default]
    ImportByPhone,
    /// `POST /v3/brand/partner/card-member/user-cards/import-by-openid`: members known by their openid.
    ImportByOpenid,
    /// `POST /v3/marketing/membercard-open/cards/{card_id}/phone-membercard/import`: cards of the older kind, for members
    /// known by their phone number.
    PhoneMembercard,
}

impl Route {
    /// Every route.
    pub const ALL: [Self; 3] = [Self::ImportByPhone, Self::ImportByOpenid, Self::PhoneMembercard];

    /// The name in the ledger and in options.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ImportByPhone => "import-by-phone",
            Self::ImportByOpenid => "import-by-openid",
            Self::PhoneMembercard => "phone-membercard",
        }
    }

    /// Requests a second that the operation allows one merchant id.
    #[must_use]
    pub fn rate_limit(self) -> u32 {
        let operation = match self {
            Self::ImportByPhone => UserCards::IMPORT_BY_PHONE,
            Self::ImportByOpenid => UserCards::IMPORT_BY_OPENID,
            Self::PhoneMembercard => MembercardOpen::IMPORT_PHONE_MEMBERCARD,
        };
        operation.rate_limit()
    }

    /// The route with a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|route| route.name() == name)
    }
}

impl serde::Serialize for Route {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Route {
    type Err = UnknownRoute;

    fn from_str(text: &str) -> Result<Self, UnknownRoute> {
        Self::named(text).ok_or(UnknownRoute)
    }
}

/// A name that no route has.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not one of import-by-phone, import-by-openid, phone-membercard")]
pub struct UnknownRoute;

/// Names one job in reports: the first twelve hexadecimal digits of what makes it the same job.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct JobId(String);

impl JobId {
    /// The name of the job with this fingerprint.
    pub(crate) fn of(identity: &[u8]) -> Self {
        let digits = identity.iter().take(6);
        Self(digits.map(|byte| format!("{byte:02x}")).collect())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl serde::Serialize for JobId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Everything that makes a job the same job.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) source_name: String,
    pub(crate) source_digest: Fingerprint,
    pub(crate) profile: Profile,
    pub(crate) route: Route,
    /// Not part of what is the same; kept to notice that it changed.
    pub(crate) defaults: Fingerprint,
}

impl Identity {
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let digest = self.source_digest.to_string();
        let Profile {
            mchid,
            brand_id,
            card_id,
            base_url,
        } = &self.profile;
        fingerprint([
            &digest,
            mchid,
            brand_id,
            card_id,
            base_url.trim_end_matches('/'),
            self.route.name(),
        ])
    }

    /// What a job becomes when it was purged and its source is imported again.
    pub(crate) fn of_purged(&self, key: i64) -> Fingerprint {
        fingerprint(["purged", &self.fingerprint().to_string(), &key.to_string()])
    }

    pub(crate) fn id(&self) -> JobId {
        JobId::of(self.fingerprint().as_bytes())
    }
}

/// A job whose rows are all in the ledger.
#[derive(Clone, Debug)]
pub struct Job {
    pub(crate) key: i64,
    pub(crate) id: JobId,
    pub(crate) route: Route,
    pub(crate) rows: u64,
    pub(crate) source_digest: Fingerprint,
    pub(crate) ignored_columns: Vec<String>,
    pub(crate) is_continued: bool,
    pub(crate) are_defaults_changed: bool,
}

impl Job {
    /// The job's name.
    #[must_use]
    pub fn id(&self) -> &JobId {
        &self.id
    }

    /// The rows of the source, without the header and without empty lines.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The names of the columns that mean nothing to an import.
    #[must_use]
    pub fn ignored_columns(&self) -> &[String] {
        &self.ignored_columns
    }

    /// Whether the ledger already knew this job.
    #[must_use]
    pub fn is_continued(&self) -> bool {
        self.is_continued
    }

    /// Whether the job was loaded with other defaults than are set now. Its rows keep what they were loaded with.
    #[must_use]
    pub fn are_defaults_changed(&self) -> bool {
        self.are_defaults_changed
    }
}

/// Why a source was not loaded. Nothing was sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The load was cancelled; the same again continues it.
    #[error("stopped while loading, after {rows} rows; the same command continues")]
    Cancelled {
        /// Rows in the ledger so far.
        rows: u64,
    },
    /// A default is unusable.
    #[error(transparent)]
    Defaults(#[from] DefaultsError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] crate::ledger::LedgerError),
    /// The columns do not make a member.
    #[error("`{source_name}`, {error}")]
    Mapping {
        /// The source.
        source_name: String,
        /// What is wrong with its columns.
        error: MappingError,
    },
    /// No row can be sealed, for example because there is no platform key; the cause says what to do.
    #[error("nothing can be sealed")]
    NotReady(#[from] crate::gateway::Stop),
    /// The temporary file that finds duplicates cannot be used; `TMPDIR` says where it is.
    #[error("failed to look for duplicates in a temporary file")]
    Scratch(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Sealing failed for a reason that is not the row's.
    #[error("failed to seal row {row}")]
    Seal {
        /// The row.
        row: u64,
        /// Why.
        #[source]
        error: crate::gateway::SealRefusal,
    },
    /// The source cannot be read.
    #[error(transparent)]
    Source(#[from] crate::source::SourceError),
    /// A thread of the load ended without a result.
    #[error("a thread that reads or seals rows panicked")]
    Thread,
}
