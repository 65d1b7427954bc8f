"""The register of partners, which is the service postings': read and written over HTTP."""

from __future__ import annotations

import json
import os
from http.client import HTTPException
from pathlib import Path
from typing import Final, Literal
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

from deploy.operator.answers import REFUSED, UNKNOWN, Json, Refusal, away
from shared.auth import PRIVATE_KEY, mint

_PATIENCE_S: Final = 30.0
_PAGE: Final = 200
_TERMS: Final = ("name", "renews", "sandbox", "exchange", "pull")
"""Of a partner, what a PUT takes."""


class Register:
    """Calls postings at `url` with an operator's token."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._token = token

    def register(self, partner: str, name: str, *, sandbox: bool = False) -> None:
        """The partner is registered under this name, and its topics are there. Raises Refusal.

        What else is registered of it stays.
        """
        known = self.partners().get(partner, {})
        self._call("PUT", f"/partners/{partner}", {**_kept(known), "name": name, "sandbox": sandbox})

    def exchange(self, partner: str, exchange: Json | None) -> None:
        """It gets our postings of these regions, or none. Raises Refusal."""
        self._change(partner, "exchange", exchange)

    def pull(self, partner: str, pull: Json | None) -> None:
        """Its feed is fetched, at once, or none any more. Raises Refusal."""
        self._change(partner, "pull", pull)

    def _change(self, partner: str, term: str, value: Json | None) -> None:
        known = self.partners().get(partner)
        if known is None:
            raise Refusal(
                UNKNOWN, "unknown_partner", f"没有登记过的合作方 {partner}", f"There is no registered partner {partner}"
            )
        self._call("PUT", f"/partners/{partner}", {**_kept(known), term: value})

    def replay(self, partner: str, since: str) -> int:
        """Its receipts are published once more, from this time on; how many. Raises Refusal."""
        return int(self._call("POST", f"/partners/{partner}/replay", {"from": since})["receipts"])

    def command(self, partner: str, command: Literal["pause", "resume", "retire"]) -> None:
        """The partner's state there is changed: it is what holds, and Kafka's rights follow it. Raises Refusal."""
        self._call("POST", f"/partners/{partner}/{command}")

    def names(self) -> dict[str, str]:
        """All registered partners: their names by id. Raises Refusal."""
        return {partner: str(one["name"]) for partner, one in self.partners().items()}

    def partners(self) -> dict[str, Json]:
        """All registered partners by id. Raises Refusal."""
        return {str(one["id"]): one for one in self._call("GET", "/partners")["items"]}

    def duplicates(self, state: str, limit: int) -> list[Json]:
        """At most so many pairs of postings of a state, in the order of their ids. Raises Refusal."""
        rows: list[Json] = []
        cursor = ""
        while len(rows) < limit:
            page = self._call("GET", f"/duplicates?state={state}&limit={min(limit - len(rows), _PAGE)}{cursor}")
            rows += page["items"]
            if page.get("next") is None:
                break
            cursor = f"&cursor={page['next']}"
        return rows

    def decide(self, first: str, second: str, command: Literal["merge", "part"]) -> Json:
        """Two postings are said to be one vacancy, or not to be. Raises Refusal."""
        return self._call("POST", f"/duplicates/{quote(first)}/{quote(second)}/{command}")

    def _call(self, method: str, path: str, body: Json | None = None) -> Json:
        data = None if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {self._token}", "content-type": "application/json"}
        if not self._url.startswith(("http://", "https://")):
            raise away("postings", f"POSTINGS_URL={self._url}")
        request = Request(self._url + path, data, headers, method=method)  # noqa: S310 - checked in the line before
        try:
            with urlopen(request, timeout=_PATIENCE_S) as response:  # noqa: S310 - the same
                found: Json = json.load(response)
                return found
        except HTTPError as error:
            said = error.read(2000).decode(errors="replace")
            if error.code in {401, 403}:
                raise Refusal(
                    REFUSED,
                    "no_token",
                    f"postings 不接受该令牌（{error.code}）：请在 OPERATOR_TOKEN 中提供运营方令牌",
                    f"postings does not take this token ({error.code}): give an operator's in OPERATOR_TOKEN",
                ) from error
            if (refusal := _refusal(error.code, said)) is not None:
                raise refusal from error
            raise away("postings", f"{error.code} {said}") from error
        except (URLError, HTTPException, OSError, ValueError) as error:
            raise away("postings", error) from error


def _kept(known: Json) -> Json:
    """What is registered of a partner, to be sent again with what changes."""
    return {term: known[term] for term in _TERMS if term in known}


def _refusal(status: int, said: str) -> Refusal | None:
    """What postings refuses for a reason of its own, in its words; None if it is no such answer."""
    if status not in {404, 409, 422}:
        return None
    try:
        problem = json.loads(said)
        code, zh, en = problem["code"], problem["reason"]["zh"], problem["reason"]["en"]
    except (ValueError, KeyError, TypeError):
        return None
    return Refusal(UNKNOWN if code == "not_found" else REFUSED, str(code).removeprefix("partner_"), zh, en)


def register_from_environment() -> Register:
    """`POSTINGS_URL`, and `OPERATOR_TOKEN` or else a development key in `KEYS_DIR`. Raises Refusal without either."""
    token = os.environ.get("OPERATOR_TOKEN", "")
    keys = Path(os.environ.get("KEYS_DIR", ".dev/keys"))
    if not token and not (keys / PRIVATE_KEY).exists():
        raise Refusal(
            REFUSED,
            "no_token",
            "请在 OPERATOR_TOKEN 中提供运营方令牌（开发环境可用 KEYS_DIR 指出开发密钥）",
            "Give an operator's token in OPERATOR_TOKEN (or, for development, the keys' folder in KEYS_DIR)",
        )
    return Register(
        os.environ.get("POSTINGS_URL", "http://localhost:8001"),
        token or mint(keys, "operator", "operator-kit", ttl_s=300),
    )
