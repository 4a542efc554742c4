"""Who the processes of a reading are: the ids of their identity rows, found or made."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from metrics.models import Host, Process, ProcessSample
from metrics.models.inserts import insert

Row = Mapping[str, Any]


class Identity(NamedTuple):
    """What tells one process from all others of a boot; its start after that is in hundredths of a second."""

    pid: int
    start: int


class Known(NamedTuple):
    """An identity row: its id, and what its columns say of the process."""

    pk: int
    name: str
    description: int
    """Hash of all facts, of which a command line may be long."""


class ProcessIdentities:
    """The identities of one host's processes, remembered until they are forgotten."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._known: dict[Identity, Known] = {}

    def ids_of(self, rows: Sequence[Row]) -> list[int]:
        """The ids for rows of a reading; identities that are not there yet are made."""
        identities = [Identity(row["pid"], round(row["start_seconds"] * 100)) for row in rows]
        self._look_up(identities, rows)
        self._make(self._unknown(identities, rows))
        return [self._known[identity].pk for identity in identities]

    def keep_only(self, ids: Collection[int]) -> None:
        """Forget all others: they may be pruned."""
        kept = set(ids)
        self._known = {identity: known for identity, known in self._known.items() if known.pk in kept}

    def forget(self) -> None:
        """Look up every process again."""
        self._known.clear()

    @property
    def _boot(self) -> int:
        """The boot in hundredths of a second since the epoch, as the stored starts have it now."""
        return round(self._host.booted_at.timestamp() * 100) if self._host.booted_at else 0

    def _unknown(self, identities: Sequence[Identity], rows: Sequence[Row]) -> dict[Identity, Row]:
        """Those that are not known, or are described differently: they run another program since, or gave themselves
        another title."""
        found = zip(identities, rows, strict=True)
        return {identity: row for identity, row in found if not self._is_stored(identity, row)}

    def _is_stored(self, identity: Identity, row: Row) -> bool:
        """Whether the row of a process says what it is; a command line that had to wait takes nothing away."""
        known = self._known.get(identity)
        if known is None or known.name != row["name"]:
            return False
        return row["command"] is None or known.description == _description(map(row.get, ProcessSample.facts))

    def _look_up(self, identities: Sequence[Identity], rows: Sequence[Row]) -> None:
        if pids := {identity.pid for identity in self._unknown(identities, rows)}:
            boot = self._boot
            stored = Process.objects.filter(host=self._host, boot=self._host.boot, pid__in=pids).only(
                "pid", "started_at", *ProcessSample.facts
            )
            for process in stored:
                identity = Identity(process.pid, round(process.started_at.timestamp() * 100) - boot)
                facts = (getattr(process, name) for name in ProcessSample.facts)
                self._known[identity] = Known(process.pk, process.name, _description(facts))

    def _make(self, unknown: dict[Identity, Row]) -> None:
        if not unknown:
            return
        rows = [
            {
                "host": self._host.pk,
                "boot": self._host.boot,
                "pid": identity.pid,
                "started_at": (self._boot + identity.start) / 100,
                **{name: row[name] for name in ProcessSample.facts},
            }
            for identity, row in unknown.items()
        ]
        insert(Process, rows, or_update=(("host", "pid", "started_at", "boot"), ProcessSample.facts))
        self._look_up(list(unknown), list(unknown.values()))


def _description(facts: Iterable[Any]) -> int:
    return hash(tuple(facts))
