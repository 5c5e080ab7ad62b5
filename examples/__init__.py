"""Apps to run and to copy from; ``python -m examples`` serves the first."""
