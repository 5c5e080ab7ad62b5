#!/bin/bash
# Run as root, in a folder with shop.py, shop.wsgi, apache.conf and the wheel of cookiesess.
set -euo pipefail

apt-get install --yes apache2 libapache2-mod-wsgi-py3 python3-venv
useradd --system shop
install --directory /srv/shop
install --directory --owner=shop --mode=700 /etc/shop /var/lib/shop
cp shop.py shop.wsgi /srv/shop
# mod_wsgi runs the system's Python, so the app's packages have to be made for this Python.
/usr/bin/python3 -m venv /srv/shop/venv
/srv/shop/venv/bin/pip install cookiesess-*.whl flask

# The keys: only the user `shop` may read them.
/srv/shop/venv/bin/python -m cookiesess keygen --file /etc/shop/keys.txt
chown shop /etc/shop/keys.txt

cp apache.conf /etc/apache2/sites-available/shop.conf
a2enmod ssl headers wsgi
a2ensite shop
apachectl configtest
systemctl restart apache2
