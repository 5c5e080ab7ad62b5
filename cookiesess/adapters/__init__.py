"""The adapters: they connect the library to a framework. Each module needs its framework installed."""
