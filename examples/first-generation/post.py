#!/usr/bin/env python3
"""Advertises a machine every few minutes, as providers of the first generation do: without a signature.

    ./post.py http://localhost:7465 provider-1 '{"ip_address":"203.0.113.7","country":"SE","resources":{"cpu":4,"memory":8,"storage":40}}'
"""
import sys
import time
import urllib.error
import urllib.request

SECONDS_BETWEEN_POSTS = 120


def post(hub, provider_id, advertisement):
    body = advertisement.encode()
    headers = {
        "Content-Type": "application/json",
        "X-Provider-ID": provider_id,
        "X-Provider-Signature": "none",
    }
    request = urllib.request.Request(hub + "/api/v1/advertisements", body, headers)
    try:
        with urllib.request.urlopen(request) as response:
            print(response.read().decode(), flush=True)
    except urllib.error.HTTPError as error:
        raise SystemExit(f"refused with {error.code}: {error.read().decode()}")


def main(hub, provider_id, advertisement):
    while True:
        post(hub, provider_id, advertisement)
        time.sleep(SECONDS_BETWEEN_POSTS)


if __name__ == "__main__":
    main(*sys.argv[1:4])
