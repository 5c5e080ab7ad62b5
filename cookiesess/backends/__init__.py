"""Where a session's data lives between requests: in its cookie, or in a store."""
