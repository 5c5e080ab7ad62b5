#!/bin/bash
# In a folder with Dockerfile, compose.yaml, shop.py, gunicorn.conf.py and the wheel of cookiesess.
set -euo pipefail

python3 -m pip install cookiesess-*.whl
python3 -m cookiesess keygen --file keys.txt
# The user in the container has the number 1000, and must be able to read the keys.
sudo chown 1000 keys.txt
docker compose up --detach --build
