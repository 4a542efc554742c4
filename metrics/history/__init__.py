"""The one way to read samples: series, the newest tick, processes at any moment, health.

Everything here takes and gives plain values: a moment is a number of seconds since the epoch, a point is a dict.
"""
