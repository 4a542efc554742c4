from django.db import migrations, models


class Migration(migrations.Migration):
    """What of the newest tick is excluded by a setting, or kept in a sum only."""

    dependencies = [("metrics", "0037_recorder_before_a_silence")]

    operations = [
        migrations.AddField(
            "collectorstate",
            "left_out",
            models.TextField(blank=True, default="", verbose_name="not kept by name"),
        ),
    ]
