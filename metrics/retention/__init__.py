"""Makes the coarser tiers: from every new tick the minutes that it lies in, from those the quarters of an hour.

progress.py says what there is to do, statements.py writes the SQL, lists.py and processes.py do what SQL cannot say
plainly. A bucket is always computed whole, from all that its source holds, and takes the place of what was there:
running it again changes nothing, and a late tick completes its minute.
"""
