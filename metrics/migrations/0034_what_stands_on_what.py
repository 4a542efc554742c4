from django.db import migrations

import metrics.models.fields


class Migration(migrations.Migration):
    """What interfaces and disks stand on, and whether a total counts them; unknown of what was recorded before."""

    dependencies = [("metrics", "0033_clock_jumps")]

    operations = [
        operation
        for model in ("interfacesample", "devicesample")
        for operation in (
            migrations.AddField(model, "lower", metrics.models.fields.Label(editable=False, null=True)),
            migrations.AddField(model, "is_counted", metrics.models.fields.Flag(editable=False, null=True)),
        )
    ]
