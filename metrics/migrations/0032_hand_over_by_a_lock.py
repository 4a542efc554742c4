from django.db import migrations, models

import metrics.models.fields


class Migration(migrations.Migration):
    """Who records is known by a lock, so the row of the recorder only tells of it; two machines of one name are told
    apart."""

    dependencies = [("metrics", "0031_names_of_devices")]

    operations = [
        migrations.RemoveField(model_name="recorder", name="boot_id"),
        migrations.RemoveField(model_name="recorder", name="first_tick"),
        migrations.RemoveField(model_name="recorder", name="window"),
        migrations.AddField(
            model_name="host",
            name="contested_at",
            field=metrics.models.fields.EpochField(null=True, per_second=1, verbose_name="two recorders at"),
        ),
        migrations.AddField(
            model_name="host",
            name="machine_id",
            field=models.CharField(blank=True, max_length=64, verbose_name="machine id"),
        ),
    ]
