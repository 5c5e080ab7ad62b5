"""How gunicorn serves the shop: `gunicorn --config gunicorn.conf.py shop:app`."""

import os

# A socket for nginx on this machine. In a container, and on several machines, set SHOP_BIND to an address and a port.
bind = os.environ.get("SHOP_BIND", "unix:/run/shop/gunicorn.sock")
workers = int(os.environ.get("SHOP_WORKERS", "2"))
threads = 4
# gunicorn believes X-Forwarded-Proto from this address, and from the socket. With a port, name the proxy's address.
forwarded_allow_ips = os.environ.get("SHOP_PROXY", "127.0.0.1")
# Room for a session in a cookie, beside your other cookies. gunicorn's own limit is 8 KB.
limit_request_field_size = 24_576
accesslog = "-"
# Makes no socket for gunicorn's command line. It would be in the home of the user, who has none here.
control_socket_disable = True
