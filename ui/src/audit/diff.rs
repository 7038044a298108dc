//! What differs between two states of something, as lines. It touches no page.

use serde_json::Value;

/// A part that differs: where it is, what it was, what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) part: String,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

/// What says nothing: it changes with everything.
const NOISE: [&str; 1] = ["revision"];

/// The parts that differ, in the order in which they stand.
pub(super) fn changes(before: Option<&Value>, after: Option<&Value>) -> Vec<Change> {
    let mut found = Vec::new();
    collect("", before, after, &mut found);
    found
}

fn collect(part: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Change>) {
    let (fields_before, fields_after) = (fields(before), fields(after));
    if fields_before.is_none() && fields_after.is_none() {
        let (before, after) = (before.and_then(text), after.and_then(text));
        if before != after {
            let part = part.to_owned();
            found.push(Change { part, before, after });
        }
        return;
    }
    let names = fields_before
        .into_iter()
        .chain(fields_after)
        .flat_map(|fields| fields.keys());
    let mut seen: Vec<&String> = Vec::new();
    for name in names {
        if seen.contains(&name) || NOISE.contains(&name.as_str()) {
            continue;
        }
        seen.push(name);
        let inner = match part {
            "" => name.replace('_', " "),
            part => format!("{part}: {}", name.replace('_', " ")),
        };
        let of = |value: Option<&'_ Value>| value.and_then(|value| value.get(name)).cloned();
        collect(&inner, of(before).as_ref(), of(after).as_ref(), found);
    }
}

fn fields(value: Option<&Value>) -> Option<&serde_json::Map<String, Value>> {
    value.and_then(Value::as_object)
}

/// A value as people write it; nothing for what is not there.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Bool(true) => Some("yes".to_owned()),
        Value::Bool(false) => Some("no".to_owned()),
        Value::Array(items) if items.is_empty() => None,
        Value::Array(items) => Some(items.iter().map(item).collect::<Vec<_>>().join(", ")),
        other => Some(other.to_string()),
    }
}

fn item(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let each = fields
                .iter()
                .filter_map(|(name, value)| Some(format!("{name} {}", text(value)?)));
            each.collect::<Vec<_>>().join(" ")
        }
        other => text(other).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(before: Option<Value>, after: Option<Value>) -> Vec<String> {
        let said = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let all = changes(before.as_ref(), after.as_ref()).into_iter();
        all.map(|one| format!("{} | {} | {}", one.part, said(one.before), said(one.after)))
            .collect()
    }

    #[test]
    fn only_what_differs_is_told() {
        let before =
            json!({"name": "Door", "tags": ["a"], "quotas": {"cameras": 1, "users": null}, "revision": 1});
        let after = json!({"name": "Door", "tags": [], "quotas": {"cameras": 2, "users": 3}, "audio": true, "revision": 2});
        assert_eq!(
            lines(Some(before), Some(after)),
            [
                "quotas: cameras | 1 | 2",
                "quotas: users | - | 3",
                "tags | a | -",
                "audio | - | yes",
            ]
        );
    }

    #[test]
    fn what_was_made_has_no_before() {
        let grants = json!({"items": [{"camera": "1", "permissions": ["view_live", "export"]}], "site": ""});
        assert_eq!(
            lines(None, Some(grants)),
            ["items | - | camera 1 permissions view_live, export"]
        );
        assert_eq!(lines(None, None), Vec::<String>::new());
    }
}
