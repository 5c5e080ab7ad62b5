"""Real servers for the tests: a file for each engine, with what its clients need, and what all of them share."""
