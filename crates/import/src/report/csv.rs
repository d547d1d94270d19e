//! A report as CSV, safe to open in a spreadsheet.

use super::{guarded, job::Report, quoted};

/// The table by state and code.
pub(super) fn render(report: &Report) -> String {
    // Spreadsheets know UTF-8 by its mark.
    let mut text = "\u{FEFF}state,code,rows,message\r\n".to_owned();
    for (state, code, message, rows) in report.explained() {
        let cells = [state.name(), code, &rows.to_string(), message].map(|cell| quoted(&guarded(cell)));
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}
