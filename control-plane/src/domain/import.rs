//! Cameras from a CSV file (RFC 4180, in UTF-8, with a header row): rows that would do, and what is wrong
//! with the others.
//!
//! Sentences never repeat what a field holds: columns may have been mixed up, and one of them is secret.

mod file;
#[cfg(test)]
mod tests;

use csv::StringRecord;
use wire::api::{ImportProblem, NewCamera};
use wire::source::Transport;

use super::camera::{self, Checked};
use file::{Lines, text};

/// Largest file in bytes.
pub const BYTES_MAX: usize = 5 << 20;
/// Most rows, without the header.
pub const ROWS_MAX: u64 = 5_000;

const COLUMNS: [&str; 17] = [
    "name",
    "url",
    "username",
    "password",
    "site",
    "tags",
    "group",
    "time_zone",
    "sub_url",
    "transport",
    "audio",
    "recording",
    "copies",
    "node_labels",
    "segment_s",
    "object_s",
    "notes",
];
const REQUIRED: [&str; 2] = ["name", "url"];

/// A row that would do by itself. Its `Debug` shows no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line on which it begins.
    pub line: u64,
    /// What it says; the group is only named.
    pub new: NewCamera,
    /// The same, checked.
    pub checked: Checked,
    /// Name of the group, if it is in one.
    pub group: Option<String>,
}

/// What a file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parsed {
    /// Rows in it, without the header; blank ones do not count.
    pub rows: u64,
    /// Those that would do.
    pub good: Vec<Row>,
    /// What is wrong with the others, or with the file.
    pub problems: Vec<ImportProblem>,
}

/// Something wrong on a line.
#[must_use]
pub fn problem(
    line: u64,
    field: Option<&str>,
    code: &'static str,
    title: impl Into<String>,
) -> ImportProblem {
    ImportProblem {
        line,
        field: field.map(str::to_owned),
        code: code.to_owned(),
        title: title.into(),
    }
}

/// Reads a file.
#[must_use]
pub fn parse(bytes: &[u8], allow_loopback: bool) -> Parsed {
    let mut parsed = Parsed::default();
    match text(bytes) {
        Ok(text) => read(text, allow_loopback, &mut parsed),
        Err(problem) => parsed.problems.push(problem),
    }
    parsed
}

fn read(text: &str, allow_loopback: bool, parsed: &mut Parsed) {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.as_bytes());
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(_) => StringRecord::new(),
    };
    let columns: Vec<String> = header.iter().map(|name| name.trim().to_lowercase()).collect();
    parsed.problems = wrong_columns(&columns);
    if !parsed.problems.is_empty() {
        return;
    }
    let mut lines = Lines::of(text);
    for record in reader.records() {
        let Ok(record) = record else {
            parsed.problems.push(problem(
                lines.last(),
                None,
                "unreadable_row",
                "the row cannot be read",
            ));
            return;
        };
        let line = lines.at(record.position().map_or(0, csv::Position::byte));
        if record.iter().all(|field| field.trim().is_empty()) {
            continue;
        }
        parsed.rows += 1;
        if parsed.rows > ROWS_MAX {
            let title = "a file has at most 5000 rows: split it";
            parsed.problems.push(problem(line, None, "too_many_rows", title));
            return;
        }
        match row(line, &columns, &record, allow_loopback) {
            Ok(row) => parsed.good.push(row),
            Err(wrong) => parsed.problems.extend(wrong),
        }
    }
    if text.matches('"').count() % 2 == 1 {
        let title = "a quote is opened and never closed: write two quotes where a field has one";
        parsed
            .problems
            .push(problem(lines.last(), None, "unbalanced_quotes", title));
    }
}

/// What is wrong with the header. The name of an unknown column is told only when the others are right:
/// without a header, the first row's secrets would stand in its place.
fn wrong_columns(columns: &[String]) -> Vec<ImportProblem> {
    if columns.iter().all(|column| column.trim().is_empty()) {
        return vec![problem(1, None, "empty_file", "the file is empty")];
    }
    if let [one] = columns {
        for (separator, name) in [(';', "semicolons"), ('\t', "tabs")] {
            if one.split(separator).any(|part| part.trim() == REQUIRED[0]) {
                let title = format!("columns are separated by commas, not by {name}: save the file again");
                return vec![problem(1, None, "wrong_separator", title)];
            }
        }
    }
    let missing: Vec<ImportProblem> = REQUIRED
        .into_iter()
        .filter(|wanted| !columns.iter().any(|column| column == wanted))
        .map(|wanted| {
            let title = format!("the first line names the columns, and {wanted} is not among them");
            problem(1, Some(wanted), "missing_column", title)
        })
        .collect();
    if !missing.is_empty() {
        return missing;
    }
    let mut wrong = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        let name: String = column.chars().filter(|c| !c.is_control()).take(40).collect();
        if !COLUMNS.contains(&column.as_str()) {
            let title = format!("there is no such column; these are: {}", COLUMNS.join(", "));
            wrong.push(problem(1, Some(&name), "unknown_column", title));
        } else if columns.iter().take(at).any(|before| before == column) {
            wrong.push(problem(
                1,
                Some(&name),
                "duplicate_column",
                "the column is there twice",
            ));
        }
    }
    wrong
}

fn row(
    line: u64,
    columns: &[String],
    record: &StringRecord,
    allow_loopback: bool,
) -> Result<Row, Vec<ImportProblem>> {
    // Spreadsheets leave blank cells at the end.
    let used = record.len() - record.iter().rev().take_while(|field| field.is_empty()).count();
    if used > columns.len() || record.len() < columns.len() {
        let title = format!(
            "the row has {} fields, the first line {}: put quotes around a field with a comma",
            record.len(),
            columns.len()
        );
        return Err(vec![problem(line, None, "wrong_field_count", title)]);
    }
    let field = |name: &str| {
        let at = columns.iter().position(|column| column == name);
        at.and_then(|at| record.get(at)).unwrap_or_default()
    };
    let optional = |name: &str| Some(field(name).to_owned()).filter(|text| !text.is_empty());
    let mut wrong = Vec::new();
    let mut flag = |name: &'static str, default: bool| {
        switch(field(name), default).unwrap_or_else(|| {
            wrong.push(problem(line, Some(name), "invalid_field", "true or false"));
            default
        })
    };
    let (audio, recording) = (flag("audio", false), flag("recording", true));
    let transport = match field("transport").trim().to_lowercase().as_str() {
        "" | "tcp" => Transport::Tcp,
        "udp" => Transport::Udp,
        _ => {
            wrong.push(problem(line, Some("transport"), "invalid_field", "tcp or udp"));
            Transport::Tcp
        }
    };
    let defaults = NewCamera::default();
    // What is no number is refused with the other fields.
    let number = |name: &str, default: u32| match field(name).trim() {
        "" => default,
        number => number.parse().unwrap_or(0),
    };
    let list = |name: &str| -> Vec<String> {
        let parts = field(name).split(';').map(str::trim);
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let new = NewCamera {
        name: field("name").to_owned(),
        url: field("url").to_owned(),
        sub_url: optional("sub_url"),
        username: optional("username"),
        password: optional("password"),
        site: field("site").to_owned(),
        tags: list("tags"),
        copies: number("copies", defaults.copies.into()).try_into().unwrap_or(0),
        segment_s: number("segment_s", defaults.segment_s),
        object_s: number("object_s", defaults.object_s),
        node_labels: list("node_labels"),
        time_zone: camera::filled(Some(field("time_zone"))).map_or(defaults.time_zone, str::to_owned),
        notes: field("notes").to_owned(),
        transport,
        audio,
        recording,
        ..NewCamera::default()
    };
    match camera::check(&new, allow_loopback) {
        Ok(checked) if wrong.is_empty() => Ok(Row {
            line,
            group: camera::filled(Some(field("group"))).map(|name| name.trim().to_owned()),
            new,
            checked,
        }),
        Ok(_) => Err(wrong),
        Err(fields) => {
            let fields = fields.into_iter();
            wrong.extend(fields.map(|one| problem(line, Some(one.field), one.code, one.title)));
            Err(wrong)
        }
    }
}

/// Yes or no, `default` for nothing at all; none for what is neither.
fn switch(text: &str, default: bool) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "" => Some(default),
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}
