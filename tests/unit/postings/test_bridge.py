"""The bridge's files: what they lack is said; and the headers that mean the same on both sides."""

from __future__ import annotations

from pathlib import Path

import certifi
import pytest

from services.postings.partner.__main__ import main
from services.postings.partner.bridge import PASSES, DoorError, door
from shared.contracts.envelope import EPOCH_HEADER, VERSION_HEADER, decode, event_headers
from shared.contracts.registry import PARTNER_EXCHANGE, channel

CONF = f"""# as for kcat
bootstrap.servers = a.example:9094,b.example:9094
security.protocol=SASL_SSL
ssl.ca.location={certifi.where()}
sasl.mechanism=SCRAM-SHA-512
sasl.username=chongqing~12
sasl.password=a=b
"""


def written(root: Path, text: str) -> Path:
    path = root / "door.conf"
    path.write_text(text, "utf-8")
    return path


def test_a_file_for_kcat_is_a_door(tmp_path: Path) -> None:
    found = door(written(tmp_path, CONF))
    assert found.partner == "chongqing"
    assert found.client["bootstrap_servers"] == ["a.example:9094", "b.example:9094"]
    assert (found.client["sasl_plain_username"], found.client["sasl_plain_password"]) == ("chongqing~12", "a=b")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("sasl.password=a=b", "sasl.password=", "sasl.password"),
        ("ssl.ca.location", "#ssl.ca.location", "ssl.ca.location"),
        ("chongqing~12", "chongqing", "<id>~<number>"),
    ],
)
def test_what_a_file_lacks_is_said_before_anything_is_connected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, said: str
) -> None:
    path = written(tmp_path, CONF.replace(old, new))
    with pytest.raises(DoorError, match=said):
        door(path)
    assert main(["bridge", "--from", str(path), "--to", str(path)]) == 2
    assert said in capsys.readouterr().err


def test_what_passes_is_an_event_on_the_other_side() -> None:
    sent = event_headers(
        source="urn:service:postings",
        event_type="PartnerPostingRemoved",
        subject="p-1",
        topic_family=PARTNER_EXCHANGE,
        version=3,
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ) | {EPOCH_HEADER: "1"}
    passed = [(name, value.encode()) for name, value in sent.items() if name in PASSES]
    assert sent.keys() - PASSES == {"ce_dataschema", VERSION_HEADER, EPOCH_HEADER}
    found = decode(channel("partner.shandong.postings.v1"), passed, b'{"id": "p-1", "sequence": 3}')
    assert (found.type, found.version) == ("PartnerPostingRemoved", 0)
