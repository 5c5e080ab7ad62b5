#!/bin/bash
# Run as root, in a folder with shop.py, gunicorn.conf.py, shop.service, nginx.conf and the wheel of cookiesess.
set -euo pipefail

useradd --system shop
install --directory /srv/shop
install --directory --owner=shop --mode=700 /etc/shop
cp shop.py gunicorn.conf.py /srv/shop
python3 -m venv /srv/shop/venv
/srv/shop/venv/bin/pip install cookiesess-*.whl flask gunicorn

# The keys: only the user `shop` may read them.
/srv/shop/venv/bin/python -m cookiesess keygen --file /etc/shop/keys.txt
chown shop /etc/shop/keys.txt

cp shop.service /etc/systemd/system/shop.service
systemctl daemon-reload
systemctl enable --now shop

cp nginx.conf /etc/nginx/conf.d/shop.conf
nginx -t
systemctl reload nginx
