//! Tables and lists on a terminal: columns that stand below each other, also with Chinese characters in them.

use unicode_width::UnicodeWidthStr;

/// The lines of a table; columns of numbers are `true` in `is_number` and stand to the right.
pub(crate) fn lines(rows: &[Vec<String>], is_number: &[bool]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.width()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let room = " ".repeat(widths[column].saturating_sub(cell.width()));
            if column > 0 {
                line.push_str("  ");
            }
            if is_number.get(column) == Some(&true) {
                line.push_str(&room);
                line.push_str(cell);
            } else {
                line.push_str(cell);
                line.push_str(&room);
            }
        }
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// The lines of a list of names and values.
pub(crate) fn pairs(pairs: &[(String, String)]) -> Vec<String> {
    let rows: Vec<_> = pairs
        .iter()
        .map(|(name, value)| vec![name.clone(), value.clone()])
        .collect();
    lines(&rows, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other_in_any_script() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = [row(["任务", "行数", "来源"]), row(["3f2a", "1000", "会员.csv"])];
        assert_eq!(
            lines(&rows, &[false, true]),
            ["任务  行数  来源", "3f2a  1000  会员.csv"]
        );
        let rows = [row(["a", "1", "x"]), row(["bbb", "20", ""])];
        assert_eq!(lines(&rows, &[false, true]), ["a     1  x", "bbb  20"]);
    }
}
