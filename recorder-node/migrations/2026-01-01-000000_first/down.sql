DROP TABLE credentials;
DROP TABLE outbox;
DROP TABLE coverage;
DROP TABLE gap;
DROP TABLE open_object;
DROP TABLE object;
DROP TABLE setting;
