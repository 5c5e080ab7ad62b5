"""The default of an adapter's `keys`."""

from enum import Enum


class Unset(Enum):
    """What stands for keys that were not given: it says where they come from then.

    It is not None, which is what an environment variable that is not set gives.
    """

    def __repr__(self) -> str:
        return f"<{self.value}>"
