"""A plausible past for a machine that was never recorded, to try the program with and to measure it.

A quarter of an hour is made of lines: a base, a ripple around it, and what events add (lines.py, events.py,
quarters.py). Its ticks can be read like a machine (readings.py) and go through the recorder's and the roll-ups' own
code; or its roll-up rows are computed from the lines at once (bulk.py), some hundred times faster, and a test holds
that both give the same rows. history.py decides which, quarter by quarter.
"""
