from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

GROUP = 'Command lines'


def make_group(apps: Any, _schema_editor: Any) -> None:
    """A group that may see command lines. The permission is not there yet: Django makes it after the last migration."""
    content_type, _made = apps.get_model('contenttypes', 'ContentType').objects.get_or_create(
        app_label='metrics', model='process'
    )
    permission, _made = apps.get_model('auth', 'Permission').objects.get_or_create(
        content_type=content_type,
        codename='view_command',
        defaults={'name': 'Can see the command lines of processes'},
    )
    group, _made = apps.get_model('auth', 'Group').objects.get_or_create(name=GROUP)
    group.permissions.add(permission)


class Migration(migrations.Migration):

    dependencies = [
        ('metrics', '0002_keep_minima_for_bands'),
        ('auth', '0012_alter_user_first_name_max_length'),
        ('contenttypes', '0002_remove_content_type_name'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ApiToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='What the token is for, such as prometheus', max_length=100, verbose_name='name')),
                ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('beginning', models.CharField(editable=False, max_length=11, verbose_name='begins with')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('expires_at', models.DateTimeField(blank=True, help_text='Never where it is empty', null=True, verbose_name='expires')),
                ('revoked_at', models.DateTimeField(editable=False, null=True, verbose_name='revoked')),
                ('last_used_at', models.DateTimeField(editable=False, null=True, verbose_name='last used')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='user')),
            ],
            options={
                'verbose_name': 'API token',
                'verbose_name_plural': 'API tokens',
                'ordering': ['-created_at'],
            },
        ),
        migrations.RunPython(make_group, migrations.RunPython.noop),
    ]
