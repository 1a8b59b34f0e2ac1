"""The web server's entry: `gunicorn wsgi:app`, and what `flask --app wsgi` loads."""

import gc

gc.disable()  # nothing that is being loaded is garbage, and looking for some took a sixth of the start

import os  # noqa: E402
import sys  # noqa: E402

from certificates.cli import offline  # noqa: E402
from lms.app import create_app  # noqa: E402
from lms.backup import cli as backup  # noqa: E402
from lms.embedded import environment  # noqa: E402

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
gc.enable()
