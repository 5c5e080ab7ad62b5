"""How long a request waits before it tries again, after others were faster.

Those who lose a race together and try again at once meet again, and again: of sixteen writers of one record one gets
through at a time, and the other fifteen have worked for nothing. So after a few lost races each waits a random moment,
which grows with every further one: then few are at it at a time, and most of what they do counts.
"""

import os
import time
from collections.abc import Callable
from typing import Final

# So many races are lost without a wait: two or three requests of one page are through by then.
_PATIENT: Final = 2
# Seconds: the first wait is shorter than this, and each further one may be twice as long as the one before, up to the
# last number. On average a wait is half of that, so that a writer's 64 tries take less than two seconds of waiting.
_FIRST: Final = 0.002
_LONGEST: Final = 0.064
_DRAWN_BYTES: Final = 2


class Pauses:
    """Waits between tries. Thread-safe.

    Args:
        sleep: Waits for so many seconds; another one than `time.sleep` is for tests.
        random_bytes: Draws how long, so that rivals do not wait alike.
    """

    def __init__(
        self,
        *,
        sleep: Callable[[float], object] = time.sleep,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._sleep = sleep
        self._random_bytes = random_bytes

    def after(self, lost: int) -> bool:
        """Wait, where so many races in a row were lost that it helps; False where it was not worth it.

        Args:
            lost: How many, without the last one.
        """
        grown = lost - _PATIENT
        if grown < 0:
            return False
        most = min(_FIRST * 2 ** min(grown, 10), _LONGEST)
        drawn = int.from_bytes(self._random_bytes(_DRAWN_BYTES)) / 256**_DRAWN_BYTES
        self._sleep(most * drawn)
        return True
