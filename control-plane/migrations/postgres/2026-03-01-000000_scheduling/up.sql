-- Nodes that enrolled, with keys, places and limits; who records which camera and why; overrides; sessions
-- of recording; what each day's footage amounts to; facts for people and programs; leases.

-- state: 0 active, 1 cordoned (keeps its cameras, gets no new ones), 2 draining (hands its cameras over).
-- A removed node keeps its row: its footage is still footage.
ALTER TABLE node ADD COLUMN state SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE node ADD COLUMN public_key TEXT;
ALTER TABLE node ADD COLUMN enrolled BIGINT;
ALTER TABLE node ADD COLUMN removed BIGINT;
-- When the challenge was made with which it last proved its key: older ones count no more.
ALTER TABLE node ADD COLUMN proved BIGINT;
-- Whether the control plane has told that it reports; it has until it tells the contrary.
ALTER TABLE node ADD COLUMN online BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE node ADD COLUMN last_seen BIGINT;
ALTER TABLE node ADD COLUMN version TEXT NOT NULL DEFAULT '';
-- JSON, as the node last said of its machine.
ALTER TABLE node ADD COLUMN hardware TEXT;
-- '|north|gate|', in lower case; '' without.
ALTER TABLE node ADD COLUMN labels TEXT NOT NULL DEFAULT '';
-- JSON lists: names of sites, and networks such as 10.1.0.0/16. Empty: every one.
ALTER TABLE node ADD COLUMN sites TEXT NOT NULL DEFAULT '[]';
ALTER TABLE node ADD COLUMN networks TEXT NOT NULL DEFAULT '[]';
ALTER TABLE node ADD COLUMN max_cameras BIGINT;
ALTER TABLE node ADD COLUMN uplink_bps BIGINT;
ALTER TABLE node ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
CREATE UNIQUE INDEX node_public_key ON node (public_key);

-- One-time tokens with which nodes join. Only digests are kept.
CREATE TABLE enrolment_token (
    id BYTEA PRIMARY KEY NOT NULL,
    organization BYTEA NOT NULL REFERENCES organization (id),
    hash BYTEA NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created BIGINT NOT NULL,
    created_by BYTEA,
    expires BIGINT NOT NULL,
    used BIGINT,
    node BYTEA
);
CREATE INDEX enrolment_token_organization ON enrolment_token (organization, created, id);

-- How many nodes record it at once, and the labels that a node needs for it.
ALTER TABLE camera ADD COLUMN copies SMALLINT NOT NULL DEFAULT 1;
ALTER TABLE camera ADD COLUMN node_labels TEXT NOT NULL DEFAULT '';
ALTER TABLE recording_job ADD COLUMN pre_roll_s INTEGER NOT NULL DEFAULT 0;
-- Attempts without footage after which people are told, and the longest pause between two.
ALTER TABLE recording_job ADD COLUMN alert_after INTEGER NOT NULL DEFAULT 10;
ALTER TABLE recording_job ADD COLUMN longest_pause_s INTEGER NOT NULL DEFAULT 60;

-- Open assignments have no end; a camera has as many as it has copies, one more while it moves.
ALTER TABLE assignment ADD COLUMN ended BIGINT;
ALTER TABLE assignment ADD COLUMN reason TEXT NOT NULL DEFAULT '';
UPDATE assignment SET ended = since WHERE epoch <
    (SELECT camera.epoch FROM camera WHERE camera.id = assignment.camera);
CREATE INDEX assignment_node ON assignment (node, ended);

-- kind: 0 record, 1 pause. The newest one that covers an instant decides; without an end: until cancelled.
CREATE TABLE recording_override (
    id BYTEA PRIMARY KEY NOT NULL,
    organization BYTEA NOT NULL REFERENCES organization (id),
    camera BYTEA NOT NULL REFERENCES camera (id),
    kind SMALLINT NOT NULL,
    start_ms BIGINT NOT NULL,
    end_ms BIGINT,
    reason TEXT NOT NULL,
    created BIGINT NOT NULL,
    created_by BYTEA,
    cancelled BIGINT
);
CREATE INDEX recording_override_camera ON recording_override (camera, start_ms);

-- When each stream was to be recorded, and by which job; without one by the camera's switch or an override.
CREATE TABLE planned_window (
    camera BYTEA NOT NULL REFERENCES camera (id),
    stream SMALLINT NOT NULL,
    start_ms BIGINT NOT NULL,
    end_ms BIGINT,
    organization BYTEA NOT NULL,
    job BYTEA,
    PRIMARY KEY (camera, stream, start_ms)
);
INSERT INTO planned_window (camera, stream, start_ms, end_ms, organization, job)
SELECT camera, 0, start_ms, end_ms, organization, NULL FROM recording_window;
DROP TABLE recording_window;
ALTER TABLE planned_window RENAME TO recording_window;
CREATE INDEX recording_window_end ON recording_window (end_ms);

-- A session of recording: one window of one stream on one node under one epoch.
CREATE TABLE recording (
    id BYTEA PRIMARY KEY NOT NULL,
    organization BYTEA NOT NULL REFERENCES organization (id),
    camera BYTEA NOT NULL REFERENCES camera (id),
    stream SMALLINT NOT NULL,
    node BYTEA NOT NULL,
    epoch BIGINT NOT NULL,
    job BYTEA,
    window_start BIGINT NOT NULL,
    window_end BIGINT,
    started BIGINT,
    ended BIGINT,
    end_reason SMALLINT,
    bytes BIGINT NOT NULL,
    frames BIGINT NOT NULL,
    gaps BIGINT NOT NULL,
    gap_ms BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    alerted BOOLEAN NOT NULL,
    detail TEXT NOT NULL,
    updated BIGINT NOT NULL,
    -- The node's: higher ones replace lower ones.
    revision BIGINT NOT NULL
);
CREATE INDEX recording_camera ON recording (camera, window_start, id);
CREATE INDEX recording_organization ON recording (organization, window_start, id);

-- What a UTC day of a stream amounts to so far; causes is JSON, milliseconds by cause.
CREATE TABLE completeness (
    camera BYTEA NOT NULL,
    stream SMALLINT NOT NULL,
    day INTEGER NOT NULL,
    organization BYTEA NOT NULL,
    planned_ms BIGINT NOT NULL,
    footage_ms BIGINT NOT NULL,
    unknown_ms BIGINT NOT NULL,
    causes TEXT NOT NULL,
    -- When; 0 for what has to be computed again.
    computed BIGINT NOT NULL,
    -- How much of unknown_ms people were told of.
    alerted_ms BIGINT NOT NULL,
    PRIMARY KEY (camera, stream, day)
);
CREATE INDEX completeness_organization ON completeness (organization, day);
CREATE INDEX completeness_computed ON completeness (computed, day);

-- Facts in the order of their commits; body is JSON.
CREATE TABLE event (
    seq BIGINT PRIMARY KEY NOT NULL,
    organization BYTEA NOT NULL,
    happened BIGINT NOT NULL,
    kind TEXT NOT NULL,
    camera BYTEA,
    node BYTEA,
    body TEXT NOT NULL
);
CREATE INDEX event_organization ON event (organization, seq);

-- Who does a background task. The epoch grows with each new holder; what an older one writes is refused.
CREATE TABLE lease (
    name TEXT PRIMARY KEY NOT NULL,
    holder TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    expires BIGINT NOT NULL
);

-- What is left of the nodes of erased organizations: their keys are never to work again.
CREATE TABLE erased_node (
    id BYTEA PRIMARY KEY NOT NULL,
    public_key TEXT NOT NULL UNIQUE,
    removed BIGINT NOT NULL
);
