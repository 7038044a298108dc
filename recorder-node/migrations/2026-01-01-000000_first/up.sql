-- Identity of the node and other single values.
CREATE TABLE setting (
    name TEXT PRIMARY KEY NOT NULL,
    value BLOB NOT NULL
) WITHOUT ROWID;

-- Sealed objects that have a file in the spool.
CREATE TABLE object (
    id BLOB PRIMARY KEY NOT NULL,
    camera BLOB NOT NULL,
    stream SMALLINT NOT NULL,
    start_ms BIGINT NOT NULL,
    end_ms BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    -- 0 sealed, 1 indexed, 2 stored, 3 refused by the index
    state SMALLINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX object_state ON object (state, start_ms);
CREATE INDEX object_start ON object (start_ms);

-- Objects that are being written: what their file does not say of them.
CREATE TABLE open_object (
    id BLOB PRIMARY KEY NOT NULL,
    camera BLOB NOT NULL,
    stream SMALLINT NOT NULL,
    epoch BIGINT NOT NULL,
    start_ms BIGINT NOT NULL,
    previous BLOB
) WITHOUT ROWID;

-- Gaps, for as long as they can grow or the index has not confirmed them.
CREATE TABLE gap (
    id BLOB PRIMARY KEY NOT NULL,
    camera BLOB NOT NULL,
    stream SMALLINT NOT NULL,
    start_ms BIGINT NOT NULL,
    end_ms BIGINT NOT NULL,
    cause TEXT NOT NULL,
    detail TEXT NOT NULL
) WITHOUT ROWID;

-- Up to where each planned stream is accounted for, as objects or gaps.
CREATE TABLE coverage (
    camera BLOB NOT NULL,
    stream SMALLINT NOT NULL,
    end_ms BIGINT NOT NULL,
    last_object BLOB,
    open_gap BLOB,
    PRIMARY KEY (camera, stream)
) WITHOUT ROWID;

-- Events to be announced, in order; a row goes when the index has confirmed it.
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    message TEXT NOT NULL UNIQUE,
    subject_id BLOB NOT NULL,
    payload TEXT NOT NULL,
    published_ms BIGINT
);
CREATE INDEX outbox_subject ON outbox (subject_id);
CREATE INDEX outbox_published ON outbox (published_ms, seq);

-- What cameras want to know before they answer.
CREATE TABLE credentials (
    camera BLOB PRIMARY KEY NOT NULL,
    revision BIGINT NOT NULL,
    username TEXT,
    password TEXT
) WITHOUT ROWID;
