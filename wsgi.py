"""The web server's entry: `gunicorn wsgi:app`, and what `flask --app wsgi` loads."""

import os
import sys

from lms.app import create_app
from lms.embedded import environment

environment.join(os.environ, sys.argv[1:])  # a `flask` command beside a running `flask up` uses its settings
app = create_app()
