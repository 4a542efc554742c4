"""A row that the database refuses costs itself: its tick is stored, and health names it. Over every sample table."""

import hashlib
import itertools

import pytest
from django.db import IntegrityError, OperationalError, connection

from metrics.models import (
    CollectorState,
    MemorySample,
    NewestProcesses,
    NewestReading,
    Process,
    ProcessSample,
    Tick,
    TickReading,
)
from metrics.models.fields import Flag, Label, NumberField, ShareList
from metrics.models.samples import sample_models
from metrics.recording.doubles import drop_doubles
from metrics.recording.pending import PendingTicks
from metrics.recording.refusals import refused_rows
from metrics.recording.runner import Run, Runner
from metrics.recording.samples import DraftSample, TakenReading, json_of
from metrics.recording.writing import FamilyTick, TickRecord, TickWriter, packed
from tests.recording.fakes import collector, process_row
from tests.skips import only_on_postgresql

AT = 1_700_000_000
OK = CollectorState.Outcome.OK
MODELS = list(sample_models())
OF_A_NAME = [model for model in MODELS if model.key and model is not ProcessSample]
# Of digits that no compression makes short enough for an index.
LONG = "".join(hashlib.sha256(bytes([number])).hexdigest() for number in range(120))
HALF_A_CHARACTER, NUL = "b\udcff", "b\0"
TEXTS = [
    pytest.param(HALF_A_CHARACTER, id="half a character"),
    pytest.param(NUL, id="NUL", marks=only_on_postgresql("SQLite takes it")),
    pytest.param(LONG, id="too long", marks=only_on_postgresql("SQLite takes it")),
]
NUMBERS = [2**64, -(2**70), float("nan"), float("inf"), "a text", [1]]
_pids = itertools.count(1)


def value_of(field, name):
    if isinstance(field, Label):
        return name
    if isinstance(field, Flag):
        return True
    return [1.0] if isinstance(field, ShareList) else 1


def draft(model, name="sound", **values):
    row = process_row(next(_pids), name=name)
    return DraftSample({**{field.name: value_of(field, name) for field in model.measures()}, **values}, row)


def tick(model, drafts, timestamp=AT, reading=None):
    """One with these samples, those of another family, and the states of both."""
    other = MemorySample if model.family != "memory" else next(m for m in MODELS if m.family == "cpu")
    families = [
        FamilyTick(Run(model.family, OK, 1.0, 0.0), 1, 0, timestamp, reading, {model: drafts}),
        FamilyTick(Run(other.family, OK, 1.0, 0.0), 1, 0, timestamp, None, {other: [draft(other)]}),
    ]
    return TickRecord(timestamp, 5, 0.0, 0.0, families)


def stored(host, model, *ticks):
    """What is in a table after these ticks; every one of them was stored."""
    ticks_of_process = PendingTicks()
    ticks_of_process.use(TickWriter(host), 5)
    for each in ticks:
        ticks_of_process.add(each)
    assert Tick.objects.count() == len(ticks), "a tick is lost"
    assert MemorySample.objects.exists() or model.family == "memory"
    return model.objects.order_by("timestamp", "pk")


def message(family):
    return CollectorState.objects.get(family=family).message


@pytest.mark.parametrize("model", MODELS)
def test_a_second_row_of_one_key_costs_itself_at_every_tick(host, model):
    rows = []
    for number in range(3):
        first = draft(model)
        second = DraftSample({**first.values}, first.row)
        rows.append(tick(model, [first, second, *others(model)], AT + 5 * number))
    assert stored(host, model, *rows).count() == 3 * (1 + len(others(model)))
    assert f"left out 1 of the {model.kind} rows, which the database refused" in message(model.family)


def others(model):
    return [draft(model, "other")] if model.key else []


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("model", OF_A_NAME)
def test_a_name_that_the_database_refuses_costs_its_row(host, model, text):
    rows = stored(host, model, tick(model, [draft(model), draft(model, text), draft(model, "other")]))
    assert [getattr(row, model.key[0]) for row in rows] == ["sound", "other"]
    found = message(model.family)
    assert f"left out 1 of the {model.kind} rows, which the database refused" in found
    assert ascii(text)[1:20] in found


@pytest.mark.parametrize("value", NUMBERS, ids=str)
@pytest.mark.parametrize("model", MODELS)
def test_a_number_that_no_column_holds_costs_its_place(host, model, value):
    field = next(field for field in model.measures() if isinstance(field, NumberField))
    [row] = stored(host, model, tick(model, [draft(model, **{field.name: value})]))
    measures = [f for f in model.measures() if f is not field]
    assert getattr(row, field.name) is None
    assert None not in [getattr(row, other.name) for other in measures]


@pytest.mark.parametrize("model", [model for model in MODELS if any(isinstance(f, Flag) for f in model.measures())])
def test_a_flag_that_is_none_costs_its_row(host, model):
    flag = next(field for field in model.measures() if isinstance(field, Flag))
    rows = stored(host, model, tick(model, [draft(model), draft(model, "other", **{flag.name: "maybe"})]))
    assert rows.count() == 1
    assert repr(" ".join(["other"] * len(model.key))) in message(model.family)


@pytest.mark.parametrize(
    ("facts", "named"),
    [
        ({"name": HALF_A_CHARACTER}, "\\udcff"),
        ({"username": HALF_A_CHARACTER}, "odd"),
        ({"command": HALF_A_CHARACTER}, "odd"),
        ({"pid": 2**63}, "odd"),
        ({"start_seconds": float("nan")}, "odd"),
        ({"start_seconds": float("inf")}, "odd"),
    ],
    ids=str,
)
@pytest.mark.parametrize("is_kept", [True, False])
def test_a_process_that_cannot_be_identified_costs_itself(host, facts, named, is_kept):
    odd = draft(ProcessSample, "odd")
    odd = odd._replace(row={**odd.row, **facts}, is_kept=is_kept)
    rows = stored(host, ProcessSample, tick(ProcessSample, [draft(ProcessSample), odd, draft(ProcessSample, "other")]))
    assert sorted(row.process.name for row in rows) == ["other", "sound"]
    assert Process.objects.count() == 2
    assert len(NewestProcesses.decoded(NewestProcesses.objects.get().rows)) == 2
    assert named in message("processes")


def test_a_state_of_a_process_that_is_no_text_costs_that_process(host):
    odd = draft(ProcessSample, "odd", status=HALF_A_CHARACTER)._replace(is_kept=False)
    rows = stored(host, ProcessSample, tick(ProcessSample, [odd, draft(ProcessSample)]))
    assert [row.process.name for row in rows] == ["sound"]
    assert "'odd'" in message("processes")


def test_the_newest_reading_is_renewed_without_what_is_no_json(host):
    rows = [{"interface": "lo", "speed_mbps": 2**64}, {"interface": HALF_A_CHARACTER, "speed_mbps": 1}]
    model = next(model for model in MODELS if model.kind == "interface")
    readings = [TakenReading(AT + n, 1.0, "boot", {"interface": rows}) for n in range(2)]
    stored(host, model, *(tick(model, [], AT + n, reading) for n, reading in enumerate(readings)))
    newest = NewestReading.objects.get()
    assert newest.timestamp.timestamp() == AT + 1
    assert newest.rows == '{"interface":[{"interface":"lo","speed_mbps":null}]}'


def test_a_newest_reading_that_is_refused_costs_itself(host):
    reading = TakenReading(AT, float("nan") if connection.vendor == "sqlite" else 1.0, "b\0" * 40, {"interface": []})
    model = next(model for model in MODELS if model.kind == "interface")
    assert stored(host, model, tick(model, [draft(model)], reading=reading)).count() == 1
    assert not NewestReading.objects.exists()
    assert "newest reading" in message("network")


def test_what_destinations_want_of_a_tick_is_packed_without_what_is_no_json():
    rows = [{"interface": HALF_A_CHARACTER}, {"interface": "lo"}]
    assert json_of({"interface": rows}) == b'{"interface":[{"interface":"lo"}]}'
    run = Run("network", OK, 1.0, 0.0)
    assert packed([FamilyTick(run, 1, 0, AT, TakenReading(AT, 1.0, "boot", {"interface": rows}))])
    assert not TickReading._meta.get_field("rows").null


def test_what_is_refused_is_logged_once_and_named_until_it_is_gone(host, caplog):
    model = next(model for model in MODELS if model.kind == "interface")
    odd = [tick(model, [draft(model), draft(model, HALF_A_CHARACTER)], AT + number) for number in range(3)]
    stored(host, model, *odd, tick(model, [draft(model)], AT + 3))
    [record] = caplog.records
    assert record.getMessage() == (
        "a tick was stored without some of its rows: network:"
        " left out 1 of the interface rows, which the database refused ('b\\udcff')"
    )
    assert message("network") == ""


def test_a_database_that_cannot_answer_refuses_nothing():
    def fail(_rows):
        raise OperationalError("database or disk is full")

    with pytest.raises(OperationalError):
        refused_rows([1], fail) if connection.in_atomic_block else fail(1)


@pytest.mark.django_db
def test_few_attempts_find_one_odd_row_among_many():
    attempts = []

    def take(rows):
        attempts.append(len(rows))
        if 77 in rows:
            raise IntegrityError("UNIQUE constraint failed")

    assert refused_rows(list(range(400)), take) == [77]
    assert len(attempts) < 20


def test_a_message_of_a_collector_is_text_that_every_database_takes():
    def fail():
        raise OSError("\0no file b\udcff")

    assert Runner(collector("odd", fail)).run(5).message == "OSError: no file b\\xff"


class TestDoubles:
    @pytest.mark.parametrize("model", MODELS)
    def test_the_first_of_each_key_stays(self, model):
        key = dict.fromkeys(model.reading_key, "a")
        rows = [{**key, "place": 0}, {**key, "place": 1}, {**key, "place": 2}]
        reading = {model.kind: rows}
        said = drop_doubles(model.family, reading)
        assert reading == {model.kind: rows[:1]}
        assert said.startswith(f"left out 2 of the {model.kind} rows, for another of the same name")

    @pytest.mark.parametrize("model", [model for model in MODELS if model.reading_key])
    def test_what_differs_in_one_part_of_its_key_stays(self, model):
        key = dict.fromkeys(model.reading_key, "a")
        rows = [key, *({**key, name: "b"} for name in model.reading_key)]
        reading = {model.kind: list(rows)}
        assert (drop_doubles(model.family, reading), reading) == ("", {model.kind: rows})
