"""Readers of other libraries' sessions: when you switch to this library, your users stay logged in.

They only read: this library writes no other library's format, and it reads only the formats that you list.
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
