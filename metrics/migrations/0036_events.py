import django.db.models.deletion
import metrics.models.events
import metrics.models.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    """What happened beside the samples: one table for every kind."""

    dependencies = [
        ('metrics', '0035_sockets'),
    ]

    operations = [
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=32, verbose_name='kind')),
                ('key', models.CharField(max_length=128, verbose_name='key')),
                ('started_at', metrics.models.fields.EpochField(per_second=1000, verbose_name='from')),
                ('ended_at', metrics.models.fields.EpochField(null=True, per_second=1000, verbose_name='until')),
                ('severity', models.CharField(choices=[('info', 'info'), ('warning', 'warning'), ('critical', 'critical')], max_length=16, verbose_name='severity')),
                ('title', models.TextField(verbose_name='title')),
                ('details', metrics.models.events.JsonText(verbose_name='details')),
                ('culprits', metrics.models.events.JsonText(verbose_name='culprits')),
                ('host', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='metrics.host', verbose_name='host')),
            ],
            options={
                'verbose_name': 'event',
                'verbose_name_plural': 'events',
                'indexes': [models.Index(fields=['host', 'started_at'], name='event_by_time'), models.Index(fields=['host', 'kind', 'started_at'], name='event_by_kind')],
                'constraints': [models.UniqueConstraint(fields=('host', 'kind', 'key'), name='one_event_a_key')],
            },
        ),
    ]
