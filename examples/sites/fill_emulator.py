"""Puts into the emulator what the real CHeKT has already: a station that others run, and two sites on it."""

import os

import requests

controls = f"{os.environ['CHEKT_BASE_URL']}/_emulator/dealers/{os.environ['CHEKT_DEALER_ID']}"
station = {"external_monitoring_station_id": "backup-01", "name": "Backup Receiving Centre, Shelbyville"}
made = requests.post(f"{controls}/stations", json=station, timeout=10)
made.raise_for_status()
for key, name, number in (("villa-01", "Villa", "0001"), ("shop-01", "Shop", "0002")):
    site = {"external_site_id": key, "name": name, "account_number": number, "timezone": "UTC"}
    on_the_station = {**site, "monitoring_station_id": made.json()["id"]}
    requests.post(f"{controls}/sites", json=on_the_station, timeout=10).raise_for_status()
