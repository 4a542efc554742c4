"""`manage.py up`: one process that starts, watches and ends the web server and the django-q2 cluster.

locks.py keeps a second `up` away; part.py is one supervised process; web.py and worker.py are what runs in them;
supervisor.py watches over both; schedules, runs and requests know nothing of it but their heartbeat.
"""
