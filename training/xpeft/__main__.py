"""`python -m xpeft`."""

from xpeft.cli import app

app(prog_name="python -m xpeft")
