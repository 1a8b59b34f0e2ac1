"""The floor: the least that Flask does for a request."""

from flask import Flask

app = Flask(__name__)


@app.get("/")
def hello() -> str:
    """A constant."""
    return "hello"
