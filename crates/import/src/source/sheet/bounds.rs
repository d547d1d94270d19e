//! How much memory the sheets of an ODS or XLS take, before they are read.
//!
//! The reader of these two lays out every cell between the first and the last one, and an ODS says "a thousand times this
//! row of a thousand cells" in a few bytes. What stands here walks over the same parts of the file without keeping them.
//! It must not count less than the reader lays out: where the two could differ, it counts more or calls the file damaged.

use std::io::{BufRead, BufReader, Cursor};

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use zip::ZipArchive;

use super::{DAMAGED, Refusal};

/// Cells of a whole file, empty ones between others counted.
pub(super) const AREA_LIMIT: u64 = 10_000_000;
const TEXT_LIMIT: u64 = super::TEXT_LIMIT as u64;

/// Checks what the parts of an ODS say of repeated rows and cells.
pub(super) fn check_ods(bytes: &[u8]) -> Result<(), Refusal> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| damaged())?;
    let content = archive.by_name("content.xml").map_err(|_| damaged())?;
    Tables::default().read(BufReader::new(content))
}

/// All tables of a file taken for one: the widest row, and the rows of all.
#[derive(Default)]
struct Tables {
    /// Elements of these kinds that are open.
    open_rows: u32,
    open_cells: u32,
    width: u64,
    rows: u64,
    /// Empty rows, which count when a filled one follows.
    empty_rows: u64,
    text: u64,
    row: Row,
    /// How often the cell stands in its row.
    cell_repeats: u64,
}

#[derive(Default)]
struct Row {
    repeats: u64,
    width: u64,
    /// Empty cells, which count when a filled one follows.
    empty: u64,
    is_filled: bool,
}

impl Tables {
    fn read(mut self, input: impl BufRead) -> Result<(), Refusal> {
        let mut reader = Reader::from_reader(input);
        reader.config_mut().expand_empty_elements = true;
        let mut buffer = Vec::new();
        let mut open = 0_u64;
        loop {
            buffer.clear();
            match reader.read_event_into(&mut buffer).map_err(|_| damaged())? {
                // The reader looks for the end of what is open for ever.
                Event::Eof if open > 0 => return Err(damaged()),
                Event::Eof => return Ok(()),
                Event::Start(start) => {
                    open += 1;
                    self.start(&start)?;
                }
                // That it fits what is open was seen to by now.
                Event::End(end) => {
                    open = open.saturating_sub(1);
                    match end.name().0 {
                        ROW => self.open_rows = self.open_rows.saturating_sub(1),
                        CELL | COVERED_CELL => self.open_cells = self.open_cells.saturating_sub(1),
                        _ => {}
                    }
                }
                Event::Text(text) if self.open_cells > 0 => self.count_text(text.len())?,
                Event::GeneralRef(_) if self.open_cells > 0 => self.count_text(4)?,
                Event::DocType(_) => return Err(damaged()),
                _ => {}
            }
        }
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), Refusal> {
        match start.name().0 {
            // What is empty at the end of one table is no part of the next.
            TABLE if self.open_rows == 0 => self.empty_rows = 0,
            ROW => {
                self.open_rows += 1;
                self.row = Row {
                    repeats: repeats(start, "table:number-rows-repeated", MOST_ROWS)?,
                    ..Row::default()
                };
                self.empty_rows += self.row.repeats;
            }
            CELL | COVERED_CELL => {
                self.open_cells += 1;
                self.cell_repeats = repeats(start, "table:number-columns-repeated", MOST_COLUMNS)?;
                let is_filled = start.attributes().flatten().any(|attribute| {
                    let key = attribute.key.0;
                    key.starts_with("office:") || matches!(key, "table:formula" | "calcext:value-type")
                });
                if !is_filled {
                    self.row.empty += self.cell_repeats;
                    return Ok(());
                }
                self.row.width += std::mem::take(&mut self.row.empty) + self.cell_repeats;
                self.width = self.width.max(self.row.width.min(MOST_COLUMNS));
                if !std::mem::replace(&mut self.row.is_filled, true) {
                    self.rows += std::mem::take(&mut self.empty_rows);
                }
                if self.width * self.rows > AREA_LIMIT {
                    return Err(too_large());
                }
                self.count_text(start.len())?;
            }
            // So many spaces.
            "text:s" if self.open_cells > 0 => {
                let spaces = repeats(start, "text:c", u64::MAX)?;
                self.count_text(usize::try_from(spaces).unwrap_or(usize::MAX))?;
            }
            _ => {}
        }
        Ok(())
    }

    fn count_text(&mut self, bytes: usize) -> Result<(), Refusal> {
        let bytes = (bytes as u64)
            .saturating_mul(self.cell_repeats)
            .saturating_mul(self.row.repeats);
        self.text = self.text.saturating_add(bytes);
        match self.text > 2 * TEXT_LIMIT {
            true => Err(Refusal::TooLarge(super::TOO_MUCH_TEXT)),
            false => Ok(()),
        }
    }
}

/// The number in an attribute, 1 without it; the reader takes no more than `most`.
fn repeats(start: &BytesStart<'_>, name: &str, most: u64) -> Result<u64, Refusal> {
    match start.try_get_attribute(name).map_err(|_| damaged())? {
        Some(attribute) => {
            let number = attribute.value.parse::<u64>().map_err(|_| damaged())?;
            Ok(number.min(most))
        }
        None => Ok(1),
    }
}

/// Checks where the cells of an XLS are.
pub(super) fn check_xls(bytes: &[u8]) -> Result<(), Refusal> {
    let stream = Compound::open(bytes)
        .and_then(|compound| compound.stream("workbook").or_else(|| compound.stream("book")))
        .ok_or_else(damaged)?;
    let mut area = 0_u64;
    let globals = Records { rest: &stream };
    for (kind, data) in globals.take_while(|(kind, _)| *kind != END) {
        if kind != SHEET {
            continue;
        }
        let place = u32_at(data, 0).ok_or_else(damaged)? as usize;
        let rest = stream.get(place..).ok_or_else(damaged)?;
        area = area.saturating_add(area_of(Records { rest })?);
        if area > AREA_LIMIT {
            return Err(too_large());
        }
    }
    Ok(())
}

/// Cells between the first and the last one of a sheet.
fn area_of(records: Records<'_>) -> Result<u64, Refusal> {
    let mut bounds: Option<[u32; 4]> = None;
    let mut depth = 0;
    for (kind, data) in records {
        match kind {
            BEGIN => depth += 1,
            END if depth > 1 => depth -= 1,
            END => break,
            DIMENSIONS => check_dimensions(data)?,
            NUMBER | LABEL | RICH_LABEL | BOOLEAN | RK | SHARED_LABEL | FORMULA | SEVERAL_RK => {
                let (row, first) = (u16_at(data, 0), u16_at(data, 2));
                let last = match kind {
                    SEVERAL_RK => data.len().checked_sub(2).and_then(|place| u16_at(data, place)),
                    _ => first,
                };
                let (Some(row), Some(first), Some(last)) = (row, first, last) else {
                    return Err(damaged());
                };
                let [row, first, last] = [row, first, last].map(u32::from);
                let [top, left, bottom, right] = bounds.unwrap_or([row, first, row, last]);
                bounds = Some([top.min(row), left.min(first), bottom.max(row), right.max(last)]);
            }
            _ => {}
        }
    }
    let Some([top, left, bottom, right]) = bounds else {
        return Ok(0);
    };
    Ok(u64::from(bottom - top + 1) * u64::from(right.saturating_sub(left) + 1))
}

/// The reader makes room for what a sheet says of its own size, which no sheet of this format exceeds.
fn check_dimensions(data: &[u8]) -> Result<(), Refusal> {
    let last_row = match data.len() {
        10 => u16_at(data, 2).map(u32::from),
        _ => u32_at(data, 4),
    };
    match last_row.ok_or_else(damaged)? > 65_536 {
        true => Err(damaged()),
        false => Ok(()),
    }
}

/// The records of a stream, one after the other.
struct Records<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Records<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (kind, length) = (u16_at(self.rest, 0)?, u16_at(self.rest, 2)?);
        let end = 4 + usize::from(length);
        let data = self.rest.get(4..end)?;
        self.rest = &self.rest[end..];
        Some((kind, data))
    }
}

/// The file system in an old document of Office: sectors in chains, and a directory.
struct Compound<'a> {
    bytes: &'a [u8],
    sector: usize,
    chains: Vec<u32>,
    directory: Vec<u8>,
    mini_chains: Vec<u32>,
}

impl<'a> Compound<'a> {
    fn open(bytes: &'a [u8]) -> Option<Self> {
        let sector = match u16_at(bytes, 30)? {
            9 => 512,
            12 => 4096,
            _ => return None,
        };
        let mut compound = Self {
            bytes,
            sector,
            chains: Vec::new(),
            directory: Vec::new(),
            mini_chains: Vec::new(),
        };
        let mut list = numbers(bytes.get(76..512)?);
        let mut next = u32_at(bytes, 68)?;
        for _ in 0..=bytes.len() / sector {
            if next >= RESERVED {
                break;
            }
            list.extend(numbers(compound.sector(next)?));
            next = list.pop()?;
        }
        for place in list.into_iter().filter(|&place| place < RESERVED) {
            let sector = numbers(compound.sector(place)?);
            compound.chains.extend(sector);
            if compound.chains.len() > bytes.len() {
                return None;
            }
        }
        compound.directory = compound.chain(u32_at(bytes, 48)?, usize::MAX)?;
        if u32_at(bytes, 64)? > 0 {
            let length = (u32_at(bytes, 64)? as usize).saturating_mul(sector);
            compound.mini_chains = numbers(&compound.chain(u32_at(bytes, 60)?, length)?);
        }
        Some(compound)
    }

    fn sector(&self, place: u32) -> Option<&'a [u8]> {
        let start = (place as usize).checked_add(1)?.checked_mul(self.sector)?;
        let end = start.checked_add(self.sector)?.min(self.bytes.len());
        self.bytes.get(start..end)
    }

    fn chain(&self, mut place: u32, length: usize) -> Option<Vec<u8>> {
        let mut found = Vec::new();
        while place != END_OF_CHAIN && found.len() < length {
            // A chain that runs in a circle has no end.
            if found.len() > self.bytes.len() {
                return None;
            }
            found.extend_from_slice(self.sector(place)?);
            place = *self.chains.get(place as usize)?;
        }
        found.truncate(length);
        Some(found)
    }

    fn stream(&self, name: &str) -> Option<Vec<u8>> {
        let entries = || self.directory.chunks_exact(128);
        let entry = entries().find(|entry| {
            let units = entry[..64]
                .chunks_exact(2)
                .map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
            let found = char::decode_utf16(units.take_while(|&unit| unit != 0)).flatten();
            found.flat_map(char::to_lowercase).eq(name.chars())
        })?;
        let (start, length) = (u32_at(entry, 116)?, u32_at(entry, 120)? as usize);
        if length >= 4096 {
            return self.chain(start, length);
        }
        let root = entries().next()?;
        let small = self.chain(u32_at(root, 116)?, u32_at(root, 120)? as usize)?;
        let (mut found, mut place) = (Vec::new(), start);
        while place != END_OF_CHAIN && found.len() < length {
            let begin = place as usize * 64;
            found.extend_from_slice(small.get(begin..(begin + 64).min(small.len()))?);
            place = *self.mini_chains.get(place as usize)?;
        }
        found.truncate(length);
        Some(found)
    }
}

fn numbers(bytes: &[u8]) -> Vec<u32> {
    let numbers = bytes.chunks_exact(4);
    numbers
        .map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
        .collect()
}

fn u16_at(bytes: &[u8], place: usize) -> Option<u16> {
    let two = bytes.get(place..place.checked_add(2)?)?;
    Some(u16::from_le_bytes(two.try_into().ok()?))
}

fn u32_at(bytes: &[u8], place: usize) -> Option<u32> {
    let four = bytes.get(place..place.checked_add(4)?)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}

fn damaged() -> Refusal {
    Refusal::Problem(DAMAGED)
}

fn too_large() -> Refusal {
    Refusal::TooLarge(
        "10 million cells, the empty ones between others counted; save the list alone as `CSV UTF-8`",
    )
}

const TABLE: &str = "table:table";
const ROW: &str = "table:table-row";
const CELL: &str = "table:table-cell";
const COVERED_CELL: &str = "table:covered-table-cell";
const MOST_ROWS: u64 = 1_048_576;
const MOST_COLUMNS: u64 = 16_384;

const END_OF_CHAIN: u32 = 0xFFFF_FFFE;
/// From here on a number of a sector says something else.
const RESERVED: u32 = 0xFFFF_FFFA;

const FORMULA: u16 = 0x0006;
const END: u16 = 0x000A;
const SHEET: u16 = 0x0085;
const SEVERAL_RK: u16 = 0x00BD;
const RICH_LABEL: u16 = 0x00D6;
const SHARED_LABEL: u16 = 0x00FD;
const DIMENSIONS: u16 = 0x0200;
const NUMBER: u16 = 0x0203;
const LABEL: u16 = 0x0204;
const BOOLEAN: u16 = 0x0205;
const RK: u16 = 0x027E;
const BEGIN: u16 = 0x0809;
