"""Run as a program: are the roll-ups of a database what its raw samples give? It changes them: for a copy."""

import json
from typing import Any

import django


def main() -> None:
    """Print as JSON how many buckets there are, and where the two ways to make them differ."""
    django.setup()
    went_on = rolled_up()
    forget_roll_ups()
    anew = rolled_up()
    print(json.dumps({"buckets": len(went_on["CpuSample"]), "differences": differences(went_on, anew)}))


def rolled_up() -> dict[str, dict[tuple[Any, ...], tuple[Any, ...]]]:
    """Roll up what is new, and return every roll-up row by table and what it is about."""
    from metrics.models import Host
    from metrics.models.samples import sample_models
    from metrics.retention.rollup import roll_up

    for host in Host.objects.all():
        roll_up(host)
    found = {}
    for model in sample_models():
        key = ("host_id", "tier", "timestamp", *(model._meta.get_field(name).attname for name in model.key))
        values = [f.attname for f in model._meta.concrete_fields if f.attname not in {"id", *key}]
        rows = model._default_manager.filter(tier__gt=0)
        found[model.__name__] = {row[: len(key)]: row[len(key) :] for row in rows.values_list(*key, *values)}
    return found


def forget_roll_ups() -> None:
    """As if nothing had ever been rolled up."""
    from metrics.models import RollUpState
    from metrics.models.samples import sample_models

    for model in sample_models():
        model._default_manager.filter(tier__gt=0).delete()
    RollUpState.objects.all().delete()


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """A sentence for each table in which they are not the same."""
    found = []
    for name in one:
        keys = [key for key in one[name].keys() | other[name].keys() if one[name].get(key) != other[name].get(key)]
        if keys:
            example = min(keys, key=str)
            found.append(
                f"{name}: {len(keys)} of {len(one[name])} differ, such as {example}: "
                f"{one[name].get(example)} and anew {other[name].get(example)}"
            )
    return found


if __name__ == "__main__":
    main()
