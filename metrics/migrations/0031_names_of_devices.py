from django.db import migrations, models

import metrics.models.fields
from metrics.storage.table_changes import ChangeTable

# Until now a device had no other name than the kernel's.
AS_THEY_WERE_CALLED = "UPDATE metrics_devicesample SET name = device"


class Migration(migrations.Migration):
    """A name beside each device's number; history follows the two together."""

    dependencies = [("metrics", "0030_boots_and_zfs_arc")]

    operations = [
        ChangeTable(
            "devicesample",
            [
                # The constraint goes first: its index need not follow the update.
                migrations.RemoveConstraint(model_name="devicesample", name="one_device_sample_a_tick"),
                migrations.AddField(
                    model_name="devicesample",
                    name="name",
                    field=metrics.models.fields.Label(default="", editable=False),
                ),
                migrations.RunSQL(AS_THEY_WERE_CALLED, migrations.RunSQL.noop),
                migrations.AddConstraint(
                    model_name="devicesample",
                    constraint=models.UniqueConstraint(
                        fields=("host", "tier", "timestamp", "device", "name"), name="one_device_sample_a_tick"
                    ),
                ),
            ],
            values={"name": "device"},
        ),
    ]
