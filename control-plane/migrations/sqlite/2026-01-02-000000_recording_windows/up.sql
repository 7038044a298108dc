-- When a camera was to be recorded: what is inside and neither footage nor a reported gap is a gap that
-- nobody explains. An open window has no end.
CREATE TABLE recording_window (
    camera BLOB NOT NULL REFERENCES camera (id),
    start_ms BIGINT NOT NULL,
    end_ms BIGINT,
    organization BLOB NOT NULL,
    PRIMARY KEY (camera, start_ms)
) WITHOUT ROWID;

INSERT INTO recording_window (camera, start_ms, end_ms, organization)
SELECT id, created, NULL, organization FROM camera WHERE recording AND deleted IS NULL;
