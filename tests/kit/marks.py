"""Parameters that several test modules run with."""

import pytest

from kit.views import anonymous, owned

OWNERS = pytest.mark.parametrize("begin", [anonymous, owned], ids=["anonymous", "ann's"])
"""Of a session without an owner, and of one with; in both there are two keys."""

FORMATS = pytest.mark.parametrize("encrypt", [True, False], ids=["sealed", "signed"])
"""Whether the cookies are sealed or signed."""
