import psutil
import pytest

from metrics.collectors.base import NoData
from metrics.collectors.omissions import Omissions
from metrics.collectors.parts import read_part


@pytest.mark.parametrize(
    "error",
    [OSError(5, "Input/output error"), ValueError("odd"), KeyError("x"), ZeroDivisionError(), psutil.AccessDenied(1)],
)
def test_a_part_that_fails_leaves_the_others_alone_and_is_named(error):
    def fail():
        raise error

    omissions = Omissions()
    assert read_part("space", fail, [], omissions) == []
    assert read_part("pressure", lambda: 5, 0, omissions) == 5
    assert str(omissions).startswith(f"space: {type(error).__name__}: ")


def test_a_part_that_a_platform_does_not_have_is_no_failure():
    def nothing():
        raise NoData("no /proc/diskstats")

    omissions = Omissions()
    assert read_part("devices", nothing, None, omissions) is None
    assert str(omissions) == ""


def test_a_fault_of_the_program_is_not_hidden():
    def fault():
        raise TypeError

    with pytest.raises(TypeError):
        read_part("space", fault, None, Omissions())
