"""Recorded calls of kernels give the same when they are called again, elsewhere compiled."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest

import rawback
from rawback_lab.reliability.replay import Recorder, compiled, replayed

GOLDEN = Path(__file__).parents[1] / "golden"

pytestmark = pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="runs what it compiles"
)


def test_recorded_calls_give_the_same_again(tmp_path: Path) -> None:
    record = tmp_path / "calls"
    recorder = Recorder(record, 3)
    with recorder.recording():
        rawback.restore(GOLDEN / "lossless.jpg", output=tmp_path / "restored.dng")
    assert {"code_layer", "code_lossless", "linear_filter"} <= set(recorder.names)
    assert max(recorder.counts.values()) == 3
    program = compiled(tmp_path, recorder.names, "x86_64-linux-musl")
    calls = recorder.counts.total()
    assert replayed(program, record) == f"{calls} calls, 0 of them differ\n"

    changed = bytearray(record.read_bytes())
    changed[-9] ^= 1
    record.write_bytes(changed)
    assert replayed(program, record).endswith(f"{calls} calls, 1 of them differ\n")
