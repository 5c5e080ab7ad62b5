"""``python -m cookiesess``."""

import sys

from cookiesess.cli import main

if __name__ == "__main__":
    sys.exit(main())
