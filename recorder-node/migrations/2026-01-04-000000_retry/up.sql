-- How a session's camera last failed, how often in a row, and when it is tried next, in JSON.
ALTER TABLE session ADD COLUMN retry TEXT;
