"""Cookies as text: their grammar, the session's policy, the jar, and how a session travels in them."""
