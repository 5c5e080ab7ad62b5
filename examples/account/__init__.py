"""A whole account page, once with Flask and once with plain WSGI: ``python -m examples --account [flask|wsgi]``."""
