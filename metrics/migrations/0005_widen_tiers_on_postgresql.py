from typing import Any

from django.db import migrations, models


class AlterFieldBesideSQLite(migrations.AlterField):
    """A day in seconds does not fit into a smallint of PostgreSQL. SQLite, whose integers have any width, would copy
    the whole table for nothing."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor != "sqlite":
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self.database_forwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):

    dependencies = [
        ('metrics', '0004_newest_processes'),
    ]

    operations = [
        AlterFieldBesideSQLite(
            model_name='cpusample',
            name='resolution',
            field=models.PositiveIntegerField(verbose_name='resolution'),
        ),
        AlterFieldBesideSQLite(
            model_name='cpusample',
            name='tier',
            field=models.PositiveIntegerField(default=0, verbose_name='tier'),
        ),
        AlterFieldBesideSQLite(
            model_name='devicesample',
            name='resolution',
            field=models.PositiveIntegerField(verbose_name='resolution'),
        ),
        AlterFieldBesideSQLite(
            model_name='devicesample',
            name='tier',
            field=models.PositiveIntegerField(default=0, verbose_name='tier'),
        ),
        AlterFieldBesideSQLite(
            model_name='disksample',
            name='resolution',
            field=models.PositiveIntegerField(verbose_name='resolution'),
        ),
        AlterFieldBesideSQLite(
            model_name='disksample',
            name='tier',
            field=models.PositiveIntegerField(default=0, verbose_name='tier'),
        ),
        AlterFieldBesideSQLite(
            model_name='interfacesample',
            name='resolution',
            field=models.PositiveIntegerField(verbose_name='resolution'),
        ),
        AlterFieldBesideSQLite(
            model_name='interfacesample',
            name='tier',
            field=models.PositiveIntegerField(default=0, verbose_name='tier'),
        ),
        AlterFieldBesideSQLite(
            model_name='memorysample',
            name='resolution',
            field=models.PositiveIntegerField(verbose_name='resolution'),
        ),
        AlterFieldBesideSQLite(
            model_name='memorysample',
            name='tier',
            field=models.PositiveIntegerField(default=0, verbose_name='tier'),
        ),
        AlterFieldBesideSQLite(
            model_name='partitionsample',
            name='resolution',
            field=models.PositiveIntegerField(verbose_name='resolution'),
        ),
        AlterFieldBesideSQLite(
            model_name='partitionsample',
            name='tier',
            field=models.PositiveIntegerField(default=0, verbose_name='tier'),
        ),
        AlterFieldBesideSQLite(
            model_name='processsample',
            name='resolution',
            field=models.PositiveIntegerField(verbose_name='resolution'),
        ),
        AlterFieldBesideSQLite(
            model_name='processsample',
            name='tier',
            field=models.PositiveIntegerField(default=0, verbose_name='tier'),
        ),
        AlterFieldBesideSQLite(
            model_name='processtotals',
            name='resolution',
            field=models.PositiveIntegerField(verbose_name='resolution'),
        ),
        AlterFieldBesideSQLite(
            model_name='processtotals',
            name='tier',
            field=models.PositiveIntegerField(default=0, verbose_name='tier'),
        ),
    ]
