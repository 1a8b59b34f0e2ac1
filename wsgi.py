"""The web server's entry: `gunicorn wsgi:app`, and what `flask --app wsgi` loads."""

import gc
import os
import sys

from certificates.cli import offline
from lms.app import create_app
from lms.backup import cli as backup
from lms.embedded import environment

environment.join(os.environ, sys.argv[1:])  # a `flask` command beside a running `flask up` uses its settings
# Verifying with the published files alone, and restoring, must work where there is neither a database nor a setting.
if offline.is_requested(sys.argv[1:]):
    app = offline.create_app()
elif backup.is_requested(sys.argv[1:]):
    app = backup.create_app()
else:
    app = create_app()
# What was loaded stays for ever: the collector need not walk over it again, nor come each few hundred objects. A third of
# a request's time went there.
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 20, 100)
