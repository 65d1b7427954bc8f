"""The doors for partners: the same in docker-compose.yml as in the local way, and the others not to be reached."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.verification import PolicyBuilder, Store

from deploy.certificates import DAYS, development_identity, write
from deploy.servers import PROJECT
from deploy.servers.broker import PartnerListener, broker_settings, partner_settings
from deploy.servers.containers import _variable

COMPOSE = (PROJECT / "docker-compose.yml").read_text("utf-8")
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def test_containers_have_the_same_listener_for_partners() -> None:
    said = dict(re.findall(r"^      (KAFKA_[A-Z0-9_]+): (.+)$", COMPOSE, re.MULTILINE))
    wanted = {_variable(name): value for name, value in partner_settings().items()}
    assert {name: said.get(name) for name in wanted} == wanted
    protocols = said["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")
    assert [one for one in protocols if not one.endswith(":PLAINTEXT")] == ["PARTNERS:SASL_SSL"]


def test_only_the_listener_for_partners_is_reachable_from_outside() -> None:
    kafka = COMPOSE.partition("\n  kafka:\n")[2].partition("\n  mongo:\n")[0]
    (published,) = re.findall(r"^    ports: \[(.+)\]$", kafka, re.MULTILINE)
    assert published.split(", ") == ['"127.0.0.1:29092:29092"', '"${PARTNER_PORT:-9094}:9094"']
    for name in ("mongo", "redis"):
        assert "ports:" not in COMPOSE.partition(f"\n  {name}:\n")[2].partition("\n\n")[0]


def test_without_partners_nothing_is_different() -> None:
    plain = broker_settings("h", 1, 2, {}, bind="h")
    assert not [name for name in plain if "partners" in name or "authorizer" in name]
    door = broker_settings("h", 1, 2, {}, bind="h", partners=PartnerListener(3, {"ssl.keystore.location": "/x"}))
    assert door["advertised.listeners"] == "PLAINTEXT://h:1,PARTNERS://h:3"
    assert {name: door[name] for name in partner_settings()} == partner_settings()


def test_a_development_certificate_is_for_its_names_alone() -> None:
    identity = development_identity(["kafka.example.org", "127.0.0.1"], NOW)
    certificate = x509.load_pem_x509_certificate(identity.certificate.encode())
    authority = x509.load_pem_x509_certificate(identity.ca.encode())
    trusting = PolicyBuilder().store(Store([authority])).time(NOW)
    chain = trusting.build_server_verifier(x509.DNSName("kafka.example.org")).verify(certificate, [])
    assert chain == [certificate, authority]
    with pytest.raises(x509.verification.VerificationError):
        trusting.build_server_verifier(x509.DNSName("other.example.org")).verify(certificate, [])
    key = load_pem_private_key(identity.key.encode(), None)
    assert key.public_key() == certificate.public_key()
    assert (certificate.not_valid_after_utc - NOW).days in {DAYS - 1, DAYS}


def test_the_key_is_its_owners_alone(tmp_path: Path) -> None:
    write(tmp_path, development_identity(["localhost"], NOW))
    assert (tmp_path / "kafka.pem").stat().st_mode & 0o777 == 0o600
    assert "PRIVATE KEY" not in (tmp_path / "ca.pem").read_text("ascii")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ca.pem", "kafka.pem"]
