from django.db import migrations, models


class Migration(migrations.Migration):
    """The worst tick of each bucket; of what an older version has rolled up it is not known."""

    dependencies = [("metrics", "0040_ladder_of_tiers")]

    operations = [
        migrations.AddField("processtotals", "worst_cpu", models.BinaryField(null=True)),
        migrations.AddField("processtotals", "worst_memory", models.BinaryField(null=True)),
        migrations.AddField("processtotals", "worst_io", models.BinaryField(null=True)),
    ]
