"""``python -m cookiesess``: make keys, look into tokens, prepare and sweep stores, list and end sessions, and more."""

from cookiesess.cli.command import main as main
