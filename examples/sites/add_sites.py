"""Adds the sites of this example to the emulator that CHEKT_BASE_URL names. With the real CHeKT, yours are there."""

import os

import requests

SITES = {"villa-01": "Villa", "shop-01": "Shop"}

controls = f"{os.environ['CHEKT_BASE_URL']}/_emulator/dealers/{os.environ['CHEKT_DEALER_ID']}/sites"
for number, (external_id, name) in enumerate(SITES.items(), start=1):
    site = {"external_site_id": external_id, "name": name, "timezone": "UTC", "account_number": f"000{number}"}
    requests.post(controls, json=site, timeout=10).raise_for_status()
