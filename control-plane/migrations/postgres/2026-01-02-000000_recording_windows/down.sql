DROP TABLE recording_window;
