"""The metric families: one module a family, each with a collector that reads raw values.

A collector is registered by being defined; `metrics.collectors.base.collectors()` finds them all.
Nothing in this package knows Django, a database, or a rate: counters stay cumulative.
"""
