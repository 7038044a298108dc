-- Ids are 16 bytes, times BIGINT milliseconds since 1970, enumerations SMALLINT, so that another
-- database can take the same schema. Footage tables carry the organization: every query names it first.

CREATE TABLE organization (
    id BLOB PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    created BIGINT NOT NULL
);

CREATE TABLE "user" (
    id BLOB PRIMARY KEY NOT NULL,
    organization BLOB NOT NULL REFERENCES organization (id),
    login TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    created BIGINT NOT NULL
);

-- A used token stays until it expires: seeing it again revokes its whole family.
CREATE TABLE refresh_token (
    hash BLOB PRIMARY KEY NOT NULL,
    user BLOB NOT NULL REFERENCES "user" (id),
    family BLOB NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    used BIGINT
);
CREATE INDEX refresh_token_family ON refresh_token (family);

CREATE TABLE node (
    id BLOB PRIMARY KEY NOT NULL,
    organization BLOB NOT NULL REFERENCES organization (id),
    name TEXT NOT NULL,
    first_seen BIGINT NOT NULL
);

CREATE TABLE camera (
    id BLOB PRIMARY KEY NOT NULL,
    organization BLOB NOT NULL REFERENCES organization (id),
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    -- User name and password, encrypted under the master key.
    credentials BLOB,
    credentials_revision BIGINT NOT NULL,
    transport SMALLINT NOT NULL,
    reader SMALLINT NOT NULL,
    audio BOOLEAN NOT NULL,
    recording BOOLEAN NOT NULL,
    node BLOB REFERENCES node (id),
    epoch BIGINT NOT NULL,
    created BIGINT NOT NULL,
    -- A deleted camera keeps its footage; only its plan goes.
    deleted BIGINT
);
CREATE INDEX camera_organization ON camera (organization, created);

-- Every node that a camera was ever assigned to: late footage of a former node is still footage.
CREATE TABLE assignment (
    camera BLOB NOT NULL REFERENCES camera (id),
    epoch BIGINT NOT NULL,
    node BLOB NOT NULL REFERENCES node (id),
    since BIGINT NOT NULL,
    PRIMARY KEY (camera, epoch)
) WITHOUT ROWID;

CREATE TABLE plan (
    node BLOB PRIMARY KEY NOT NULL REFERENCES node (id),
    revision BIGINT NOT NULL,
    body TEXT NOT NULL
);

CREATE TABLE object (
    id BLOB NOT NULL,
    organization BLOB NOT NULL,
    camera BLOB NOT NULL,
    stream SMALLINT NOT NULL,
    node BLOB NOT NULL,
    epoch BIGINT NOT NULL,
    previous BLOB,
    start_ms BIGINT NOT NULL,
    end_ms BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    sha256 BLOB NOT NULL,
    init_length INTEGER NOT NULL,
    init_digest TEXT NOT NULL,
    tracks TEXT NOT NULL,
    segments BLOB NOT NULL,
    state SMALLINT NOT NULL,
    indexed BIGINT NOT NULL,
    PRIMARY KEY (camera, stream, start_ms, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX object_id ON object (id);

CREATE TABLE gap (
    id BLOB PRIMARY KEY NOT NULL,
    organization BLOB NOT NULL,
    camera BLOB NOT NULL,
    stream SMALLINT NOT NULL,
    node BLOB NOT NULL,
    start_ms BIGINT NOT NULL,
    end_ms BIGINT NOT NULL,
    cause SMALLINT NOT NULL,
    detail TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX gap_range ON gap (camera, stream, end_ms);

-- Milliseconds of footage in each quarter of an hour of a UTC day: every time zone's offset is a
-- multiple of a quarter.
CREATE TABLE camera_day (
    camera BLOB NOT NULL,
    stream SMALLINT NOT NULL,
    day INTEGER NOT NULL,
    organization BLOB NOT NULL,
    quarters BLOB NOT NULL,
    PRIMARY KEY (camera, stream, day)
) WITHOUT ROWID;

-- Messages that the index will never take, so that nodes stop sending them.
CREATE TABLE refused (
    message TEXT NOT NULL,
    node BLOB NOT NULL,
    reason TEXT NOT NULL,
    refused_at BIGINT NOT NULL,
    PRIMARY KEY (node, message)
) WITHOUT ROWID;

CREATE TABLE audit (
    id BLOB PRIMARY KEY NOT NULL,
    organization BLOB NOT NULL,
    user BLOB,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    happened BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX audit_organization ON audit (organization, happened);
