import django.db.models.deletion
from django.db import migrations, models

import metrics.models.fields

# By the index of the table: a host's raw rows are a small part of it.
NOT_KEPT = """
    DELETE FROM metrics_processsample
    WHERE host_id IN (SELECT id FROM metrics_host) AND tier = 0 AND NOT is_kept
"""


class Migration(migrations.Migration):
    """The processes that only the newest tick keeps leave the table of samples. The next tick brings new ones."""

    dependencies = [("metrics", "0003_sign_in")]

    operations = [
        migrations.RunSQL(NOT_KEPT, migrations.RunSQL.noop),
        migrations.RemoveField(model_name="processsample", name="is_kept"),
        migrations.CreateModel(
            name="NewestProcesses",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("timestamp", metrics.models.fields.EpochField(per_second=1, verbose_name="time")),
                ("rows", models.TextField(verbose_name="rows")),
                (
                    "host",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="metrics.host",
                        verbose_name="host",
                    ),
                ),
            ],
            options={
                "verbose_name": "processes of the newest tick",
                "verbose_name_plural": "processes of the newest ticks",
            },
        ),
    ]
