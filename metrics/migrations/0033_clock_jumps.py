from django.db import migrations, models

import metrics.models.fields


class Migration(migrations.Migration):
    """When a host's clock jumped last, and by how much."""

    dependencies = [("metrics", "0032_hand_over_by_a_lock")]

    operations = [
        migrations.AddField(
            model_name="host",
            name="clock_jumped_at",
            field=metrics.models.fields.EpochField(null=True, per_second=1, verbose_name="clock jumped at"),
        ),
        migrations.AddField(
            model_name="host",
            name="clock_jump_seconds",
            field=models.BigIntegerField(null=True, verbose_name="clock jump"),
        ),
    ]
