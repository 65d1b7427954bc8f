"""Who calls: JWT bearer tokens (EdDSA or RS256), with issuer and audience pinned and keys from a JWKS.

Claims: `sub`, `role`, `iss`, `aud`, `iat`, `exp`; `employer` for the role employer, `partner` for partner.
For development `ensure_dev_keys` makes a key pair once and `mint` signs tokens with it.
"""

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from fastapi.security.base import SecurityBase

from shared.errors import Unavailable
from shared.http import Problem, forbidden

Role = Literal["operator", "partner", "employer", "seeker", "matchmaker"]

ISSUER: Final = "employment-platform"
AUDIENCE: Final = "employment-platform"
ALGORITHMS: Final = frozenset({"EdDSA", "RS256"})
PRIVATE_KEY: Final = "jwt-private.pem"
JWKS: Final = "jwks.json"
PROFILE_KEY: Final = "profile.key"

ROLES: Final[tuple[Role, ...]] = get_args(Role)
_REQUIRED: Final = ["exp", "iat", "sub", "iss", "aud"]
_LEEWAY_S: Final = 30
_FRESH_S: Final = 300.0
"""Keys are read again after this, so that one that was taken out stops being believed."""
_COOLDOWN_S: Final = 10.0
"""At most this often for a key id that is unknown: anyone can send such a token."""
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
"""As `shared.contracts.common.Id`: a seeker's `sub` becomes the seeker's id."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls. A seeker's `sub` is the seeker's id, a matchmaker's the matchmaker's."""

    sub: str
    role: Role
    employer: str | None = None
    """The employer's id, for the role employer."""
    partner: str | None = None
    """The partner's id, for the role partner."""

    @property
    def key(self) -> str:
        """One caller, for what is kept by caller (idempotency keys, rate limits)."""
        return f"{self.role}:{self.sub}"


class Keys:
    """The public keys whose signatures are believed, by key id, from a file or an address."""

    def __init__(self, source: Path | str) -> None:
        """`source` is a JWKS file, or the http(s) URL of one."""
        self._read: Callable[[], jwt.PyJWKSet]
        if isinstance(source, Path):
            self._read = lambda: jwt.PyJWKSet.from_dict(json.loads(source.read_bytes()))
        else:
            self._read = jwt.PyJWKClient(source, cache_jwk_set=False, timeout=5).get_jwk_set
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._read_at = float("-inf")
        self._tried_at = float("-inf")
        self._reading = asyncio.Lock()

    async def find(self, kid: str) -> jwt.PyJWK | None:
        """The key of this id. Raises Unavailable while no keys could be read at all."""
        if self._is_fresh(kid):
            return self._keys[kid]
        async with self._reading:
            if not self._is_fresh(kid) and time.monotonic() - self._tried_at > _COOLDOWN_S:
                self._tried_at = time.monotonic()
                await self._refresh()
        return self._keys.get(kid)

    def _is_fresh(self, kid: str) -> bool:
        return kid in self._keys and time.monotonic() - self._read_at < _FRESH_S

    async def _refresh(self) -> None:
        try:
            found = await asyncio.to_thread(self._read)
        except (OSError, ValueError, jwt.PyJWTError) as error:
            if self._keys:  # the known ones hold on while the issuer is away
                return
            self._tried_at = float("-inf")
            message = "no keys to check tokens with"
            raise Unavailable(message) from error
        self._keys = {
            key.key_id: key
            for key in found.keys
            if key.key_id and key.public_key_use in {"sig", None} and key.algorithm_name in ALGORITHMS
        }
        self._read_at = time.monotonic()


class Authenticator(SecurityBase):
    """A FastAPI dependency that gives the Principal: `Depends(auth)`, `Depends(auth.require("operator"))`."""

    def __init__(self, source: Path | str, *, issuer: str = ISSUER, audience: str = AUDIENCE) -> None:
        """`source` as in `Keys`."""
        self.model = HTTPBearer(bearerFormat="JWT", description=f"Claim `role`: {', '.join(ROLES)}.").model
        self.scheme_name = "bearer"
        self._keys = Keys(source)
        self._issuer = issuer
        self._audience = audience

    async def __call__(self, request: Request) -> Principal:
        """Raises Problem 401 without a valid token."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _unauthorized("Send a bearer token in Authorization.", "请在 Authorization 中提供令牌。")
        return await self.principal(token.strip())

    async def principal(self, token: str) -> Principal:
        """Whose token it is. Raises Problem 401 if it is not valid, Unavailable while there are no keys."""
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            key = await self._keys.find(kid) if isinstance(kid, str) else None
            if key is None:
                raise _unauthorized("The token's key is not known.", "令牌的签名密钥未知。")
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],  # the key's own, never the token's word for it
                issuer=self._issuer,
                audience=self._audience,
                leeway=_LEEWAY_S,
                options={"require": _REQUIRED},
            )
        except jwt.ExpiredSignatureError as error:
            raise _unauthorized("The token has expired.", "令牌已过期。") from error
        except jwt.PyJWTError as error:
            raise _unauthorized("The token is not valid.", "令牌无效。") from error
        return _principal(claims)

    def require(self, *roles: Role) -> Callable[[Principal], Awaitable[Principal]]:
        """A dependency that gives the Principal if it has one of `roles`. Raises Problem 403 otherwise."""

        async def check(principal: Annotated[Principal, Depends(self)]) -> Principal:
            if principal.role not in roles:
                raise forbidden()
            return principal

        return check


def _unauthorized(en: str, zh: str) -> Problem:
    return Problem(401, "unauthorized", en, zh, headers={"WWW-Authenticate": "Bearer"})


def _principal(claims: Mapping[str, object]) -> Principal:
    """Whom verified claims name. An employer or partner without the id that it acts for is nobody."""
    role = next((known for known in ROLES if known == claims.get("role")), None)
    if role is None:
        raise _unauthorized("The token names no role that is known here.", "令牌中的角色未知。")
    return Principal(
        sub=_id(claims, "sub"),
        role=role,
        employer=_id(claims, "employer") if role == "employer" else None,
        partner=_id(claims, "partner") if role == "partner" else None,
    )


def _id(claims: Mapping[str, object], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise _unauthorized(f"The token's claim {name} is missing or no id.", f"令牌声明 {name} 缺失或无效。")
    return value


def ensure_dev_keys(keys_dir: Path) -> None:
    """Make `jwt-private.pem`, `jwks.json` and `profile.key` in `keys_dir`, where they are not there yet.

    For development only. Several processes may do it at once: the first one's keys win, for all of them.
    """
    keys_dir.mkdir(parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write_first(keys_dir / PRIVATE_KEY, pem)
    _write_first(keys_dir / PROFILE_KEY, base64.b64encode(secrets.token_bytes(32)))
    _, public = _signing_key(keys_dir)
    _write_first(keys_dir / JWKS, json.dumps({"keys": [public]}).encode())


def mint(  # noqa: PLR0913 - one claim each
    keys_dir: Path,
    role: Role,
    sub: str,
    employer: str | None = None,
    partner: str | None = None,
    ttl_s: int = 3600,
    *,
    issuer: str = ISSUER,
    audience: str = AUDIENCE,
) -> str:
    """A token signed with the development key of `keys_dir`. Raises FileNotFoundError if there is none."""
    private, public = _signing_key(keys_dir)
    now = int(time.time())
    claims: dict[str, object] = {"sub": sub, "role": role, "iss": issuer, "aud": audience}
    claims |= {"iat": now, "exp": now + ttl_s}
    if employer is not None:
        claims["employer"] = employer
    if partner is not None:
        claims["partner"] = partner
    return jwt.encode(claims, private, algorithm="EdDSA", headers={"kid": public["kid"]})


def _signing_key(keys_dir: Path) -> tuple[Ed25519PrivateKey, dict[str, str]]:
    """The private key, and its public half as a JWK whose id is its thumbprint (RFC 7638)."""
    private = load_pem_private_key((keys_dir / PRIVATE_KEY).read_bytes(), None)
    if not isinstance(private, Ed25519PrivateKey):
        message = f"{PRIVATE_KEY} is no Ed25519 key"
        raise TypeError(message)
    raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    members = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(raw)}
    canonical = json.dumps(members, separators=(",", ":"), sort_keys=True).encode()
    kid = _base64url(hashlib.sha256(canonical).digest())
    return private, members | {"kid": kid, "alg": "EdDSA", "use": "sig"}


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _write_first(path: Path, content: bytes) -> None:
    """Write the whole file, for its owner alone, unless it is there; a reader never sees half of it."""
    if path.exists():
        return
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        with contextlib.suppress(FileExistsError):  # somebody else was first
            path.hardlink_to(temporary)
    finally:
        temporary.unlink()
