"""Read models over the mirror (managed=False): the ORM never writes these tables, memories.core.mirror does."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.lookups import Lookup
from django.db.models.sql.compiler import SQLCompiler

from memories import snippets

MARK_START, MARK_END = snippets.MARK_START, snippets.MARK_END


class MatchField(models.TextField):  # type: ignore[type-arg]  # subscriptable only with django-stubs patches
    """The FTS table's own hidden column: the left side of MATCH."""


@MatchField.register_lookup
class Match(Lookup):
    """`memory_fts MATCH expression`. OR and NOT belong inside the expression: SQLite refuses MATCH under them."""

    lookup_name = "match"

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        """Compile to `column MATCH %s`."""
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} MATCH {right}", (*left_params, *right_params)


class Memory(models.Model):
    """One record. Times are text as the record has them (UTC, no zone)."""

    objects: ClassVar[models.Manager[Memory]] = models.Manager()

    id = models.IntegerField(primary_key=True)
    uuid = models.TextField(unique=True)
    type = models.TextField()
    content = models.TextField()
    title = models.TextField()
    search_meta = models.TextField()
    search_extra = models.TextField()
    content_hash = models.TextField()
    project = models.TextField(null=True)
    project_key = models.TextField(null=True)
    project_id = models.TextField(null=True)
    session_id = models.TextField(null=True)
    importance = models.IntegerField()
    transcript_ref = models.TextField(null=True)
    tags = models.TextField(null=True)
    created_at = models.TextField()
    updated_at = models.TextField(null=True)
    origin = models.TextField(null=True)
    imported_from = models.TextField(null=True)
    status = models.TextField()
    archived_in = models.TextField(null=True)
    conflict_of = models.TextField(null=True)
    turns = models.IntegerField(null=True)
    one_shot = models.BooleanField()

    class Meta:
        """Owned by schema.sql."""

        managed = False
        db_table = "memory"

    def __str__(self) -> str:
        return f"{self.type} {self.uuid}"


class MemoryIndex(models.Model):
    """The FTS5 row of a memory, reached as `index__match` from Memory."""

    objects: ClassVar[models.Manager[MemoryIndex]] = models.Manager()

    memory = models.OneToOneField(
        Memory, primary_key=True, db_column="rowid", related_name="index", on_delete=models.DO_NOTHING
    )
    match = MatchField(db_column="memory_fts")

    class Meta:
        """Owned by schema.sql."""

        managed = False
        db_table = "memory_fts"

    def __str__(self) -> str:
        return f"index row {self.pk}"


class Link(models.Model):
    """A directed connection between two records; the target may be absent."""

    objects: ClassVar[models.Manager[Link]] = models.Manager()

    id = models.IntegerField(primary_key=True)
    from_uuid = models.TextField()
    to_uuid = models.TextField()
    relationship = models.TextField()

    class Meta:
        """Owned by schema.sql."""

        managed = False
        db_table = "link"

    def __str__(self) -> str:
        return f"{self.from_uuid} {self.relationship} {self.to_uuid}"


class SourceFile(models.Model):
    """An entry of records/ as the last scan saw it; problem says why it is not in the index."""

    objects: ClassVar[models.Manager[SourceFile]] = models.Manager()

    name = models.TextField(primary_key=True)
    mtime_ns = models.BigIntegerField()
    size = models.BigIntegerField()
    problem = models.TextField(null=True)

    class Meta:
        """Owned by schema.sql."""

        managed = False
        db_table = "source_file"

    def __str__(self) -> str:
        return self.name
