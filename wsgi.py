"""The web server's entry: `gunicorn wsgi:app`, and what `flask --app wsgi` loads."""

import gc
import os
import sys

from lms.app import create_app
from lms.embedded import environment

environment.join(os.environ, sys.argv[1:])  # a `flask` command beside a running `flask up` uses its settings
app = create_app()
# What was loaded stays for ever: the collector need not walk over it again, nor come each few hundred objects. A third of
# a request's time went there.
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 20, 100)
