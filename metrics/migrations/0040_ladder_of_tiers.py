"""What an older version has rolled up is made into the tiers of today, in the background (retention/conversion.py)."""

from typing import Any

from django.db import migrations

import metrics.models.fields

DAY = 86_400


def convert_what_there_is(apps: Any, schema_editor: Any) -> None:
    """From the end of the newest day on there is nothing to convert."""
    states = apps.get_model("metrics", "RollUpState").objects.using(schema_editor.connection.alias)
    for pk, newest in states.exclude(newest=None).values_list("pk", "newest"):
        states.filter(pk=pk).update(converted_from=(int(newest.timestamp()) // DAY + 1) * DAY)


class Migration(migrations.Migration):
    dependencies = [("metrics", "0039_children_cpu")]

    operations = [
        migrations.AddField(
            model_name="rollupstate",
            name="converted_from",
            field=metrics.models.fields.EpochField(null=True, per_second=1, verbose_name="converted from"),
        ),
        migrations.RunPython(convert_what_there_is, migrations.RunPython.noop),
    ]
