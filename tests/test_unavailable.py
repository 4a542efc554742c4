"""Pages that are not the API's: a database that does not answer is no fault of the program."""

import pytest
from django.contrib.admin import AdminSite
from django.contrib.auth.models import User
from django.db import InterfaceError, OperationalError
from django.test import Client


@pytest.fixture
def staff(db):
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.fixture
def fails(monkeypatch):
    """The admin's front page ends in this error."""

    def fail_with(error):
        def index(*args, **kwargs):
            raise error

        monkeypatch.setattr(AdminSite, "each_context", index)

    return fail_with


@pytest.mark.parametrize("error", [OperationalError("connection refused"), InterfaceError("closed")])
def test_a_page_says_that_the_database_does_not_answer(staff, fails, error):
    fails(error)
    response = staff.get("/admin/", headers={"accept": "text/html"})
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert response.content == b"<h1>The database does not answer.</h1>"


def test_to_a_program_in_the_one_shape_of_errors(staff, fails):
    fails(OperationalError("connection refused"))
    response = staff.get("/admin/", headers={"accept": "application/json"})
    assert response.status_code == 503
    assert response.json() == {"detail": "The database does not answer.", "errors": {}}


def test_what_nobody_expected_is_still_a_500(staff, fails):
    fails(ValueError("a fault"))
    assert staff.get("/admin/").status_code == 500
