from typing import Any

from django.db import migrations, models

TABLES = (
    'cpusample', 'devicesample', 'disksample', 'interfacesample', 'memorysample', 'partitionsample', 'processsample',
    'processtotals',
)  # fmt: skip
# Indexes are made anew with the table: from memory, as far as it goes.
MEMORY = "SET LOCAL maintenance_work_mem = '256MB'"
# The largest table has an index that only readers need: it is made anew afterwards, while others write.
DROP_INDEX = "DROP INDEX IF EXISTS process_sample_line"
MAKE_INDEX = "CREATE INDEX CONCURRENTLY process_sample_line ON metrics_processsample (process_id, timestamp)"


class ChangeTypes(migrations.RunPython):
    """A day in seconds does not fit into a smallint of PostgreSQL. Both columns of a table at once, for each change of a
    type writes all rows and indexes anew. SQLite, whose integers have any width, would copy the table for nothing."""

    def __init__(self, table: str) -> None:
        def change(schema_editor: Any, new_type: str) -> None:
            if schema_editor.connection.vendor == "postgresql":
                schema_editor.execute(MEMORY)
                if table == "processsample":
                    schema_editor.execute(DROP_INDEX)
                changes = (f"ALTER COLUMN {column} TYPE {new_type}" for column in ("tier", "resolution"))
                schema_editor.execute(f"ALTER TABLE metrics_{table} {', '.join(changes)}")

        super().__init__(
            lambda _apps, schema_editor: change(schema_editor, "integer"),
            lambda _apps, schema_editor: change(schema_editor, "smallint"),
            # Each table a step of its own: whoever else uses the database waits for one, and not for all.
            atomic=True,
        )


def make_index(_apps: Any, schema_editor: Any) -> None:
    """Whichever way the types went. What an interrupted one has left goes first: PostgreSQL would not use it."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(DROP_INDEX)
        schema_editor.execute(MAKE_INDEX)


class Migration(migrations.Migration):

    atomic = False
    dependencies = [
        ('metrics', '0004_newest_processes'),
    ]

    operations = [
        migrations.RunPython(migrations.RunPython.noop, make_index),
        *(
            migrations.SeparateDatabaseAndState(
                database_operations=[ChangeTypes(table)],
                state_operations=[
                    migrations.AlterField(
                        model_name=table,
                        name='resolution',
                        field=models.PositiveIntegerField(verbose_name='resolution'),
                    ),
                    migrations.AlterField(
                        model_name=table,
                        name='tier',
                        field=models.PositiveIntegerField(default=0, verbose_name='tier'),
                    ),
                ],
            )
            for table in TABLES
        ),
        migrations.RunPython(make_index, migrations.RunPython.noop),
    ]
