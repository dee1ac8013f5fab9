"""What authentication costs beside the signature: each step over many different tokens, in this process, in CPU milliseconds."""

import base64
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import Mock

from cds_service.access import Callers
from cds_service.access.issuers import Issuer, KeyFile
from cds_service.ledger import Ledger
from cds_service.outbound.connection import trusting
from tests.clients import BASE, SIGN, CdsClient, key_set

_TOKENS, _ROUNDS = 400, 7
_CLIENTS = (
    ("standard, ES384", CdsClient()),
    ("Epic-like, RS384", CdsClient(iss="https://epic.example.org/api/FHIR/R4", algorithm="RS384", kid="mK3/8+Zp1q0==")),
)


def print_access() -> None:
    """One line for each kind of client: the signature, all else but the store, and the store."""
    for name, client in _CLIENTS:
        with tempfile.TemporaryDirectory() as folder:
            print(f"access, {name}: {_figures(client, Path(folder))}")


def _figures(client: CdsClient, folder: Path) -> str:
    (folder / "keys.json").write_bytes(key_set(client.jwk()))
    keys = KeyFile(path=folder / "keys.json")
    issuer = Issuer(iss=client.iss, keys=keys, algorithms=(client.algorithm,), max_lifetime_seconds=900)
    callers = Callers([issuer], Ledger(f"sqlite:///{folder / 'ledger.sqlite3'}").seen_tokens, Mock(), trusting)
    now, endpoint = int(time.time()), BASE + SIGN
    signatures, checks, stores = [], [], []
    for _ in range(_ROUNDS):
        tokens = [client.token(now=now, exp=now + 600, nbf=now - 300, sub="x" * 36) for _ in range(_TOKENS)]
        headers = [f"Bearer {token}" for token in tokens]
        signatures.append(_cost(_signature(callers, client), [_ready(token) for token in tokens]))
        checks.append(_cost(lambda header: callers.check(header, endpoint, now, 1), headers))
        known = [callers.check(header, endpoint, now, 1) for header in headers]
        stores.append(_cost(lambda caller: callers.use_up(caller, now, 1), known))
    besides = [check - signature for check, signature in zip(checks, signatures, strict=True)]
    return (
        f"signature {median(signatures):.3f} ms, everything else {median(besides):.3f} ms"
        f" ({min(besides):.3f} to {max(besides):.3f}), seen-token insert {median(stores):.3f} ms"
    )


def _signature(callers: Callers, client: CdsClient) -> Callable[[tuple[bytes, bytes]], object]:
    """The bare verification by the same key object."""
    key = callers._keys[client.iss].find(client.kid, client.algorithm, 1)
    assert key is not None
    verify, public = key.Algorithm.verify, key.key
    return lambda pair: verify(pair[0], public, pair[1])


def _ready(token: str) -> tuple[bytes, bytes]:
    """What was signed and its signature, as bytes."""
    message, _, signature = token.rpartition(".")
    return message.encode(), base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))


def _cost(work: Callable[[Any], object], over: Sequence[Any]) -> float:
    started = time.process_time()
    for one in over:
        work(one)
    return 1000 * (time.process_time() - started) / len(over)
