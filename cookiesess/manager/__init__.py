"""The settings, how the parts are put together, and the manager that an app works with."""
