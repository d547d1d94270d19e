//! The validity of a card (会员卡有效期): what each type needs, and when it ends (section 1.5).

use serde::Deserialize;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    policy::ValidityType,
    refusal::{Issue, Refusal},
    rule,
};

/// A validity as a request has it. The schema has been checked before.
#[derive(Debug, Deserialize)]
pub(crate) struct Validity {
    r#type: String,
    available_begin_time: Option<String>,
    available_end_time: Option<String>,
    available_day_after_receive: Option<u64>,
}

impl Validity {
    /// Checks what the type needs; what it does not need is let through. `at` is the JSON Pointer to the validity.
    pub(crate) fn check(&self, at: &str) -> Result<(), Refusal> {
        match self.r#type.as_str() {
            "FIX_TIME_RANGE" => {
                let begin = self.available_begin_time.as_deref();
                let begin = begin.ok_or_else(|| needed(at, "available_begin_time"))?;
                let end = self.available_end_time.as_deref();
                let end = end.ok_or_else(|| needed(at, "available_end_time"))?;
                if moment(end)? <= moment(begin)? {
                    let issue = Issue::new("结束时间必须晚于开始时间", "must be after available_begin_time");
                    let field = format!("{at}/available_end_time");
                    return Err(Refusal::at(&rule::VALIDITY, field, issue));
                }
                Ok(())
            }
            "FIX_TERM" if self.available_day_after_receive.is_none_or(|days| days == 0) => {
                Err(needed(at, "available_day_after_receive"))
            }
            _ => Ok(()),
        }
    }

    /// Holds the type against the template's, where the policy asks for it.
    pub(crate) fn check_type(&self, template: &Self, at: &str, policy: ValidityType) -> Result<(), Refusal> {
        if policy == ValidityType::Any || self.r#type == template.r#type {
            return Ok(());
        }
        let issue = Issue::new(
            "必须与会员卡模板的有效期类型一致",
            "must be the type of the template",
        );
        Err(Refusal::at(&rule::VALIDITY_TYPE, format!("{at}/type"), issue))
    }

    /// The last moment of a card that was received at `pickup`; `None` is forever.
    pub(crate) fn ends_at(&self, pickup: OffsetDateTime) -> Option<OffsetDateTime> {
        match self.r#type.as_str() {
            "FIX_TIME_RANGE" => moment(self.available_end_time.as_deref()?).ok(),
            "FIX_TERM" => {
                let days = i64::try_from(self.available_day_after_receive?).ok()?;
                pickup.checked_add(Duration::days(days.min(LONGEST_DAYS)))
            }
            _ => None,
        }
    }
}

/// A time of the document's format.
pub(crate) fn moment(text: &str) -> Result<OffsetDateTime, Refusal> {
    // The schema has let it through, so a failure means that schema and code have come apart.
    OffsetDateTime::parse(text, &Rfc3339).map_err(|_| (&rule::SYSTEM_ERROR).into())
}

fn needed(at: &str, name: &str) -> Refusal {
    let issue = Issue::new(
        "该有效期类型必须填写此字段",
        "is required for this type of validity",
    );
    Refusal::at(&rule::VALIDITY, format!("{at}/{name}"), issue)
}

/// The document's own limit.
const LONGEST_DAYS: i64 = 10_958;
