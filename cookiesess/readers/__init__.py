"""A way in: readers of the sessions that other libraries wrote, so that a switch logs nobody out.

Reading only: no such format is ever written here, and none is tried that the app did not list.
"""

from cookiesess.readers.base import Foreign, Reader
from cookiesess.readers.beaker import BeakerCookie
from cookiesess.readers.django import DjangoSignedCookie
from cookiesess.readers.django_store import DjangoStore
from cookiesess.readers.flask import FlaskCookie
from cookiesess.readers.flask_session import FlaskSessionRedis
from cookiesess.readers.imported import ImportedSessions
from cookiesess.readers.pyramid import PyramidSignedCookie
from cookiesess.readers.starlette import StarletteCookie
from cookiesess.readers.stored import StoredReader

__all__ = [
    "BeakerCookie",
    "DjangoSignedCookie",
    "DjangoStore",
    "FlaskCookie",
    "FlaskSessionRedis",
    "Foreign",
    "ImportedSessions",
    "PyramidSignedCookie",
    "Reader",
    "StarletteCookie",
    "StoredReader",
]
