"""A folder in, an authority made now and two certificates by it for 127.0.0.1 out: one that is good and one that has expired."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_DAY = timedelta(days=1)
_AUTHORITY = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority made for a test")])


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in PEM: of the authority its certificate, of the servers certificate and key."""

    authority: str
    good: str
    expired: str


def certificates(folder: Path) -> Certificates:
    """Made anew."""
    now, key = datetime.now(UTC), generate_private_key(SECP256R1())
    authority = folder / "authority.pem"
    own = _signed(_AUTHORITY, key, key, (now - 400 * _DAY, now + _DAY), x509.BasicConstraints(True, None))
    authority.write_bytes(own.public_bytes(Encoding.PEM))
    good = _server(folder / "good.pem", key, (now - _DAY, now + _DAY))
    return Certificates(str(authority), good, _server(folder / "expired.pem", key, (now - 30 * _DAY, now - _DAY)))


def context(file: str) -> ssl.SSLContext:
    """What a server shows."""
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    found.load_cert_chain(file)
    return found


def _server(path: Path, by: EllipticCurvePrivateKey, valid: tuple[datetime, datetime]) -> str:
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    signed = _signed(name, key, by, valid, x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + signed.public_bytes(Encoding.PEM))
    return str(path)


def _signed(
    name: x509.Name,
    key: EllipticCurvePrivateKey,
    by: EllipticCurvePrivateKey,
    valid: tuple[datetime, datetime],
    extension: x509.ExtensionType,
) -> x509.Certificate:
    made = x509.CertificateBuilder().subject_name(name).issuer_name(_AUTHORITY).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(valid[0]).not_valid_after(valid[1])
    return made.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints)).sign(by, SHA256())
