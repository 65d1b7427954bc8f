"""Tokens: whose are believed, and what a principal may reach."""

import json
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from fastapi import Depends, FastAPI
from httpx import ASGITransport, AsyncClient

from shared.auth import AUDIENCE, ISSUER, JWKS, PRIVATE_KEY, Authenticator, Principal, ensure_dev_keys, mint
from shared.errors import Unavailable
from shared.http import Problem, install


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    ensure_dev_keys(tmp_path)
    return tmp_path


def claims(**changes: object) -> dict[str, Any]:
    now = int(time.time())
    valid = {"sub": "s1", "role": "seeker", "iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 60}
    return {name: value for name, value in (valid | changes).items() if value is not None}


def signed(keys: Path, changed: dict[str, Any], **headers: Any) -> str:  # noqa: ANN401 - any header may be forged
    kid = json.loads((keys / JWKS).read_bytes())["keys"][0]["kid"]
    pem = (keys / PRIVATE_KEY).read_text()
    return jwt.encode(changed, pem, algorithm="EdDSA", headers={"kid": kid} | headers)


async def test_a_minted_token_names_its_principal(keys: Path) -> None:
    token = mint(keys, "employer", "anna", employer="e1")
    found = await Authenticator(keys / JWKS).principal(token)
    assert found == Principal(sub="anna", role="employer", employer="e1")
    assert found.key == "employer:anna"


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "someone-else"},
        {"aud": "another-platform"},
        {"exp": int(time.time()) - 60},
        {"iat": int(time.time()) + 24 * 3600},  # long after the last test
        {"role": "root"},
        {"role": "employer"},  # without the employer
        {"role": "partner", "partner": ""},
        {"sub": "../s1"},
        {"sub": "s1\n"},
        *({name: None} for name in ("sub", "role", "iss", "aud", "iat", "exp")),
    ],
    ids="-".join,  # of the names alone: the same in every process, whenever it collects
)
async def test_a_token_with_wrong_claims_is_refused(keys: Path, changed: dict[str, object]) -> None:
    with pytest.raises(Problem) as refused:
        await Authenticator(keys / JWKS).principal(signed(keys, claims(**changed)))
    assert refused.value.status == 401


async def test_foreign_and_unsigned_tokens_are_refused(keys: Path) -> None:
    auth = Authenticator(keys / JWKS)
    public = json.loads((keys / JWKS).read_bytes())["keys"][0]
    header = {"kid": public["kid"]}
    forged = [
        jwt.encode(claims(), Ed25519PrivateKey.generate(), algorithm="EdDSA", headers=header),
        jwt.encode(claims(), "", algorithm="none", headers=header),
        jwt.encode(claims(), public["x"].ljust(64, "="), algorithm="HS256", headers=header),
        signed(keys, claims(), kid="unknown"),
        "no token at all",
        "",
    ]
    for token in forged:
        with pytest.raises(Problem) as refused:
            await auth.principal(token)
        assert refused.value.status == 401


async def test_rs256_keys_of_another_issuer_work_and_weaker_kinds_do_not(tmp_path: Path) -> None:
    private = generate_private_key(public_exponent=65537, key_size=2048)
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key()))
    secret = {"kty": "oct", "k": "c2VjcmV0" * 8, "alg": "HS256", "kid": "shared"}
    (tmp_path / JWKS).write_text(json.dumps({"keys": [jwk | {"kid": "rsa"}, secret]}))
    auth = Authenticator(tmp_path / JWKS)
    good = jwt.encode(claims(), private, algorithm="RS256", headers={"kid": "rsa"})
    assert (await auth.principal(good)).sub == "s1"
    weak = jwt.encode(claims(), b"secret" * 8, algorithm="HS256", headers={"kid": "shared"})
    with pytest.raises(Problem):
        await auth.principal(weak)


async def test_without_keys_nobody_is_told_that_the_token_is_bad(tmp_path: Path, keys: Path) -> None:
    token = mint(keys, "seeker", "s1")
    auth = Authenticator(tmp_path / "later" / JWKS)
    with pytest.raises(Unavailable):
        await auth.principal(token)
    ensure_dev_keys(tmp_path / "later")
    assert (await auth.principal(mint(tmp_path / "later", "seeker", "s1"))).sub == "s1"


def test_many_processes_agree_on_one_key_pair(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ensure_dev_keys(tmp_path), range(32)))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    ensure_dev_keys(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert set(before) == {PRIVATE_KEY, JWKS, "profile.key"}
    assert stat.S_IMODE((tmp_path / PRIVATE_KEY).stat().st_mode) == 0o600
    kid = jwt.get_unverified_header(mint(tmp_path, "operator", "o1"))["kid"]
    assert json.loads(before[JWKS])["keys"][0]["kid"] == kid


async def test_routes_ask_for_a_token_and_a_role(keys: Path) -> None:
    app, auth = FastAPI(), Authenticator(keys / JWKS)
    install(app)

    @app.get("/secret")
    async def secret(principal: Annotated[Principal, Depends(auth.require("operator"))]) -> str:
        return principal.sub

    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        nobody = await client.get("/secret")
        seeker = await client.get("/secret", headers=bearer(mint(keys, "seeker", "s1")))
        operator = await client.get("/secret", headers=bearer(mint(keys, "operator", "o1")))
    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, "Bearer")
    assert (seeker.status_code, seeker.json()["code"]) == (403, "forbidden")
    assert operator.json() == "o1"
    assert app.openapi()["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_the_command_prints_a_token_and_nothing_else(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deploy.token", "--role", "partner", "--sub", "chongqing"]
    ran = subprocess.run([*command, "--keys-dir", tmp_path], capture_output=True, text=True, check=True)  # noqa: ASYNC221
    found = await Authenticator(tmp_path / JWKS).principal(ran.stdout.removesuffix("\n"))
    assert found == Principal(sub="chongqing", role="partner", partner="chongqing")
