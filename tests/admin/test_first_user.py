"""A first start without any user says how to make one."""

from django.contrib.auth.models import User

from metrics.access import first_user


def test_without_a_user_the_hint_names_the_command(db):
    assert "python manage.py createsuperuser" in str(first_user.hint())


def test_with_a_user_there_is_no_hint(db):
    User.objects.create_user("jin")
    assert first_user.hint() is None


def test_the_sign_in_page_shows_the_hint_until_there_is_a_user(db, client):
    command = "<code>python manage.py createsuperuser</code>"
    assert command in client.get("/admin/login/").content.decode()
    User.objects.create_user("jin")
    assert command not in client.get("/admin/login/").content.decode()


def test_the_sign_in_page_has_no_style_of_its_own(db, client):
    assert "style=" not in client.get("/admin/login/").content.decode()
