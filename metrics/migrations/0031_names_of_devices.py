from typing import Any

from django.db import migrations, models
from django.db.models import F

import metrics.models.fields


def name_devices_as_they_were_called(apps: Any, _schema_editor: object) -> None:
    """Until now a device had no other name than the kernel's."""
    apps.get_model("metrics", "DeviceSample").objects.update(name=F("device"))


class Migration(migrations.Migration):
    """A name beside each device's number; history follows the two together."""

    dependencies = [("metrics", "0030_boots_and_zfs_arc")]

    operations = [
        # The constraint goes first: its index need not follow the update.
        migrations.RemoveConstraint(model_name="devicesample", name="one_device_sample_a_tick"),
        migrations.AddField(
            model_name="devicesample",
            name="name",
            field=metrics.models.fields.Label(default="", editable=False),
        ),
        migrations.RunPython(name_devices_as_they_were_called, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="devicesample",
            constraint=models.UniqueConstraint(
                fields=("host", "tier", "timestamp", "device", "name"), name="one_device_sample_a_tick"
            ),
        ),
    ]
