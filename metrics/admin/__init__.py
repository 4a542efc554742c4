"""The Django admin: everything that sysmon stores can be looked at, nothing that was recorded can be changed.

`read_only` is what all pages share, `pages` the paginator that never counts a table, `filters` and `columns` the parts
of a list; the other modules register the models.
"""

from metrics.admin import events, forwarding, hosts, jobs, processes, recorders, samples, tokens

__all__ = ["events", "forwarding", "hosts", "jobs", "processes", "recorders", "samples", "tokens"]
