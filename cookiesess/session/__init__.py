"""What a session is, what the app sees of it, and what becomes of it; no I/O, no clock."""
