//! What holds for every row of a job unless the row says otherwise.

use jiff::tz::Offset;
use wxmember_crypto::{Fingerprint, SourceHasher};

use crate::{mapping::Assignment, member::Validity};

/// Values for fields that the source has no column for, or an empty cell.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Defaults {
    /// How long the cards are valid.
    pub validity: Option<Validity>,
    /// When the cards were taken, RFC 3339.
    pub pickup_time: Option<String>,
    /// The level.
    pub level: Option<String>,
    /// The colour, `#RRGGBB`.
    pub card_color: Option<String>,
    /// The picture.
    pub card_picture_url: Option<String>,
    /// The names of the template's own questions; a column of that name holds the choices, separated by `;` or `|`.
    pub custom_fields: Vec<String>,
    /// Columns that are assigned by hand.
    pub columns: Vec<Assignment>,
    /// The offset of times that are written without one. China's, `+08:00`, unless changed.
    pub time_zone: Offset,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            validity: None,
            pickup_time: None,
            level: None,
            card_color: None,
            card_picture_url: None,
            custom_fields: Vec::new(),
            columns: Vec::new(),
            time_zone: Offset::constant(8),
        }
    }
}

impl Defaults {
    /// Sets how long the cards are valid.
    #[must_use]
    pub fn with_validity(mut self, validity: Validity) -> Self {
        self.validity = Some(validity);
        self
    }

    /// Sets when the cards were taken, RFC 3339.
    #[must_use]
    pub fn with_pickup_time(mut self, time: impl Into<String>) -> Self {
        self.pickup_time = Some(time.into());
        self
    }

    /// Sets the names of the template's own questions.
    #[must_use]
    pub fn with_custom_fields(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.custom_fields = names.into_iter().map(Into::into).collect();
        self
    }

    /// Sets which columns are assigned by hand.
    #[must_use]
    pub fn with_columns(mut self, columns: impl IntoIterator<Item = Assignment>) -> Self {
        self.columns = columns.into_iter().collect();
        self
    }

    /// Sets the level.
    #[must_use]
    pub fn with_level(mut self, level: impl Into<String>) -> Self {
        self.level = Some(level.into());
        self
    }

    /// Sets the colour, `#RRGGBB`.
    #[must_use]
    pub fn with_card_color(mut self, color: impl Into<String>) -> Self {
        self.card_color = Some(color.into());
        self
    }

    /// Sets the picture.
    #[must_use]
    pub fn with_card_picture_url(mut self, url: impl Into<String>) -> Self {
        self.card_picture_url = Some(url.into());
        self
    }

    /// Sets the offset of times that are written without one.
    #[must_use]
    pub fn with_time_zone(mut self, zone: Offset) -> Self {
        self.time_zone = zone;
        self
    }

    /// Tells two settings apart, so that a job loaded under others is noticed.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let validity = self.validity.as_ref().map(ToString::to_string);
        let zone = self.time_zone.to_string();
        let columns: Vec<String> = self.columns.iter().map(ToString::to_string).collect();
        let options = [
            &validity,
            &self.pickup_time,
            &self.level,
            &self.card_color,
            &self.card_picture_url,
        ];
        let texts = options
            .into_iter()
            .map(|option| option.as_deref().unwrap_or("\0"));
        fingerprint(
            texts
                .chain([zone.as_str()])
                .chain(self.custom_fields.iter().map(String::as_str))
                .chain(columns.iter().map(String::as_str)),
        )
    }
}

/// The digest of several texts, none of which can pass for two.
pub(crate) fn fingerprint<'a>(texts: impl IntoIterator<Item = &'a str>) -> Fingerprint {
    let mut hasher = SourceHasher::new();
    for text in texts {
        hasher.update(&(text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finish()
}
