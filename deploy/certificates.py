"""Keys and certificates for development: `python -m deploy.certificates --dir DIR [--host NAME]... [--owner UID]`.

Writes `kafka.pem` (the broker's key and its certificate, as Kafka reads it) and `ca.pem` (what partners trust).
Files that are there are left alone: operators put their own in the same place. The authority's key is kept
nowhere, so nothing else can ever be signed with it.
"""

from __future__ import annotations

import argparse
import ipaddress
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Sequence

DAYS: Final = 825
"""Longer is refused by some clients (the CA/Browser Forum's old limit, which Apple still holds to)."""
_CLOCKS_DIFFER: Final = timedelta(hours=1)

KAFKA_PEM: Final = "kafka.pem"
CA_PEM: Final = "ca.pem"


@dataclass(frozen=True)
class Identity:
    """A server's key and certificate and the authority that vouches for it, each as PEM."""

    key: str
    certificate: str
    ca: str


def development_identity(hosts: Sequence[str], now: datetime) -> Identity:
    """A new authority and one server certificate for these names or addresses, valid for `DAYS` from `now` (aware)."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("Employment platform, development authority")
    ca = (
        _certificate(ca_name, ca_name, ca_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(certificates=True), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    certificate = (
        _certificate(_name(hosts[0]), ca_name, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_alternative(host) for host in hosts]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    return Identity(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii"),
        certificate.public_bytes(Encoding.PEM).decode("ascii"),
        ca.public_bytes(Encoding.PEM).decode("ascii"),
    )


def write(directory: Path, identity: Identity, owner: int | None = None) -> None:
    """Both files, the one with the key readable by its owner alone (a user id; by default who runs this)."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / CA_PEM).write_text(identity.ca, "ascii")
    part = directory / f"{KAFKA_PEM}.part"
    part.touch(mode=0o600)
    part.write_text(identity.key + identity.certificate, "ascii")
    if owner is not None:
        os.chown(part, owner, -1)
    part.rename(directory / KAFKA_PEM)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _certificate(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER)
        .not_valid_after(now + timedelta(days=DAYS) - _CLOCKS_DIFFER)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def main() -> None:
    """Write what is absent."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.certificates", description="Keys and certificates for development."
    )
    parser.add_argument("--dir", type=Path, required=True, help="where kafka.pem and ca.pem belong")
    parser.add_argument("--host", action="append", default=[], help="a name or address by which partners come")
    parser.add_argument("--owner", type=int, help="the user id that may read the key")
    given = parser.parse_args()
    if (given.dir / KAFKA_PEM).exists():
        print(f"{given.dir / KAFKA_PEM} is there and stays as it is")
        return
    hosts = list(dict.fromkeys([*given.host, "localhost", "127.0.0.1"]))
    write(given.dir, development_identity(hosts, datetime.now(UTC)), given.owner)
    print(f"made {given.dir / KAFKA_PEM} for {', '.join(hosts)}: for development, {DAYS} days")


if __name__ == "__main__":
    main()
