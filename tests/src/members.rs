//! Made-up member lists of any length: each row follows from the seed and its number, so nothing is kept in memory.
//!
//! Every phone number is one that the validation takes, and none is told twice but in a row whose mistake is that.

use std::io::{self, Write};

use crate::random::{Random, mixed};

/// A list of members, some of them with a mistake.
#[derive(Clone, Copy, Debug)]
pub struct MemberList {
    rows: u64,
    seed: u64,
    mistakes: u64,
}

/// One row of a list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MemberRow {
    /// Counted from 1, as reports count.
    pub row: u64,
    /// As the file has it.
    pub phone_number: String,
    /// As the file has it.
    pub user_card_code: String,
    /// The member's name.
    pub name: String,
    /// The member's level.
    pub level: &'static str,
    /// When the member joined.
    pub pickup_time: String,
    /// What is wrong with the row.
    pub mistake: Option<Mistake>,
}

/// What can be wrong with a row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mistake {
    /// The code of an earlier good row.
    RepeatedCode,
    /// The phone number of an earlier good row.
    RepeatedPhoneNumber,
    /// A code with a character that is not allowed.
    WrongCode,
    /// A phone number that is none.
    WrongPhoneNumber,
    /// A time that is none.
    WrongTime,
}

impl Mistake {
    /// The code that reports give it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::RepeatedCode => "ROW_DUPLICATE_CODE",
            Self::RepeatedPhoneNumber => "ROW_DUPLICATE_PHONE_NUMBER",
            Self::WrongCode => "ROW_CODE_CHARACTER",
            Self::WrongPhoneNumber => "ROW_BAD_PHONE_NUMBER",
            Self::WrongTime => "ROW_BAD_TIME",
        }
    }
}

impl MemberList {
    /// A list without mistakes, of up to a hundred million rows.
    #[must_use]
    pub fn new(rows: u64, seed: u64) -> Self {
        Self {
            rows,
            seed,
            mistakes: 0,
        }
    }

    /// Gives a mistake to so many rows in a thousand.
    #[must_use]
    pub fn with_mistakes(self, per_thousand: u64) -> Self {
        Self {
            mistakes: per_thousand,
            ..self
        }
    }

    /// Every row in order.
    pub fn rows(self) -> impl Iterator<Item = MemberRow> {
        (1..=self.rows).map(move |row| self.row(row))
    }

    /// The rows without a mistake.
    pub fn good_rows(self) -> impl Iterator<Item = MemberRow> {
        self.rows().filter(|row| row.mistake.is_none())
    }

    /// The row of this number, from 1.
    #[must_use]
    pub fn row(self, row: u64) -> MemberRow {
        let mistake = self.mistake(row);
        let mut random = Random::from_seed(self.seed ^ mixed(row));
        let mut name = String::from(random.one_of(SURNAMES));
        for _ in 0..=random.below(2) {
            name.push_str(random.one_of(GIVEN));
        }
        let date = format!(
            "20{:02}-{:02}-{:02}",
            15 + random.below(10),
            1 + random.below(12),
            1 + random.below(28)
        );
        let pickup_time = match random.below(2) {
            0 => date,
            _ => format!(
                "{date} {:02}:{:02}:{:02}",
                random.below(24),
                random.below(60),
                random.below(60)
            ),
        };
        let mut made = MemberRow {
            row,
            phone_number: self.phone_number(row),
            user_card_code: self.user_card_code(row),
            name,
            level: random.one_of(LEVELS),
            pickup_time,
            mistake,
        };
        match mistake {
            None => {}
            Some(Mistake::RepeatedCode) => made.user_card_code = self.user_card_code(self.good_before(row)),
            Some(Mistake::RepeatedPhoneNumber) => {
                made.phone_number = self.phone_number(self.good_before(row));
            }
            Some(Mistake::WrongCode) => made.user_card_code.push('号'),
            Some(Mistake::WrongPhoneNumber) => made.phone_number.replace_range(1..2, "2"),
            Some(Mistake::WrongTime) => "昨天".clone_into(&mut made.pickup_time),
        }
        made
    }

    /// Writes the list as CSV with a header.
    ///
    /// # Errors
    ///
    /// The writer's.
    pub fn write(self, mut to: impl Write) -> io::Result<()> {
        to.write_all("手机号,会员卡号,姓名,等级,领取时间\n".as_bytes())?;
        for row in self.rows() {
            let MemberRow {
                phone_number,
                user_card_code,
                name,
                level,
                pickup_time,
                ..
            } = row;
            writeln!(to, "{phone_number},{user_card_code},{name},{level},{pickup_time}")?;
        }
        to.flush()
    }

    fn mistake(self, row: u64) -> Option<Mistake> {
        let mut random = Random::from_seed(self.seed.wrapping_add(1) ^ mixed(row));
        if random.below(1000) >= self.mistakes {
            return None;
        }
        // The first row has none before it whose phone number or code it could repeat.
        let first = if row > 1 { 5 } else { 3 };
        Some(match random.below(first) {
            0 => Mistake::WrongCode,
            1 => Mistake::WrongPhoneNumber,
            2 => Mistake::WrongTime,
            3 => Mistake::RepeatedCode,
            _ => Mistake::RepeatedPhoneNumber,
        })
        .map(|mistake| match mistake {
            Mistake::RepeatedCode | Mistake::RepeatedPhoneNumber if self.good_before(row) == 0 => {
                Mistake::WrongTime
            }
            other => other,
        })
    }

    /// A good row before this one; 0 when there is none.
    fn good_before(self, row: u64) -> u64 {
        let before = Random::from_seed(self.seed.wrapping_add(2) ^ mixed(row)).below(row - 1);
        let is_good = |row: &u64| {
            Random::from_seed(self.seed.wrapping_add(1) ^ mixed(*row)).below(1000) >= self.mistakes
        };
        (1..=before + 1).rev().find(is_good).unwrap_or(0)
    }

    /// A bijection of eight digits, so that no two rows have one number.
    fn phone_number(self, row: u64) -> String {
        let digits = (row.wrapping_mul(48_271_927) + mixed(self.seed) % 100_000_000) % 100_000_000;
        let prefix = PREFIXES[(row % PREFIXES.len() as u64) as usize];
        format!("{prefix}{digits:08}")
    }

    fn user_card_code(self, row: u64) -> String {
        format!("K{:04X}-{row:09}", mixed(self.seed) % 0x1_0000)
    }
}

const PREFIXES: &[&str] = &["138", "159", "186", "199"];
const LEVELS: &[&str] = &["普通会员", "银卡会员", "金卡会员"];
const SURNAMES: &[&str] = &[
    "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "马", "朱", "胡", "欧阳",
];
const GIVEN: &[&str] = &[
    "伟", "芳", "娜", "秀", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛",
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn good_rows_are_distinct_and_the_others_have_their_mistake() {
        let list = MemberList::new(5_000, 7).with_mistakes(100);
        let (mut phones, mut codes) = (HashSet::new(), HashSet::new());
        let mut mistakes = [0; 5];
        for row in list.rows() {
            assert_eq!(row, list.row(row.row));
            match row.mistake {
                None => {
                    assert!(phones.insert(row.phone_number) && codes.insert(row.user_card_code));
                }
                Some(mistake) => {
                    mistakes[mistake as usize] += 1;
                    let repeats_code = codes.contains(&row.user_card_code);
                    let repeats_phone = phones.contains(&row.phone_number);
                    let expected = (
                        mistake == Mistake::RepeatedCode,
                        mistake == Mistake::RepeatedPhoneNumber,
                    );
                    assert_eq!((repeats_code, repeats_phone), expected, "{mistake:?}");
                }
            }
        }
        assert!(mistakes.iter().all(|count| *count > 50), "{mistakes:?}");
    }

    #[test]
    fn a_list_follows_from_its_seed() {
        let written = |seed| {
            let mut text = Vec::new();
            MemberList::new(100, seed)
                .with_mistakes(500)
                .write(&mut text)
                .unwrap();
            text
        };
        assert_eq!(written(1), written(1));
        assert_ne!(written(1), written(2));
    }
}
