-- The mirror's one schema: derived from records/ and rebuilt at any time. PRAGMA user_version (mirror.MIRROR_VERSION)
-- says which version of this file a database was made with; there are no migrations, only rebuilds.

CREATE TABLE memory (
    id             INTEGER PRIMARY KEY,
    uuid           TEXT NOT NULL UNIQUE,
    type           TEXT NOT NULL,
    content        TEXT NOT NULL,
    title          TEXT NOT NULL,
    search_meta    TEXT NOT NULL,            -- tags, and the date as a person would type it
    search_lemmas  TEXT NOT NULL,            -- base forms of irregular words, parts of identifiers
    content_hash   TEXT NOT NULL,            -- of the normalised content: exact duplicates
    project        TEXT,
    project_key    TEXT,                     -- project with case, '-' and '_' folded
    project_id     TEXT,
    session_id     TEXT,
    importance     INTEGER NOT NULL,
    transcript_ref TEXT,                     -- as the record has it
    tags           TEXT,
    created_at     TEXT NOT NULL,            -- UTC, YYYY-MM-DDTHH:MM:SS
    updated_at     TEXT,
    origin         TEXT,
    status         TEXT NOT NULL,
    archived_in    TEXT
);
CREATE INDEX memory_created ON memory (created_at, id);
CREATE INDEX memory_project ON memory (project_id, type, created_at);
CREATE INDEX memory_unidentified ON memory (project_key, type, created_at) WHERE project_id IS NULL;
CREATE INDEX memory_project_name ON memory (project_key, project_id);
CREATE INDEX memory_important ON memory (project_id, type, created_at) WHERE importance >= 8;
CREATE INDEX memory_session ON memory (session_id);
CREATE INDEX memory_hash ON memory (content_hash);

-- No foreign keys: a link's target may arrive later, and the link is whole the moment it does.
CREATE TABLE link (
    id           INTEGER PRIMARY KEY,
    from_uuid    TEXT NOT NULL,
    to_uuid      TEXT NOT NULL,
    relationship TEXT NOT NULL,
    UNIQUE (from_uuid, to_uuid, relationship)
);
CREATE INDEX link_to ON link (to_uuid, relationship);

-- Every entry of records/ as the last scan saw it. mtime_ns 0: look again (the file was younger than a clock tick).
CREATE TABLE source_file (
    name     TEXT PRIMARY KEY,
    mtime_ns INTEGER NOT NULL,
    size     INTEGER NOT NULL,
    problem  TEXT                            -- why it is not in the index; NULL for a record that is
) WITHOUT ROWID;

-- The folders' mtimes before the last full scan; 0 when one was too young to be trusted. One row.
CREATE TABLE scan (
    records_mtime_ns INTEGER NOT NULL,
    trash_mtime_ns   INTEGER NOT NULL
);

CREATE VIRTUAL TABLE memory_fts USING fts5 (
    content, title, search_meta, search_lemmas,
    content = 'memory', content_rowid = 'id', tokenize = 'porter unicode61'
);
CREATE TRIGGER memory_fts_insert AFTER INSERT ON memory BEGIN
    INSERT INTO memory_fts (rowid, content, title, search_meta, search_lemmas)
    VALUES (new.id, new.content, new.title, new.search_meta, new.search_lemmas);
END;
CREATE TRIGGER memory_fts_delete AFTER DELETE ON memory BEGIN
    INSERT INTO memory_fts (memory_fts, rowid, content, title, search_meta, search_lemmas)
    VALUES ('delete', old.id, old.content, old.title, old.search_meta, old.search_lemmas);
END;
CREATE TRIGGER memory_fts_update AFTER UPDATE ON memory BEGIN
    INSERT INTO memory_fts (memory_fts, rowid, content, title, search_meta, search_lemmas)
    VALUES ('delete', old.id, old.content, old.title, old.search_meta, old.search_lemmas);
    INSERT INTO memory_fts (rowid, content, title, search_meta, search_lemmas)
    VALUES (new.id, new.content, new.title, new.search_meta, new.search_lemmas);
END;
