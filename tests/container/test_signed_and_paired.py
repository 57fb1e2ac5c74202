"""JPEGs with more than one picture, and signed ones, with the libraries that make them."""

from __future__ import annotations

import datetime
import io
import json
from functools import cache
from typing import TYPE_CHECKING

import c2pa
import imagecodecs
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

import rawback
from rawback.container import embed_payload, extract_payload, is_signed, remove_payload

if TYPE_CHECKING:
    from numpy.typing import NDArray

Shot = tuple[bytes, bytes]
COARSE = rawback.Rate.quality(20)
CAPTURED = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
ACTIONS = {"actions": [{"action": "c2pa.created", "digitalSourceType": CAPTURED}]}
MANIFEST = json.dumps(
    {
        "claim_generator_info": [{"name": "a test"}],
        "title": "a picture",
        "assertions": [{"label": "c2pa.actions.v2", "data": ACTIONS}],
    }
)


def certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name | None,
    issuer_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    """A certificate as C2PA wants them (14.5.1): an authority's where it has no issuer."""
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "tests"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    authority = issuer is None
    start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    usage = dict.fromkeys(
        (
            *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
            *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
        ),
        False,
    ) | {"key_cert_sign" if authority else "digital_signature": True}
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if not authority:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purpose, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


@cache
def signer_info() -> c2pa.C2paSignerInfo:
    """A key of the test's own, and the chain above it."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = certificate("a root", root_key, None, root_key)
    leaf = certificate("a camera", key, root.subject, root_key)
    pem = serialization.Encoding.PEM
    chain = leaf.public_bytes(pem) + root.public_bytes(pem)
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return c2pa.C2paSignerInfo(alg=b"es256", sign_cert=chain, private_key=private, ta_url=None)


def signed(jpeg: bytes) -> bytes:
    made = io.BytesIO()
    with c2pa.Signer.from_info(signer_info()) as signer, c2pa.Builder(MANIFEST) as builder:
        builder.sign(signer, "image/jpeg", io.BytesIO(jpeg), made)
    return made.getvalue()


def failures(jpeg: bytes) -> set[str]:
    """What a C2PA reader finds wrong, but for that it never heard of the test's authority."""
    with c2pa.Reader("image/jpeg", io.BytesIO(jpeg)) as reader:
        told = json.loads(reader.json())
    codes = {item["code"] for item in told.get("validation_status", [])}
    return codes - {"signingCredential.untrusted"}


def test_signed_after_embedding_it_validates_and_restores(shot: Shot) -> None:
    carrier, _ = rawback.embed_bytes(*shot, rate=rawback.Rate.lossless())
    jpeg = signed(carrier)
    assert failures(jpeg) == set()
    assert is_signed(jpeg)
    assert rawback.verify(jpeg).status == "intact"
    restored, result = rawback.restore_bytes(jpeg)
    assert result.exact
    assert restored == rawback.restore_bytes(carrier)[0]
    assert extract_payload(jpeg) == extract_payload(carrier)


def test_a_signed_jpeg_is_refused_unless_forced(shot: Shot) -> None:
    raw, jpeg = shot
    jpeg = signed(jpeg)
    assert failures(jpeg) == set()
    with pytest.raises(rawback.SignedCarrier, match="sign"):
        rawback.embed_bytes(raw, jpeg, rate=COARSE)
    carrier, _ = rawback.embed_bytes(raw, jpeg, rate=COARSE, force=True)
    assert "assertion.dataHash.mismatch" in failures(carrier)
    assert rawback.verify(carrier).intact
    assert rawback.strip_bytes(carrier) == jpeg
    assert failures(rawback.strip_bytes(carrier)) == set()


def test_taking_a_signed_payload_out_breaks_the_signature_and_nothing_else(shot: Shot) -> None:
    carrier, _ = rawback.embed_bytes(*shot, rate=COARSE)
    bare = rawback.strip_bytes(signed(carrier))
    assert "assertion.dataHash.mismatch" in failures(bare)
    assert is_signed(bare)


@cache
def ultra_hdr() -> bytes:
    """A picture with a gain map, by libultrahdr."""
    y, x = np.mgrid[:128, :192].astype(np.float32)
    light = np.stack([x / 192, y / 128, (x + y) / 320, np.ones_like(x)], axis=2)
    light[40:80, 60:120, :3] *= 4
    return with_gain_map(light)


def with_gain_map(light: NDArray[np.float32]) -> bytes:
    """Linear light, RGBA, as a JPEG with a gain map."""
    linear = imagecodecs.ULTRAHDR.CT.LINEAR
    return bytes(imagecodecs.ultrahdr_encode(light.astype(np.float16), transfer=linear))


def test_an_ultra_hdr_keeps_its_gain_map() -> None:
    plain = ultra_hdr()
    carried = embed_payload(plain, bytes(range(256)) * 1000)
    first = plain.index(b"\xff\xd9\xff\xd8\xff")
    assert carried.endswith(plain[first:])
    assert remove_payload(carried) == plain
    before, after = map(imagecodecs.ultrahdr_decode, (plain, carried))
    assert before.dtype == np.float16
    assert before.max() > 1.5
    assert np.array_equal(before, after)


def test_an_ultra_hdr_carries_its_raw(shot: Shot) -> None:
    """A gain map made for the shot's own JPEG: the picture, the map and the raw all come back."""
    from PIL import Image

    raw, jpeg = shot
    with Image.open(io.BytesIO(jpeg)) as image:
        pixels = np.asarray(image.convert("RGB"), np.float32) / 255
    light = np.concatenate([pixels**2.2 * 2, np.ones_like(pixels[..., :1])], axis=2)
    hdr = with_gain_map(light)
    carrier, result = rawback.embed_bytes(raw, hdr, rate=rawback.Rate.lossless(), verify=True)
    assert result.exact
    assert rawback.restore_bytes(carrier)[1].exact
    before, after = map(imagecodecs.ultrahdr_decode, (hdr, carrier))
    assert np.array_equal(before, after)
    assert rawback.strip_bytes(carrier) == hdr
