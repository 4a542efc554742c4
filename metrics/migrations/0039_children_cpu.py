
import metrics.models.fields
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('metrics', '0038_left_out'),
    ]

    operations = [
        migrations.AddField(
            model_name='processsample',
            name='children_cpu_percent',
            field=metrics.models.fields.NumberField(editable=False, null=True, scale=100, step=1),
        ),
        migrations.AddField(
            model_name='processsample',
            name='children_cpu_percent_max',
            field=metrics.models.fields.NumberField(editable=False, null=True, scale=100, step=1),
        ),
        migrations.AddField(
            model_name='processtotals',
            name='children_cpu_percent',
            field=metrics.models.fields.NumberField(editable=False, null=True, scale=100, step=1),
        ),
        migrations.AddField(
            model_name='processtotals',
            name='children_cpu_percent_max',
            field=metrics.models.fields.NumberField(editable=False, null=True, scale=100, step=1),
        ),
    ]
