"""How gunicorn serves the shop: `gunicorn --config gunicorn.conf.py shop:app`."""

import os

# A socket that nginx on this machine connects to; in a container and on several machines a port.
bind = os.environ.get("SHOP_BIND", "unix:/run/shop/gunicorn.sock")
workers = int(os.environ.get("SHOP_WORKERS", "2"))
threads = 4
# Whose X-Forwarded-Proto is believed. Only the proxy can reach the socket; for a port, name the proxy's address.
forwarded_allow_ips = os.environ.get("SHOP_PROXY", "127.0.0.1")
# A session in a cookie, beside your other cookies; 8 KB is gunicorn's own limit.
limit_request_field_size = 24_576
accesslog = "-"
# A socket for gunicorn's own command line, which would be made in the user's home, and nobody needs here.
control_socket_disable = True
