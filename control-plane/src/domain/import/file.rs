//! From bytes to text, and on which line of it a row begins.

use wire::api::ImportProblem;

use super::problem;

const UTF16: [&[u8]; 2] = [&[0xff, 0xfe], &[0xfe, 0xff]];

/// The text of a file in UTF-8, without a byte order mark.
///
/// # Errors
/// What is wrong, with the line.
pub(super) fn text(bytes: &[u8]) -> Result<&str, ImportProblem> {
    let wrong = |line, found: &str| {
        let title = format!("the file is {found}: save it as CSV in UTF-8");
        problem(line, None, "not_utf8", title)
    };
    if UTF16.iter().any(|mark| bytes.starts_with(mark)) {
        return Err(wrong(1, "in UTF-16"));
    }
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
        wrong(1 + breaks(valid), "not in UTF-8")
    })
}

fn breaks(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Counts lines from row to row. The parser's own count is that of the blank lines before a row.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    pub(super) const fn of(text: &'a str) -> Self {
        Self {
            bytes: text.as_bytes(),
            at: 0,
            line: 1,
        }
    }

    /// The line of the row that the parser found at a byte; rows come in order.
    pub(super) fn at(&mut self, byte: u64) -> u64 {
        let byte = usize::try_from(byte).unwrap_or(usize::MAX);
        let rest = self.bytes.get(byte..).unwrap_or_default();
        let blank = rest.iter().take_while(|byte| b"\r\n".contains(byte)).count();
        let until = byte.saturating_add(blank);
        self.line += breaks(self.bytes.get(self.at..until).unwrap_or_default());
        self.at = until;
        self.line
    }

    /// The line of the last row asked for.
    pub(super) const fn last(&self) -> u64 {
        self.line
    }
}
