//! Taking users over from another system, with their BCrypt hashes: all of them or none.

use std::collections::HashMap;

use wire::access::Role;
use wire::api::UserState;
use wire::{OrganizationId, UnixMs, UserId};

use super::console::{add, named};
use super::organizations::{Quota, room_for};
use super::password::check_bcrypt;
use crate::Error;
use crate::domain::user;
use crate::store::users::{self, UserRow};
use crate::store::{Connection, StoreError};

const COLUMNS: [&str; 4] = ["login", "name", "role", "password_hash"];

/// A row that cannot be taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// Line of the file, from 1.
    pub line: u64,
    /// Why, without any hash.
    pub why: String,
}

/// What came of it: users were added only when no row is bad.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Rows of the file.
    pub rows: usize,
    /// Those that cannot be taken over.
    pub bad: Vec<BadRow>,
}

/// Adds the users of a file to an organization, within one transaction; with `dry_run` only looks.
///
/// # Errors
/// [`Error::NotFound`] for an unknown organization, [`Error::Conflict`] when the quota does not allow so
/// many, and those of the database. Bad rows are no error: they are in the answer.
pub fn import(
    connection: &mut Connection,
    organization: &str,
    file: &[u8],
    dry_run: bool,
    now: UnixMs,
) -> Result<Imported, Error> {
    let organization = named(connection, organization)?;
    let mut rows = Vec::new();
    let mut bad = Vec::new();
    for (line, row) in parse(file) {
        match row.and_then(|row| check(row, organization)) {
            Ok(user) => rows.push((line, user)),
            Err(why) => bad.push(BadRow { line, why }),
        }
    }
    let count = rows.len() + bad.len();
    bad.extend(taken(connection, &rows)?);
    bad.sort_by_key(|row| row.line);
    if bad.is_empty() {
        room_for(connection, organization, Quota::Users, count as u64)?;
        if !dry_run {
            for (_, user) in &rows {
                add(connection, user, now)?;
            }
        }
    }
    Ok(Imported { rows: count, bad })
}

type Row = [String; 4];

/// Every row with its line, columns in the order of [`COLUMNS`].
fn parse(file: &[u8]) -> Vec<(u64, Result<Row, String>)> {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file);
    let places = match reader.headers() {
        Ok(head) => places(head),
        Err(_) => Err("the first line is not text".to_owned()),
    };
    let places = match places {
        Ok(places) => places,
        Err(why) => return vec![(1, Err(why))],
    };
    let mut rows = Vec::new();
    let mut record = csv::StringRecord::new();
    loop {
        let line = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(false) => return rows,
            Ok(true) => {
                let line = record.position().map_or(line, csv::Position::line);
                rows.push((line, picked(&record, places)));
            }
            Err(_) => rows.push((line, Err("this line is not text in UTF-8".to_owned()))),
        }
    }
}

/// Where each column stands.
fn places(head: &csv::StringRecord) -> Result<[usize; 4], String> {
    let mut places = [0; 4];
    for (place, column) in places.iter_mut().zip(COLUMNS) {
        *place = head
            .iter()
            .position(|name| name.trim() == column)
            .ok_or_else(|| format!("the first line names the columns: {column} is missing"))?;
    }
    if head.len() == COLUMNS.len() {
        Ok(places)
    } else {
        Err(format!("the columns are {}, and no others", COLUMNS.join(", ")))
    }
}

fn picked(record: &csv::StringRecord, places: [usize; 4]) -> Result<Row, String> {
    if record.len() != COLUMNS.len() {
        return Err(format!("there are {} columns instead of 4", record.len()));
    }
    Ok(places.map(|place| record.get(place).unwrap_or_default().trim().to_owned()))
}

fn check([login, name, role, hash]: Row, organization: OrganizationId) -> Result<UserRow, String> {
    let why = |error: user::InvalidUser| error.to_string();
    check_bcrypt(&hash).map_err(|error| error.to_string())?;
    Ok(UserRow {
        id: UserId::generate(),
        organization,
        organization_name: String::new(),
        login: user::login(&login).map_err(why)?,
        name: user::name(&name).map_err(why)?,
        role: match role.as_str() {
            "org_admin" => Role::OrgAdmin,
            "org_user" => Role::OrgUser,
            _ => return Err("a role is org_admin or org_user".to_owned()),
        },
        state: UserState::Active,
        password_hash: hash,
    })
}

/// Rows whose login another row or a user has.
fn taken(connection: &mut Connection, rows: &[(u64, UserRow)]) -> Result<Vec<BadRow>, StoreError> {
    let mut seen: HashMap<&str, u64> = HashMap::new();
    let mut bad = Vec::new();
    for (line, row) in rows {
        if let Some(first) = seen.insert(&row.login, *line) {
            let why = format!("{} stands in line {first} too", row.login);
            bad.push(BadRow { line: *line, why });
        } else if users::by_login(connection, &row.login)?.is_some() {
            let why = format!("there is a user {} already", row.login);
            bad.push(BadRow { line: *line, why });
        }
    }
    Ok(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<(u64, bool)> {
        let organization = OrganizationId::generate();
        parse(text)
            .into_iter()
            .map(|(line, row)| (line, row.and_then(|row| check(row, organization)).is_ok()))
            .collect()
    }

    #[test]
    fn every_row_is_judged_by_itself_and_keeps_its_line() {
        let hash = bcrypt::hash("x", 4).unwrap();
        let text = format!(
            "\u{feff}role,login,name,password_hash\norg_user,ann,\"Ann\nSmith\",{hash}\n\
             org_user,ann smith,Ann,{hash}\nking,bob,Bob,{hash}\norg_user,eve,Eve\n\
             org_admin,eve,Eve,{hash}\norg_user,dan,Dan,$argon2id$x\nsuper_admin,sam,Sam,{hash}\n"
        );
        assert_eq!(
            lines(text.as_bytes()),
            [
                (2, false),
                (4, false),
                (5, false),
                (6, false),
                (7, true),
                (8, false),
                (9, false)
            ]
        );
    }

    #[test]
    fn wrong_heads_and_bytes_are_said() {
        for head in ["", "login,name\n", "login,name,role,password_hash,more\n", "x\n"] {
            assert_eq!(lines(head.as_bytes()), [(1, false)], "{head:?}");
        }
        let mut text = b"login,name,role,password_hash\n".to_vec();
        text.extend(b"\xff\xfe,x,org_user,x\nann,Ann,org_user,x\n");
        assert_eq!(lines(&text), [(2, false), (3, false)]);
    }
}
