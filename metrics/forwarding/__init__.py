"""Ships this host's ticks from the local history to databases of other programs, in order and at least once.

`destinations` reads the setting, `line_protocol` and `remote_write` write the two formats, `sending` posts one batch,
and `shipping` keeps a cursor for each destination. The libraries for it are loaded only where a destination is set.
"""
