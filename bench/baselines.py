"""What a plain FTS5 table finds, queried as peers do it: the yardstick beside our own search."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable

from bench.dialogues import Place

_WORD = re.compile(r"\w+")


class PlainIndex:
    """Every turn as one row of an FTS5 table in memory: unicode61, one column, BM25."""

    def __init__(self, turns: Iterable[tuple[Place, str]], limit: int) -> None:
        """turns: (where it stands, its text). limit: rows that a search gives at most."""
        self._limit = limit
        self._places: list[Place] = []
        self._connection = sqlite3.connect(":memory:")
        self._connection.execute("CREATE VIRTUAL TABLE turn USING fts5 (text)")
        for place, text in turns:
            self._places.append(place)
            self._connection.execute("INSERT INTO turn (rowid, text) VALUES (?, ?)", (len(self._places) - 1, text))

    def every_word(self, question: str) -> list[Place]:
        """Rows that hold all the question's words: FTS5's default, and what most peers pass on."""
        return self._search(" ".join(_quoted(question)))

    def any_word(self, question: str) -> list[Place]:
        """Rows that hold any of the question's words, best BM25 first."""
        return self._search(" OR ".join(_quoted(question)))

    def _search(self, expression: str) -> list[Place]:
        if not expression:
            return []
        rows = self._connection.execute(
            "SELECT rowid FROM turn WHERE turn MATCH ? ORDER BY rank LIMIT ?", (expression, self._limit)
        )
        return [self._places[row] for (row,) in rows]

    def close(self) -> None:
        """Free the table."""
        self._connection.close()


def _quoted(question: str) -> list[str]:
    return [f'"{word}"' for word in _WORD.findall(question)]
