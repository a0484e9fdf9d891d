#!/usr/bin/env python3
"""Offers a machine on a hub, with Debian's python3-cryptography and python3-websockets and nothing else.

    ./provider.py ws://localhost:7465 provider-key.pem '{"ip_address":"203.0.113.7","country":"SE","resources":{"cpu":4,"memory":8,"storage":40}}'

The open session is the heartbeat: the advertisement stands for as long as this runs, and expires five minutes later.
"""
import asyncio
import json
import os
import random
import sys
import time
from urllib.parse import urlsplit

import websockets
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def load_or_create_key(path):
    if not os.path.exists(path):
        pem = Ed25519PrivateKey.generate().private_bytes(
            form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
    with open(path, "rb") as file:
        return form.load_pem_private_key(file.read(), None)


async def answer(socket, request):
    """The frame that answers the request with this id."""
    async for text in socket:
        frame = json.loads(text)
        if frame.get("id") == request:
            if frame["type"] == "error":
                raise SystemExit(f'refused: {frame["code"]} {frame["message"]}')
            return frame
    raise ConnectionError("the hub closed the connection")


async def session(url, key, advertisement):
    provider_id = key.public_key().public_bytes(form.Encoding.Raw, form.PublicFormat.Raw).hex()
    host = urlsplit(url).netloc.lower()

    def signed(action, payload):
        t = int(time.time() * 1000)
        text = "\n".join(["vm-discovery/v1", action, provider_id, str(t), payload])
        return {"t": t, "signature": key.sign(text.encode()).hex()}

    async with websockets.connect(url + "/api/v1/ws", subprotocols=["vm-discovery.v1.json"]) as socket:
        welcome = json.loads(await socket.recv())
        proof = signed("session", f'{welcome["nonce"]}\n{host}')
        await socket.send(json.dumps({"type": "authenticate", "id": 1, "provider_id": provider_id, **proof}))
        await answer(socket, 1)
        proof = signed("advertise", advertisement)
        await socket.send(json.dumps({"type": "advertise", "id": 2, "payload": advertisement, **proof}))
        print("live", json.dumps((await answer(socket, 2))["advertisement"]), flush=True)
        async for _ in socket:  # The library answers the hub's pings.
            pass


async def main(url, key_file, advertisement):
    key, wait = load_or_create_key(key_file), 1
    while True:
        try:
            await session(url, key, advertisement)
            wait = 1
        except (OSError, asyncio.TimeoutError, websockets.WebSocketException) as error:
            if isinstance(error, websockets.ConnectionClosed) and 4400 <= error.code < 4500:
                raise SystemExit(f"refused: {error}")  # Coming back unchanged would be pointless.
            print("lost:", error, file=sys.stderr, flush=True)
        await asyncio.sleep(random.uniform(0, wait))
        wait = min(60, 2 * wait)

asyncio.run(main(*sys.argv[1:4]))
