"""Stored carriers restore to the same samples, on every version and every kind of processor."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rawback.bitstream import Payload, SectionKind, unpack
from rawback.common.header_fields import geometry_of, samples_digest
from rawback.container import extract_payload
from rawback.decoder import decode
from rawback.geometry import Aligned, Warped
from rawback.jpegio import decode_jpeg
from rawback.mosaic import Mosaic
from rawback.residual import Pixels, read_code_values
from rawback.tone import Base, colour_histogram
from rawback_lab.reliability import machines

GOLDEN = Path(__file__).parents[1] / "golden"
DIGESTS: dict[str, Any] = json.loads((GOLDEN / "digests.json").read_text(encoding="utf-8"))

pytestmark = pytest.mark.golden


def payload_of(name: str) -> Payload:
    return unpack(extract_payload((GOLDEN / f"{name}.jpg").read_bytes()))


def kinds(name: str) -> set[int]:
    return {section.kind for section in payload_of(name).sections}


@pytest.mark.parametrize("name", sorted(DIGESTS))
def test_a_stored_carrier_restores_as_it_always_did(name: str) -> None:
    payload = payload_of(name)
    carrier = decode_jpeg((GOLDEN / f"{name}.jpg").read_bytes())
    told = [f"{s.kind}.{s.layer}.{s.tile}" for s in payload.sections]
    assert told == DIGESTS[name]["sections"]
    digest = samples_digest(decode(payload, carrier))
    assert digest.hex() == DIGESTS[name]["sha256"]
    assert payload.header.cfa_digest in (None, digest)


def test_the_stored_carriers_hold_all_that_a_payload_can() -> None:
    lossy = {
        SectionKind.BASE,
        SectionKind.FILTER,
        SectionKind.RESIDUAL,
        SectionKind.METADATA,
    }
    exact = {SectionKind.CODES, SectionKind.EXACT}
    assert kinds("lossy") == lossy
    assert kinds("lossless") >= exact
    assert kinds("warped") >= exact
    groups = {s.layer for s in payload_of("learned").sections if s.kind == SectionKind.LATENTS}
    assert groups == set(range(6))
    assert SectionKind.BORDER in kinds("bordered")
    assert kinds("bare") >= exact | {SectionKind.LATENTS}
    assert kinds("floats") >= exact | {SectionKind.REMAINDER, SectionKind.BORDER}
    codes = {s.layer: s.data for s in payload_of("interpolated").sections if s.kind == 5}
    assert len(read_code_values(codes[0], 12)) == 12
    assert codes[1][0] == Pixels.INTERPOLATED
    floats = [payload_of(name).header.floats for name in ("floats", "ratios")]
    assert floats == [(1, -15, 1), (0, 1, 1)]
    assert isinstance(geometry_of(payload_of("lossy").header).transform, Aligned)
    assert isinstance(geometry_of(payload_of("warped").header).transform, Warped)
    meshed = geometry_of(payload_of("meshed").header).transform
    assert isinstance(meshed, Warped)
    assert meshed.mesh is not None
    turned = geometry_of(payload_of("turned").header).transform
    assert isinstance(turned, Aligned)
    assert (turned.orientation, turned.dx, turned.dy) == (6, 9, 4)
    assert {s.tile for s in payload_of("tiled").sections} == {0, 1, 2}
    layers = {(s.layer, s.tile) for s in payload_of("sparse").sections if s.kind == 3}
    assert (0, 0) not in layers
    assert {(0, 1), (1, 0)} <= layers
    cropped = payload_of("cropped").header
    assert cropped.carrier_width < cropped.width
    patterns = {payload_of(name).header.pattern for name in DIGESTS}
    assert patterns >= {"GRBG", "GBRG", "BGGR", "R+G+B", "W", "GMCY", "RRGG/RRGG/GGBB/GGBB"}
    assert {Mosaic.parse(pattern).cell for pattern in patterns} == {1, 2, 3, 4}


def test_one_of_them_has_a_grid_of_gains() -> None:
    carrier = decode_jpeg((GOLDEN / "gains.jpg").read_bytes())
    payload = payload_of("gains")
    header = payload.header
    base = Base.from_pointwise_bytes(
        next(s.data for s in payload.sections if s.kind == SectionKind.BASE),
        Mosaic.parse("BGGR"),
        colour_histogram(carrier.pixels),
        (header.height, header.width),
    )
    assert base.spacing
    assert np.abs(base.gains).max() > 3


def _without(names: str) -> dict[str, str]:
    return {"OPENCV_CPU_DISABLE": names}


def _numpy_features() -> str:
    package = "numpy._core" if hasattr(np, "_core") else "numpy.core"
    module: Any = importlib.import_module(f"{package}._multiarray_umath")
    return " ".join(name for name in module.__cpu_dispatch__ if module.__cpu_features__.get(name))


@pytest.mark.slow
@pytest.mark.parametrize(
    "restriction",
    [("ONEDNN_MAX_CPU_ISA", level) for level in machines.ONEDNN]
    + [("ATEN_CPU_CAPABILITY", level) for level in machines.ATEN],
    ids="=".join,
)
def test_every_level_of_instructions_restores_the_same(restriction: tuple[str, str]) -> None:
    name, level = restriction
    found = machines.digests(("1", "2", "8"), {name: level})
    assert found == {name: {entry["sha256"]} for name, entry in DIGESTS.items()}


@pytest.mark.parametrize(
    ("threads", "restrictions"),
    [
        (1, {}),
        (
            2,
            {
                **_without("AVX512-SKX"),
                "ONEDNN_MAX_CPU_ISA": "AVX2",
                "RAWBACK_KERNELS": "avx2",
            },
        ),
        (
            4,
            {
                "ATEN_CPU_CAPABILITY": "default",
                "RAWBACK_KERNELS": "baseline",
                **_without("AVX2,AVX512-SKX,FP16"),
                "NPY_DISABLE_CPU_FEATURES": _numpy_features(),
            },
        ),
        (
            1,
            {
                **_without("SSE4.1,SSE4.2,AVX,FP16,AVX2,AVX512-SKX"),
                "NPY_DISABLE_CPU_FEATURES": _numpy_features(),
                "OMP_NUM_THREADS": "3",
                "ONEDNN_MAX_CPU_ISA": "SSE41",
                "ATEN_CPU_CAPABILITY": "default",
                "RAWBACK_KERNELS": "baseline",
                "JSIMD_FORCENONE": "1",
            },
        ),
    ],
    ids=["one thread", "no AVX-512", "no AVX2, four threads", "no SSE4"],
)
def test_every_processor_and_number_of_threads_restores_the_same(
    threads: int, restrictions: dict[str, str]
) -> None:
    found = machines.digests((str(threads),), restrictions)
    assert found == {name: {entry["sha256"]} for name, entry in DIGESTS.items()}
