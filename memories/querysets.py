"""Conditions on memories for the ORM: what scope.VISIBLE and Scope.sql say, for the dashboard's modules."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from memories.core.scope import Scope
from memories.models import Link, Memory


def visible() -> QuerySet[Memory]:
    """Memories that are neither archived nor superseded by an active one (scope.VISIBLE as a queryset)."""
    newer = Memory.objects.filter(uuid=OuterRef("from_uuid"), status="active")
    superseding = Link.objects.filter(to_uuid=OuterRef("uuid"), relationship="supersedes").filter(Exists(newer))
    found: QuerySet[Memory] = Memory.objects.filter(~Exists(superseding), status="active")
    return found


def in_scope(project: Scope) -> Q:
    """The condition that a memory belongs to a project (Scope.sql as a Q)."""
    return Q(project_id__in=project.ids) | Q(project_id__isnull=True, project_key__in=project.keys)
