"""From psutil to the database: one tick runs every collector and writes one transaction.

runner.py runs collectors, each isolated and timed; rates.py turns two readings into samples; writing.py stores a
tick whole; recording.py joins them for one host; run.py keeps ticking until another run takes over.
"""
