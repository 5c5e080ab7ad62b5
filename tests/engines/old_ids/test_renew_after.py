"""A new ID in the course of time, with the grace of the old one, in each engine that lists an owner's sessions."""

from server.test_renew_after import *  # noqa: F403
