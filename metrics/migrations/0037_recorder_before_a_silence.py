from django.db import migrations, models


class Migration(migrations.Migration):
    """What the next recorder has to know to tell a gap from a machine that was suspended, or is another one."""

    dependencies = [
        ('metrics', '0036_events'),
    ]

    operations = [
        migrations.AddField(
            model_name='recorder',
            name='machine_id',
            field=models.CharField(blank=True, max_length=64, verbose_name='machine id'),
        ),
        migrations.AddField(
            model_name='recorder',
            name='suspended_seconds',
            field=models.FloatField(null=True, verbose_name='suspended'),
        ),
    ]
