"""What mod_wsgi loads: an app called `application`. Apache hands no environment variables on, so they stand here."""

import os

os.environ.setdefault("COOKIESESS_KEYS_FILE", "/etc/shop/keys.txt")
os.environ.setdefault("COOKIESESS_STORE", "sqlite:////var/lib/shop/sessions.db")

from shop import app as application
