"""Makes the coarser tiers, each from the one before it, and deletes what has outlived its retention.

rollup.py says what there is to do, buckets.py rolls a table up, rollup_lists.py and rollup_processes.py do what SQL
cannot say plainly. A bucket is always computed whole, from all that its source holds, and takes the place of what was
there: running it again changes nothing, and a late tick completes its minute.
"""
