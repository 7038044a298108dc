-- Sessions of recording that have not ended. `body` is the session as it is told, in JSON.
CREATE TABLE session (
    camera BLOB NOT NULL,
    stream SMALLINT NOT NULL,
    body TEXT NOT NULL,
    -- Attempts since the last footage.
    fruitless BIGINT NOT NULL,
    -- When it was told last.
    told_ms BIGINT NOT NULL,
    -- The gap counted last, and how much of it.
    gap BLOB,
    gap_ms BIGINT NOT NULL,
    PRIMARY KEY (camera, stream)
) WITHOUT ROWID;
