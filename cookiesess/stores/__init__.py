"""Stores for server-side sessions: one file an engine, all under the contract in `cookiesess.stores.base`."""
