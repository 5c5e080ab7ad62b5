"""Bytes in, bytes out: keys, typed values, sealed and signed tokens."""
