//! Server-sent events, taken apart as they arrive (WHATWG HTML §9.2.6). It does no HTTP.

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    /// The last id that the server gave, in this event or before.
    pub id: String,
    /// What kind of event it is; `message` unless the server says otherwise.
    pub kind: String,
    /// Its data.
    pub data: String,
}

/// An event longer than this is given up: nothing that the server sends comes near.
const LONGEST: usize = 1 << 20;

/// Takes bytes, gives events.
#[derive(Debug, Default)]
pub struct Parser {
    line: Vec<u8>,
    after_cr: bool,
    id: String,
    kind: String,
    data: String,
}

impl Parser {
    /// One that goes on after an event.
    #[must_use]
    pub fn after(id: String) -> Self {
        Self {
            id,
            ..Self::default()
        }
    }

    /// Id of the last event.
    #[must_use]
    pub fn last_id(&self) -> &str {
        &self.id
    }

    /// Takes what arrived; the events that are whole by it.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for byte in bytes {
            let after_cr = std::mem::replace(&mut self.after_cr, *byte == b'\r');
            match byte {
                b'\n' if after_cr => {}
                b'\n' | b'\r' => {
                    let line = std::mem::take(&mut self.line);
                    events.extend(self.end_of_line(&String::from_utf8_lossy(&line)));
                }
                _ if self.line.len() < LONGEST => self.line.push(*byte),
                _ => {}
            }
        }
        events
    }

    fn end_of_line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            return self.dispatch();
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => value.clone_into(&mut self.kind),
            "data" if self.data.len() + value.len() < LONGEST => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "id" if !value.contains('\0') => value.clone_into(&mut self.id),
            // A comment keeps the connection alive; `retry` is the caller's own business.
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<Event> {
        let kind = std::mem::take(&mut self.kind);
        let mut data = std::mem::take(&mut self.data);
        // The line break after the last line; without any line there is no event.
        data.pop()?;
        Some(Event {
            id: self.id.clone(),
            kind: if kind.is_empty() {
                "message".to_owned()
            } else {
                kind
            },
            data,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STREAM: &str = ": hello\n\nid: 7\nevent: camera_changed\ndata: {\"a\":\ndata:1}\n\nretry: 500\nid: 8\n\n\
        data: \u{fc}ber\r\n\r\ndata: half";

    fn event(id: &str, kind: &str, data: &str) -> Event {
        Event {
            id: id.to_owned(),
            kind: kind.to_owned(),
            data: data.to_owned(),
        }
    }

    #[test]
    fn whole_events_come_out_and_half_ones_wait() {
        let mut parser = Parser::after("3".to_owned());
        assert_eq!(parser.last_id(), "3");
        let expected = [
            event("7", "camera_changed", "{\"a\":\n1}"),
            event("8", "message", "\u{fc}ber"),
        ];
        assert_eq!(parser.take(STREAM.as_bytes()), expected);
        assert_eq!(parser.last_id(), "8");
        assert_eq!(parser.take(b"\n\n"), [event("8", "message", "half")]);
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_bytes_are_cut(cuts in proptest::collection::vec(0..STREAM.len(), 0..8)) {
            let whole = Parser::default().take(STREAM.as_bytes());
            let mut cuts = cuts;
            cuts.extend([0, STREAM.len()]);
            cuts.sort_unstable();
            let mut parser = Parser::default();
            let pieces = cuts.windows(2).flat_map(|cut| parser.take(&STREAM.as_bytes()[cut[0]..cut[1]]));
            prop_assert_eq!(pieces.collect::<Vec<_>>(), whole);
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            Parser::default().take(&bytes);
        }
    }
}
