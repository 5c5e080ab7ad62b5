"""A second app on the same host: with a cookie name, keys and a store of its own."""

import os

from flask import Flask

from cookiesess import CookiePolicy, Keyring, Lifetime
from cookiesess.adapters.flask import Cookiesess, session

app = Flask(__name__)
Cookiesess(
    app,
    keys=Keyring.from_file(os.environ["FORUM_KEYS_FILE"]),
    cookie=CookiePolicy("__Host-forum"),
    lifetime=Lifetime(),
    store=os.environ["FORUM_STORE"],
)


@app.get("/")
@app.get("/<path:page>")
def visits(page=""):
    session["visits"] = session.get("visits", 0) + 1
    return f"forum, visit number {session['visits']}\n"
