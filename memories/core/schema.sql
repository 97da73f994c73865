-- The mirror's one schema: derived from records/ and rebuilt at any time. PRAGMA user_version (mirror.MIRROR_VERSION)
-- says which version of this file a database was made with; there are no migrations, only rebuilds.

CREATE TABLE memory (
    id             INTEGER PRIMARY KEY,
    uuid           TEXT NOT NULL UNIQUE,
    type           TEXT NOT NULL,
    content        TEXT NOT NULL,
    title          TEXT NOT NULL,
    search_meta    TEXT NOT NULL,            -- tags, and the date as a person would type it
    search_extra   TEXT NOT NULL,            -- base forms of irregular words, parts of identifiers, pairs of Han
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
    imported_from  TEXT,                     -- who exported it, where it came in a bundle
    status         TEXT NOT NULL,
    archived_in    TEXT,
    conflict_of    TEXT,                     -- a content kept from a conflict: the uuid of the record it lost to
    turns          INTEGER,                  -- session logs: requests and answers; NULL: its log does not say
    one_shot       INTEGER NOT NULL          -- 1: the log of a `claude -p` run
);
-- Also all that the dashboard's facets ask of every record, so that counting them reads no content.
CREATE INDEX memory_created ON memory
    (created_at, id, type, status, importance, project_id, project_key, tags, origin);
-- What the status page counts, in the order in which it counts.
CREATE INDEX memory_kinds ON memory (origin, type, status, created_at, updated_at);
CREATE INDEX memory_project ON memory (project_id, type, created_at);
CREATE INDEX memory_unidentified ON memory (project_key, type, created_at) WHERE project_id IS NULL;
CREATE INDEX memory_project_name ON memory (project_key, project_id);
CREATE INDEX memory_important ON memory (project_id, type, created_at) WHERE importance >= 8;
CREATE INDEX memory_session ON memory (session_id);
-- All that coverage asks of session logs (the type too, or SQLite reads each row to see it), so that no content is read.
CREATE INDEX memory_logs ON memory (project_id, project_key, session_id, created_at, turns, one_shot, type)
    WHERE type = 'session_log';
CREATE INDEX memory_hash ON memory (content_hash);
CREATE INDEX memory_conflict ON memory (conflict_of) WHERE conflict_of IS NOT NULL;

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

-- The folders' mtimes before the last full scan; 0 when one was too young to be trusted. listing: the fingerprint of
-- records/ while source_file says the same; '' when it may not. One row.
CREATE TABLE scan (
    records_mtime_ns INTEGER NOT NULL,
    trash_mtime_ns   INTEGER NOT NULL,
    listing          TEXT NOT NULL
);
INSERT INTO scan VALUES (0, 0, '');

CREATE VIRTUAL TABLE memory_fts USING fts5 (
    content, title, search_meta, search_extra,
    content = 'memory', content_rowid = 'id', tokenize = 'porter unicode61'
);
CREATE TRIGGER memory_fts_insert AFTER INSERT ON memory BEGIN
    INSERT INTO memory_fts (rowid, content, title, search_meta, search_extra)
    VALUES (new.id, new.content, new.title, new.search_meta, new.search_extra);
END;
CREATE TRIGGER memory_fts_delete AFTER DELETE ON memory BEGIN
    INSERT INTO memory_fts (memory_fts, rowid, content, title, search_meta, search_extra)
    VALUES ('delete', old.id, old.content, old.title, old.search_meta, old.search_extra);
END;
CREATE TRIGGER memory_fts_update AFTER UPDATE ON memory BEGIN
    INSERT INTO memory_fts (memory_fts, rowid, content, title, search_meta, search_extra)
    VALUES ('delete', old.id, old.content, old.title, old.search_meta, old.search_extra);
    INSERT INTO memory_fts (rowid, content, title, search_meta, search_extra)
    VALUES (new.id, new.content, new.title, new.search_meta, new.search_extra);
END;

-- Conversations: one row of session for each file in transcripts/ (a session's own, its subagents'), as far as it was read.
CREATE TABLE session (
    id         INTEGER PRIMARY KEY,
    path       TEXT NOT NULL UNIQUE,         -- below transcripts/
    session_id TEXT NOT NULL,
    part       TEXT NOT NULL,                -- '' for the session's own file, else the stem of one beside it: agent-...
    project    TEXT,
    project_key TEXT,
    project_id TEXT,
    cwd        TEXT,                         -- the first working folder in it, '' for none; NULL: not looked for
    branch     TEXT,                         -- its turns' branch, where they do not say another
    started_at INTEGER,                      -- Unix seconds
    ended_at   INTEGER,
    turns      INTEGER NOT NULL,
    words      INTEGER NOT NULL,
    repeats    INTEGER NOT NULL,             -- 1: turns were left out because another file has them (resumed, forked)
    size       INTEGER NOT NULL,             -- -1: not read to its end yet
    mtime_ns   INTEGER NOT NULL,             -- 0: look again
    read_bytes INTEGER NOT NULL,             -- where the last turn begins: reading goes on there
    read_lines INTEGER NOT NULL,
    read_turns INTEGER NOT NULL,             -- the position that the turn there has
    read_mark  INTEGER NOT NULL,             -- CRC-32 of the end of what was read (conversation_index.MARK_BYTES of it)
    problem    TEXT
);
CREATE INDEX session_id ON session (session_id);
-- Versions of a transcript that are kept beside it (transcript_copies): few, and what status lists.
CREATE INDEX session_diverged ON session (ended_at) WHERE instr(part, 'diverged-') > 0;

-- One row for each thing said. id: session.id, position in the session and a class of length, see turn_rows.turn_id.
CREATE TABLE turn (
    id       INTEGER PRIMARY KEY,
    line     INTEGER NOT NULL,               -- 1-based
    offset   INTEGER NOT NULL,               -- of that line's first byte
    role     TEXT NOT NULL,                  -- user, assistant
    time     INTEGER,                        -- Unix seconds
    branch   TEXT,                           -- NULL: the session's
    uuid_key INTEGER,                        -- of the line's uuid: a message is indexed once, wherever it is repeated
    is_sidechain INTEGER NOT NULL,           -- a subagent's
    text     TEXT NOT NULL
);
CREATE UNIQUE INDEX turn_uuid ON turn (uuid_key) WHERE uuid_key IS NOT NULL;

-- What the FTS table reads of a turn; extra (words.extras and the date) is derived from it anew where it is needed.
CREATE VIEW turn_source AS SELECT id, text, '' AS extra FROM turn;
CREATE VIRTUAL TABLE turn_fts USING fts5 (
    text, extra,
    content = 'turn_source', content_rowid = 'id', columnsize = 0, tokenize = 'porter unicode61'
);
-- Memory in which a transaction gathers its entries, in bytes (1 MB unless told): fewer, larger pieces to merge.
INSERT INTO turn_fts (turn_fts, rank) VALUES ('hashsize', 16777216);
