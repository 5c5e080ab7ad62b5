"""Stores for server-side sessions: one module for each database, all with the contract of `cookiesess.stores.base`."""
