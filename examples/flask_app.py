"""The demo as a Flask app: ``python -m examples.flask_app [--host HOST] [--port PORT]`` serves it.

Written as any Flask app is; the session is this library's by the one line with `Cookiesess`.
"""

import argparse
import os

import waitress
from flask import Flask, Response, request, session

from cookiesess import Key
from cookiesess.adapters.flask import Cookiesess

app = Flask(__name__)
# Sessions end with the process where no key is set.
app.config["SECRET_KEY"] = os.environ.get("SECRET_KEY") or Key.generate()
Cookiesess(app)


@app.route("/")
def index() -> str:
    return "cookie和session的设置!"


@app.route("/set_cookie")
def set_cookie() -> Response:
    response = Response("cookie 设置")
    response.set_cookie("user_id", "settings cookie")
    return response


@app.route("/get_cookie")
def get_cookie() -> str:
    print("user_id: ", request.cookies.get("user_id"), flush=True)
    return "获取cookie"


@app.route("/set_session")
def set_session() -> str:
    session["username"] = "萧兮"
    return "session设置成功!"


@app.route("/get_session")
def get_session() -> str:
    print("username", session.get("username"), flush=True)
    return "session 获取成功!"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.flask_app", description="Serve the demo routes on Flask.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="port to listen on, 0 for any (default: %(default)s)")
    arguments = parser.parse_args()
    server = waitress.create_server(app, host=arguments.host, port=arguments.port)
    print(f"cookiesess demo on http://{arguments.host}:{server.effective_port} (Ctrl-C stops it)", flush=True)
    server.run()


if __name__ == "__main__":
    main()
