"""The database as a file: how it is set up, what becomes of a damaged one, and copies of it.

connections.py sets up each connection; damage.py sets a damaged file aside; backup.py makes copies and restores them.
"""
