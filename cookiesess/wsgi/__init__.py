"""The WSGI edge: the middleware, and what joins a manager to one request."""
