"""Masks command lines again that were stored by other rules: before an upgrade, or under a looser SYSMON_COMMANDS.

It goes on each minute where it stopped, in batches that hold up no tick. What is recorded meanwhile is masked already.
"""

import time
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Max

from metrics import conf
from metrics.collectors.hiding import HIDE_SECRETS, rules_digest
from metrics.models import CommandMasking, Event, Host, Process
from metrics.models.sql import execute_many, update

# Rows that one transaction changes at the most: some milliseconds.
BATCH_ROWS = 200
# What a run takes of a worker that has other things to do in this minute.
MAX_SECONDS = 2.0


def mask_stored_commands(host: Host, max_seconds: float = MAX_SECONDS) -> int:
    """Mask what this host stored by other rules than those of today; return how many rows were changed."""
    began, changed = time.monotonic(), 0
    state = _state(host)
    while state.last_process < state.until_process and time.monotonic() - began < max_seconds:
        changed += _mask_batch(state)
    return changed


def _state(host: Host) -> CommandMasking:
    """How far it has come; at the beginning again where the rules or the setting are others."""
    state = CommandMasking.objects.filter(host=host).first() or CommandMasking(host=host, commands="masked")
    # Another machine's setting is not known here; what it said last holds on.
    commands = conf.commands() if host.name == conf.host_name() else state.commands
    if (state.commands, state.rules) != (commands, rules_digest()):
        _mask_culprits(host, commands)
        newest = Process.objects.filter(host=host).aggregate(newest=Max("pk"))["newest"] or 0
        state.commands, state.rules, state.last_process, state.until_process = commands, rules_digest(), 0, newest
        state.save()
    return state


def _mask_batch(state: CommandMasking) -> int:
    ids = Process.objects.filter(host=state.host, pk__gt=state.last_process, pk__lte=state.until_process)
    rows = list(ids.order_by("pk").values_list("pk", "command")[:BATCH_ROWS])
    masked = [(_masked(command, state.commands), pk, command) for pk, command in rows if command]
    changed = [row for row in masked if row[0] != row[2]]
    state.last_process = rows[-1][0] if len(rows) == BATCH_ROWS else state.until_process
    with transaction.atomic():
        _update(changed)
        state.save()
    return len(changed)


def _mask_culprits(host: Host, commands: str) -> None:
    """Those of all events, whose number has a bound; one that was interrupted begins again."""
    for event in Event.objects.filter(host=host).exclude(culprits=[]).order_by("pk").iterator():
        lines = [culprit["command"] for culprit in event.culprits]
        masked = [_masked(line, commands) if line else line for line in lines]
        if masked != lines:
            pairs = zip(event.culprits, masked, strict=True)
            event.culprits = [{**culprit, "command": line} for culprit, line in pairs]
            event.save(update_fields=["culprits"])


def _masked(command: str, commands: str) -> str | None:
    """A line of which it is not known any more where an argument ends."""
    return HIDE_SECRETS[commands]([command])


def _update(changed: Sequence[tuple[str | None, int, str]]) -> None:
    """Only where a row still says what was read: its process may run another program by now."""
    execute_many(update(Process, ["command"], "id = %s AND command = %s"), list(changed))
