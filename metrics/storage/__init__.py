"""The database as a file: how it is set up, what becomes of a damaged one, and copies of it.

location.py says which file an address names; permissions.py keeps others out of it; connections.py sets up each
connection; versions.py refuses what a newer program has migrated;
damage.py sets a damaged file aside; backup.py makes copies and restores them.
"""
