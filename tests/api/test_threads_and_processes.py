"""Jobs side by side, in threads and in processes, give what they give one after another."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import textwrap
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import TypeAlias

import numpy as np
import pytest

import rawback
from rawback.parallel import threads

Shot: TypeAlias = tuple[bytes, bytes]

RATES = [
    rawback.Rate.quality(10),
    rawback.Rate.size(6000),
    rawback.Rate.lossless(),
]


def both_ways(shot: Shot, rate: rawback.Rate) -> tuple[bytes, bytes]:
    carrier, _ = rawback.embed_bytes(*shot, rate=rate)
    return carrier, rawback.restore_bytes(carrier)[0]


@pytest.fixture(scope="module")
def expected(shot: Shot) -> list[tuple[bytes, bytes]]:
    return [both_ways(shot, rate) for rate in RATES]


def test_threads_share_nothing(shot: Shot, expected: list[tuple[bytes, bytes]]) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda rate: both_ways(shot, rate), RATES * 2))
    assert found == expected * 2


def test_processes_are_independent(shot: Shot, expected: list[tuple[bytes, bytes]]) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        embedding = [pool.submit(rawback.embed_bytes, *shot, rate=rate) for rate in RATES]
        carriers = [job.result()[0] for job in embedding]
        restored = [dng for dng, _ in pool.map(rawback.restore_bytes, carriers)]
    assert list(zip(carriers, restored, strict=True)) == expected


def test_any_number_of_threads_restores_the_same(expected: list[tuple[bytes, bytes]]) -> None:
    try:
        for count in (1, 3):
            rawback.set_threads(count)
            assert threads() == count
            for carrier, dng in expected:
                assert rawback.restore_bytes(carrier)[0] == dng
    finally:
        rawback.set_threads(2)
    with pytest.raises(ValueError, match="at least 1"):
        rawback.set_threads(0)


def test_threads_that_start_together_load_the_networks_once() -> None:
    program = """
        from concurrent.futures import ThreadPoolExecutor
        from threading import Barrier
        from unittest.mock import patch

        import rawback
        from rawback.weights import stored

        together = Barrier(8)

        def made(_):
            together.wait()
            return rawback.Codec()

        with patch.object(stored, "read_weights", wraps=stored.read_weights) as read:
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(made, range(8)))
        assert read.call_count == 1, read.call_count
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True)


def test_a_codec_has_the_verbs_and_loads_nothing_later(shot: Shot) -> None:
    codec = rawback.Codec()
    carrier, result = codec.embed_bytes(*shot, rate=rawback.Rate.lossless())
    assert result.exact
    assert codec.restore_bytes(carrier)[1].exact
    assert codec.verify(carrier).intact
    program = f"""
        import sys
        import rawback

        codec = rawback.Codec()
        before = {{name for name in sys.modules if name.startswith(("rawback.", "torch", "cv2"))}}
        codec.restore_bytes(bytes.fromhex("{carrier.hex()}"))
        after = {{name for name in sys.modules if name.startswith(("rawback.", "torch", "cv2"))}}
        assert after == before, after - before
    """
    subprocess.run([sys.executable, "-"], input=textwrap.dedent(program), text=True, check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="what others tell is not known")
def test_the_peak_of_memory_is_that_of_the_process_itself() -> None:
    held = np.ones(40_000_000)
    program = "from rawback._api.progress import peak_memory; print(peak_memory())"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert 1 << 20 < int(done.stdout) < held.nbytes
