"""A way in: readers of the session cookies that other libraries wrote, so that a switch logs nobody out.

Reading only: no such format is ever written here, and none is tried that the app did not list.
"""

from cookiesess.readers.base import Foreign, Reader
from cookiesess.readers.beaker import BeakerCookie
from cookiesess.readers.django import DjangoSignedCookie
from cookiesess.readers.flask import FlaskCookie
from cookiesess.readers.pyramid import PyramidSignedCookie
from cookiesess.readers.starlette import StarletteCookie

__all__ = [
    "BeakerCookie",
    "DjangoSignedCookie",
    "FlaskCookie",
    "Foreign",
    "PyramidSignedCookie",
    "Reader",
    "StarletteCookie",
]
