"""A small shop: the app that the configurations beside this file serve."""

import os

from flask import Flask

from cookiesess import CookiePolicy, Lifetime
from cookiesess.adapters.flask import Cookiesess, session

app = Flask(__name__)
# The keys come from COOKIESESS_KEYS_FILE, or from COOKIESESS_KEYS.
Cookiesess(app, cookie=CookiePolicy(), lifetime=Lifetime(), store=os.environ["COOKIESESS_STORE"])


@app.get("/")
@app.get("/<path:page>")
def visits(page=""):
    session["visits"] = session.get("visits", 0) + 1
    return f"visit number {session['visits']}\n"
