"""The Flask application that `make run` names: it knows the one command `up` and nothing of the product.

The product's own application needs settings to be made, and a second to be loaded; `flask up` is what makes
the settings, and it starts that application as a process of its own.
"""

from flask import Flask

from lms.embedded.cli import cli

app = Flask("launcher")
app.cli.add_command(cli)
