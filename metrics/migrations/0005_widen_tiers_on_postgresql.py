from typing import Any

from django.db import migrations, models

TABLES = (
    'cpusample', 'devicesample', 'disksample', 'interfacesample', 'memorysample', 'partitionsample', 'processsample',
    'processtotals',
)  # fmt: skip
# Indexes are made anew with the table: from memory, as far as it goes.
MEMORY = "SET LOCAL maintenance_work_mem = '256MB'"


class ChangeTypes(migrations.RunPython):
    """A day in seconds does not fit into a smallint of PostgreSQL. Both columns of a table at once, for each change of a
    type writes all rows and indexes anew. SQLite, whose integers have any width, would copy the table for nothing."""

    def __init__(self, table: str) -> None:
        def change(schema_editor: Any, new_type: str) -> None:
            if schema_editor.connection.vendor == "postgresql":
                schema_editor.execute(MEMORY)
                changes = (f"ALTER COLUMN {column} TYPE {new_type}" for column in ("tier", "resolution"))
                schema_editor.execute(f"ALTER TABLE metrics_{table} {', '.join(changes)}")

        super().__init__(
            lambda _apps, schema_editor: change(schema_editor, "integer"),
            lambda _apps, schema_editor: change(schema_editor, "smallint"),
            # Each table a step of its own: whoever else uses the database waits for one, and not for all.
            atomic=True,
        )


class Migration(migrations.Migration):

    atomic = False
    dependencies = [
        ('metrics', '0004_newest_processes'),
    ]

    operations = [
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
    ]
