"""The WSGI edge."""
