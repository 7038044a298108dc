-- What was recorded of a stream beyond its camera's licence, as people were told last; 0 where the licence holds.
CREATE TABLE licence_excess (
    camera BYTEA NOT NULL,
    stream SMALLINT NOT NULL,
    -- UTC, counted from 1970-01-01.
    day INTEGER NOT NULL,
    organization BYTEA NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    bitrate_bps BIGINT NOT NULL,
    PRIMARY KEY (camera, stream, day)
);
CREATE INDEX licence_excess_organization ON licence_excess (organization, day);
