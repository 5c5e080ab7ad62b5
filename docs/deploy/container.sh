#!/bin/bash
# In a folder with Dockerfile, compose.yaml, shop.py, gunicorn.conf.py and the wheel of cookiesess.
set -euo pipefail

python3 -m pip install cookiesess-*.whl
python3 -m cookiesess keygen --file keys.txt
# The container's user has the number 1000, and has to read the file.
sudo chown 1000 keys.txt
docker compose up --detach --build
