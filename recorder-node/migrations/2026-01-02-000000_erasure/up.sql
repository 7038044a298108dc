-- Footage that must not be here: kept until it is gone and the plan no longer names it.
CREATE TABLE erasure (
    id BLOB PRIMARY KEY NOT NULL,
    camera BLOB NOT NULL,
    start_ms BIGINT NOT NULL,
    end_ms BIGINT NOT NULL,
    done BOOLEAN NOT NULL
) WITHOUT ROWID;
CREATE INDEX erasure_camera ON erasure (camera);

-- Files whose rows an erasure took and that are still to be deleted.
CREATE TABLE doomed (
    object BLOB PRIMARY KEY NOT NULL,
    camera BLOB NOT NULL
) WITHOUT ROWID;

CREATE INDEX object_camera ON object (camera, start_ms);
