"""The moments in the page's address, read as the API reads them; the script then has to know one form only."""

import re
from datetime import UTC, datetime

from django.http import QueryDict
from rest_framework.exceptions import ValidationError

from metrics.api.parameters import MomentField

MOMENTS = {"from": MomentField(), "to": MomentField(ends_day=True), "at": MomentField()}
# As the script writes them.
PLAIN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


def plain_query(query: QueryDict) -> str | None:
    """Return the query with each moment as the script writes it, so that `?from=-2h` leads to a page whose address can
    be sent to somebody; None where it is so already. A stretch without an end ends now.

    Raises ValueError for what is no moment: a line for each parameter, with its name and what is accepted.
    """
    plain = query.copy()
    if query.get("from") and not query.get("to"):
        plain["to"] = "now"
    refused = []
    for name in MOMENTS:
        if not (text := plain.get(name)) or PLAIN.fullmatch(text):
            continue
        try:
            plain[name] = _plain(name, text)
        except ValidationError as error:
            refused.append(f"{name}: {' '.join(map(str, error.detail))}")
    if refused:
        raise ValueError("\n".join(refused))
    return None if plain == query else plain.urlencode(safe=":")


def _plain(name: str, text: str) -> str:
    field = MOMENTS[name]
    seconds = field.run_validation(text)
    try:
        return f"{datetime.fromtimestamp(round(seconds), UTC).replace(tzinfo=None).isoformat()}Z"
    except (ValueError, OverflowError, OSError):
        return field.fail("invalid")
