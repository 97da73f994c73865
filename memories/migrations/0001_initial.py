"""The mirror's schema as a migration, so that the ORM's test database and the real mirror are the same thing.

The real mirror is made by memories.core.mirror and never migrated: a new MIRROR_VERSION rebuilds it.
"""

from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from memories.core.mirror_schema import statements


def run_schema(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Run schema.sql statement by statement."""
    for statement in statements():
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    initial = True
    operations = [migrations.RunPython(run_schema, migrations.RunPython.noop)]
