"""mod_wsgi loads this file, and runs `application`. Apache passes on no environment variables, so set them here."""

import os

os.environ.setdefault("COOKIESESS_KEYS_FILE", "/etc/shop/keys.txt")
os.environ.setdefault("COOKIESESS_STORE", "sqlite:////var/lib/shop/sessions.db")

from shop import app as application
