//! What becomes of a new row whose code or member another row has already. Pure.

use super::{KeyColumns, RowState};
use crate::job::JobId;

/// The row that has the code or the member of a new row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Holder {
    pub(super) row: u64,
    pub(super) state: RowState,
    /// The holder's job, if it is another one.
    pub(super) other_job: Option<JobId>,
}

/// Whether the new row takes over what it wants: those that have it wait in other jobs and were never sent, so a list
/// that was put right, or another route, is not held up by the job that it replaces.
pub(super) fn may_take_over(by_code: Option<&Holder>, by_member: Option<&Holder>) -> bool {
    let mut holders = [by_code, by_member].into_iter().flatten();
    holders.all(|holder| holder.other_job.is_some() && holder.state == RowState::Queued)
}

/// What is said of a row that lost what it had to a row of `job`.
pub(super) fn superseded(row: u64, job: &JobId) -> String {
    format!("this row was never sent, and row {row} of job {job} took its place")
}

/// The state of the new row, and what is said of it.
///
/// The same member under the same code, which an earlier job has brought to a good end, is no mistake: that is what a
/// changed list consists of. Anything else is.
pub(super) fn verdict(
    by_code: Option<&Holder>,
    by_member: Option<&Holder>,
    columns: &KeyColumns,
) -> (RowState, &'static str, String) {
    if let (Some(holder), true) = (by_code, by_code == by_member)
        && let Some(job) = &holder.other_job
        && holder.state.is_success()
    {
        let text = format!("row {} of job {job} is this member", holder.row);
        return (RowState::Present, ALREADY_IMPORTED, text);
    }
    let text = |holder: &Holder, column: &str, what: &str| {
        let place = match &holder.other_job {
            Some(job) => format!("row {} of job {job}", holder.row),
            None => format!("row {}", holder.row),
        };
        match column {
            "" => format!("the same {what} is in {place}"),
            column => format!("column `{column}`: the same {what} is in {place}"),
        }
    };
    let texts: Vec<String> = [
        by_code.map(|holder| text(holder, &columns.user_card_code, "code")),
        by_member.map(|holder| text(holder, &columns.member, columns.member_kind.words())),
    ]
    .into_iter()
    .flatten()
    .collect();
    let code = match by_code {
        Some(_) => DUPLICATE_CODE,
        None => columns.member_kind.code(),
    };
    (RowState::Refused, code, texts.join("; "))
}

pub(super) const SUPERSEDED: &str = "ROW_SUPERSEDED";
const ALREADY_IMPORTED: &str = "ROW_ALREADY_IMPORTED";
const DUPLICATE_CODE: &str = "ROW_DUPLICATE_CODE";
