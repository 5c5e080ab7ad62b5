"""A session: its data, the object that the app uses, and the decision what is saved. No I/O, no clock."""
