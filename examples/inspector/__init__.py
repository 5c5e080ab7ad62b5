"""A page to look at cookies and sessions with: ``python -m examples --inspect`` serves it at ``/inspect``.

Read `app` first; `actions` is what its buttons do, `model` what it shows, `sections` how.
"""
