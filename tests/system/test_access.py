"""Everyone reads and writes only what is theirs: every role at every endpoint, with another person's ids."""

from __future__ import annotations

import base64
import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from httpx import Response

from deploy.processes import SERVICES
from shared.auth import ensure_dev_keys, mint
from tests.system.topics import Topics, headers_of
from tests.system.town import (
    OPERATOR,
    Caller,
    Json,
    Town,
    employer_caller,
    own_skill,
    posting_body,
    seeker_body,
    seeker_caller,
)
from tests.waiting import until

pytestmark = pytest.mark.slow

REFUSED = {401, 403, 404}
CONTACT = {"name": "诸葛孔明 Zhuge Kongming", "phone": "+86 531 8000 1234", "email": "kongming@longzhong.example"}
CONTACT_TRACES = ["诸葛", "Zhuge", "8000 1234", "longzhong"]
PARTNER, OTHER_PARTNER = "hangzhou", "ningbo"
MATCHMAKER = Caller("matchmaker", "mm-own")

OTHERS = {
    "seeker": seeker_caller("s-other"),
    "employer": employer_caller("e-other"),
    "partner": Caller("partner", "clerk", partner=OTHER_PARTNER),
    "matchmaker": Caller("matchmaker", "mm-other"),
}

# What a stranger may do, each for a reason; everything else that is not refused is a fault.
PUBLIC = {
    ("postings", "GET", "/postings"): "open postings are for everyone",
    ("postings", "GET", "/postings/{posting_id}"): "an open posting is for everyone",
    ("postings", "GET", "/employers/{employer_id}"): "who offers work is public",
}
OWN = {
    ("postings", "POST", "/employers", "employer"): "registers itself",
    ("profiles", "POST", "/seekers", "seeker"): "registers itself",
    ("profiles", "POST", "/seekers", "matchmaker"): "registers somebody new",
    ("profiles", "GET", "/seekers", "matchmaker"): "lists those whom it accompanies",
    ("profiles", "POST", "/seekers:import", "matchmaker"): "registers somebody new",
}


@dataclass(frozen=True)
class Victim:
    """Whose things are asked for."""

    seeker: str
    accompanied: str
    """Another seeker, whom `MATCHMAKER` registered."""
    employer: str
    posting: str
    closed: str
    item: str
    """In the seeker's inbox."""
    employer_item: str


@dataclass(frozen=True)
class Operation:
    """One method of one path of a service's OpenAPI document."""

    service: str
    method: str
    path: str
    parameters: tuple[str, ...]

    @property
    def name(self) -> tuple[str, str, str]:
        return self.service, self.method, self.path


@pytest.fixture
async def victim(town: Town, topics: Topics) -> Victim:
    for partner in (PARTNER, OTHER_PARTNER):
        made = await town.ask(OPERATOR, "PUT", "postings", f"/partners/{partner}", {"name": partner})
        assert made.status_code == 200, made.text
    headers = headers_of("PartnerPostingSubmitted", f"partner.{PARTNER}.postings.v1")
    sent = await topics.write(f"partner.{PARTNER}.postings.v1", b"secret-receipt", b"{}", headers)
    employer = await town.new_employer()
    posting, closed = await town.new_posting(employer), await town.new_posting(employer, title={"en": "Closed"})
    await town.ask(employer_caller(employer), "POST", "postings", f"/postings/{closed}/close", {})
    seeker = await town.new_seeker(contact=CONTACT)
    body = seeker_body(town.trade, contact=CONTACT)
    accompanied = (await town.ask(MATCHMAKER, "POST", "profiles", "/seekers", body)).json()["id"]
    other = OTHERS["employer"].employer
    await town.ask(OTHERS["employer"], "PUT", "postings", f"/employers/{other}", {"name": "Other"})
    await town.ask(OTHERS["seeker"], "POST", "profiles", "/seekers", seeker_body("another trade"))

    async def told() -> list[Json]:
        mine = await town.inbox(seeker_caller(seeker))
        theirs = await town.inbox(employer_caller(employer))
        receipts = await town.ask(OPERATOR, "GET", "postings", f"/partners/{PARTNER}/receipts")
        # this record's own: receipts are kept a moment after they are published, and those of other tests are there
        answered = {receipt["id"].rpartition("/")[2] for receipt in receipts.json()["items"]}
        settled = mine and len(theirs) == 2 and str(sent.offset) in answered
        return [mine[0], theirs[0]] if settled else []

    mine, theirs = await until(told, "both sides have something in their inboxes, the partner a receipt")
    return Victim(seeker, accompanied, employer, posting, closed, mine["item"], theirs["item"])


async def operations(town: Town) -> list[Operation]:
    """Every endpoint that needs a token."""
    found = []
    for service in SERVICES:
        document = (await town.http.get(town.url(service, "/openapi.json"))).json()
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if "operations" not in operation.get("tags", []):
                    query = [p["name"] for p in operation.get("parameters", []) if p["in"] == "query"]
                    found.append(Operation(service, method.upper(), path, tuple(query)))
    assert len(found) > 20
    return found


def requests(town: Town, victim: Victim, operation: Operation) -> Iterator[tuple[str, dict[str, object]]]:
    """The operation with each of the victim's ids: path with query, and httpx's arguments for the body."""
    for seeker, posting, item in itertools.product(
        [victim.seeker, victim.accompanied],
        [victim.posting, victim.closed],
        [victim.item, victim.employer_item],
    ):
        ids = {
            "employer_id": victim.employer,
            "posting_id": posting,
            "first": victim.posting,
            "second": victim.closed,
            "partner_id": PARTNER,
            "epoch": 1,
            "seeker": seeker,
            "command": "withdraw",
            "item": item,
        }
        for kind, anchor in (("seeker", seeker), ("posting", posting)):
            path = operation.path.format_map(ids | {"kind": kind, "anchor": anchor})
            for recipient in (f"seeker:{seeker}", f"employer:{victim.employer}"):
                query = {
                    "employer": victim.employer,
                    "status": "closed" if operation.path == "/postings" and posting == victim.closed else None,
                    "recipient": recipient,
                    "posting": posting,
                    "seeker": seeker,
                }
                given = {n: v for n, v in query.items() if n in operation.parameters and v is not None}
                yield path, {"params": given} | body_of(town, victim, operation)


def body_of(town: Town, victim: Victim, operation: Operation) -> dict[str, object]:
    """A body that is valid, so that nothing is refused for its form alone."""
    headers = {"If-Match": "*", "Idempotency-Key": uuid4().hex}
    match operation.method, operation.path:
        case "POST", "/postings":
            body: Json = posting_body(town.trade, employer_id=victim.employer)
        case "PUT", "/postings/{posting_id}":
            body = posting_body(town.trade)
        case "POST", "/postings/{posting_id}/close":
            body = {}
        case (("POST" | "PUT"), ("/employers" | "/employers/{employer_id}" | "/partners/{partner_id}")):
            body = {"name": "taken over"}
        case (("POST" | "PUT"), ("/seekers" | "/seekers/{seeker}")):
            body = seeker_body("taken over")
        case "POST", "/seekers:import":
            return {"headers": headers, "content": json.dumps(seeker_body("taken over"))}
        case "POST", "/partners/{partner_id}/replay":
            body = {"from": "2026-01-01T00:00:00Z"}
        case "POST", "/partners/{partner_id}/records":
            return {
                "headers": headers | {"Content-Type": "application/x-ndjson"},
                "content": json.dumps({"id": "taken-over", "title": {"en": "Taken over"}}),
            }
        case _:
            return {"headers": headers}
    return {"headers": headers, "json": body}


async def send(town: Town, token: str | None, operation: Operation, path: str, given: dict[str, object]) -> Response:
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    return await town.http.request(
        operation.method,
        town.url(operation.service, path),
        **{**given, "headers": {**given["headers"], **headers}},  # type: ignore[dict-item,arg-type]
    )


async def state_of(town: Town, victim: Victim) -> list[Json]:
    """All that is the victim's, as the victim sees it."""
    asked = [
        (seeker_caller(victim.seeker), "profiles", f"/seekers/{victim.seeker}"),
        (MATCHMAKER, "profiles", f"/seekers/{victim.accompanied}"),
        (employer_caller(victim.employer), "postings", f"/employers/{victim.employer}"),
        (employer_caller(victim.employer), "postings", f"/postings/{victim.posting}"),
        (employer_caller(victim.employer), "postings", f"/postings/{victim.closed}"),
        (seeker_caller(victim.seeker), "notifications", "/inbox"),
        (employer_caller(victim.employer), "notifications", "/inbox"),
        (OPERATOR, "postings", f"/partners/{PARTNER}/receipts"),
    ]
    answers = [await town.ask(who, "GET", service, path) for who, service, path in asked]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.json() for answer in answers]


@pytest.mark.parametrize("role", OTHERS)
async def test_nobody_reaches_what_is_anothers(town: Town, victim: Victim, role: str) -> None:
    before = await state_of(town, victim)
    token = town.token(OTHERS[role])
    secret = [
        victim.seeker,
        victim.accompanied,
        victim.closed,
        victim.item,
        victim.employer_item,
        own_skill(town.trade),
        "secret-receipt",
        *CONTACT_TRACES,
    ]
    for operation in await operations(town):
        for path, given in requests(town, victim, operation):
            if operation.path == "/stream" and "recipient" not in given["params"]:  # type: ignore[operator]
                continue
            answer = await send(town, token, operation, path, given)
            what = f"{role}: {operation.method} {operation.service} {path} {given.get('params')}"
            if answer.status_code not in REFUSED:
                assert operation.name in PUBLIC or (*operation.name, role) in OWN, f"{what}: {answer.text}"
                assert answer.status_code in {200, 201, 409}, f"{what}: {answer.text}"
                if answer.status_code == 409:
                    assert answer.json()["code"] in {"registered", "already_registered"}
            shown = answer.text.replace(path, "")
            assert not [trace for trace in secret if trace in shown], f"{what}: {answer.text}"
    assert await state_of(town, victim) == before


async def test_an_operator_sees_no_contact_and_changes_no_profile(town: Town, victim: Victim) -> None:
    read = await town.ask(OPERATOR, "GET", "profiles", f"/seekers/{victim.seeker}")
    assert read.status_code == 200
    listed = await town.ask(OPERATOR, "GET", "profiles", "/seekers?limit=200")
    assert victim.seeker in listed.text
    for answer in (read, listed):
        assert not [trace for trace in CONTACT_TRACES if trace in answer.text]
    body = seeker_body("taken over", contact={"phone": "+86 1"})
    changed = await town.ask(OPERATOR, "PUT", "profiles", f"/seekers/{victim.seeker}", body, if_match="*")
    assert changed.status_code == 403
    mark = await town.ask(OPERATOR, "POST", "notifications", f"/inbox/{victim.item}/read")
    assert mark.status_code == 403


async def test_the_owner_reaches_it(town: Town, victim: Victim) -> None:
    """So that the refusals above mean something."""
    owner, employer = seeker_caller(victim.seeker), employer_caller(victim.employer)
    pair = f"/explain?posting={victim.posting}&seeker={victim.seeker}"
    for who, service, path in (
        (owner, "profiles", f"/seekers/{victim.seeker}"),
        (owner, "matcher", f"/lists/seeker/{victim.seeker}"),
        (owner, "matcher", pair),
        (employer, "matcher", f"/lists/posting/{victim.posting}"),
        (employer, "matcher", pair),
        (employer, "postings", f"/postings?status=closed&employer={victim.employer}"),
        (MATCHMAKER, "profiles", f"/seekers/{victim.accompanied}"),
        (MATCHMAKER, "matcher", f"/lists/seeker/{victim.accompanied}"),
        (Caller("partner", "clerk", partner=PARTNER), "postings", f"/partners/{PARTNER}/receipts"),
        (OPERATOR, "notifications", f"/inbox?recipient=seeker:{victim.seeker}"),
    ):
        answer = await town.ask(who, "GET", service, path)
        assert answer.status_code == 200, (path, answer.text)
    contact = (await town.ask(owner, "GET", "profiles", f"/seekers/{victim.seeker}")).json()["contact"]
    assert contact == CONTACT
    read = await town.ask(owner, "POST", "notifications", f"/inbox/{victim.item}/read")
    assert (read.status_code, read.json()["state"]) == (200, "read")


def bad_tokens(town: Town) -> dict[str, str | None]:
    """Tokens that name an operator, who may almost everything, and that nobody may believe."""
    good = town.token(OPERATOR)
    header, claims = jwt.get_unverified_header(good), jwt.decode(good, options={"verify_signature": False})
    jwks = json.loads((town.keys / "jwks.json").read_bytes())
    raw = base64.urlsafe_b64decode(jwks["keys"][0]["x"] + "=")
    kid = {"kid": header["kid"]}
    stranger = Ed25519PrivateKey.generate()
    ensure_dev_keys(town.keys.parent / "other-keys")
    elsewhere = mint(town.keys.parent / "other-keys", "operator", "op-1")
    pem = jwt.PyJWKSet.from_dict(jwks).keys[0].key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    now = int(time.time())
    without_end = {name: value for name, value in claims.items() if name != "exp"}
    signed = good.rpartition(".")[0]
    return {
        "none": None,
        "garbage": "a.b.c",
        "expired": mint(town.keys, "operator", "op-1", ttl_s=-120),
        "another issuer": mint(town.keys, "operator", "op-1", issuer="somebody"),
        "another audience": mint(town.keys, "operator", "op-1", audience="elsewhere"),
        "alg none": jwt.encode(claims, "", algorithm="none", headers=kid),
        "HS256 with the public key": _hs256(claims, kid, raw),
        "HS256 with the public key as PEM": _hs256(claims, kid, pem),
        "another key": jwt.encode(claims, stranger, algorithm="EdDSA", headers=kid),
        "another key, under its own id": elsewhere,
        "no signature": signed + ".",
        "no end": _resigned(town, without_end, kid),
        "not yet": _resigned(town, claims | {"nbf": now + 3600}, kid),
        "no role": _resigned(town, claims | {"role": "root"}, kid),
        "an employer of nobody": _resigned(town, claims | {"role": "employer"}, kid),
    }


def _resigned(town: Town, claims: Json, kid: dict[str, str]) -> str:
    return jwt.encode(claims, (town.keys / "jwt-private.pem").read_bytes(), algorithm="EdDSA", headers=kid)


def _hs256(claims: Json, kid: dict[str, str], secret: bytes) -> str:
    """By hand: PyJWT itself refuses to take a public key for a secret."""
    head = {"alg": "HS256", "typ": "JWT", **kid}
    parts = [_base64url(json.dumps(part).encode()) for part in (head, claims)]
    signing = ".".join(parts).encode()
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(signing, secret)
    return ".".join([*parts, _base64url(signature)])


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


async def test_no_endpoint_believes_a_bad_token(town: Town, victim: Victim) -> None:
    tokens = bad_tokens(town)
    for operation in await operations(town):
        path, given = next(requests(town, victim, operation))
        for name, token in tokens.items():
            answer = await send(town, token, operation, path, given)
            assert answer.status_code == 401, f"{name}: {operation.method} {operation.service} {path}"
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.json()["code"] == "unauthorized"
    assert (await town.ask(OPERATOR, "GET", "postings", "/partners")).status_code == 200
