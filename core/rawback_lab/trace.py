"""Follow one sample from the raw to the payload and back, printing what each function makes of it.

::

    python -m rawback_lab.trace assets/sample.dng assets/sample.jpg [ROW COLUMN]

The figures in core/docs/architecture.md are what this prints for the sample pair.
"""

from __future__ import annotations

import sys
from pathlib import Path

from rawback import container, decoder, encoder, jpegio, rawio
from rawback.bitstream import unpack
from rawback.common.prediction import pointwise, predict
from rawback.common.tiles import Window
from rawback.encoder.sampling import tile_coefficients
from rawback.rate import Rate, step_of_quality
from rawback.residual import RegionClass, bands

QUALITY = 60


def trace(raw: str, jpeg: str, row: int, column: int) -> None:
    """Print the sample's way."""
    frame = rawio.read_raw(raw)
    carrier = jpegio.decode_jpeg(Path(jpeg).read_bytes())
    print(f"read_raw          {frame.width} x {frame.height} {frame.pattern}")
    print(f"                  sample {frame.cfa[row, column]}, black {frame.black[0]:g}")
    session = encoder.prepare(frame, carrier, use="never")
    source, analysis = session.source, session.analysis(0)
    print(f"register          {type(session.geometry.transform).__name__}")
    print(f"build_guide       RGB {tuple(map(int, session.guide.pixels[row, column]))}")

    quad = row // 2, column // 2
    position = 2 * (row % 2) + column % 2
    at = (position, *quad)
    print(f"to_planes         plane {position}, quad {quad}: {source.planes[at]} / 16 sigma")
    window = Window(quad[0], quad[1], quad[0] + 1, quad[1] + 1)
    colours, classes = pointwise(analysis.base, source.guides, window)
    centre = colours[:, 2 + row % 2, 2 + column % 2]
    print(f"pointwise         {tuple(map(int, centre))}, {RegionClass(int(classes[0, 0])).name}")
    predicted = int(predict(analysis.base, source.guides, window).planes[position, 0, 0])
    print(f"predict           {predicted}, so {source.planes[at] - predicted} is left")

    step = step_of_quality(QUALITY)
    if step is None:
        raise SystemExit
    band = next(iter(bands()))
    tile = next(tile for tile in source.grid.tiles() if tile.overlaps(window))
    place = (quad[0] - tile.top) >> band.level, (quad[1] - tile.left) >> band.level
    coefficients = tile_coefficients(analysis.coefficients, source.grid, tile)
    coefficient = coefficients[band][(slice(None), *place)]
    index = analysis.quantisers.at(step).indices(coefficients)[band][(slice(None), *place)]
    print(f"analyse           level {band.level}: {[round(float(c), 1) for c in coefficient]}")
    print(f"RdQuantiser       step code {step}: {index.tolist()}")

    encoded = session.encode(Rate.quality(QUALITY))
    print(f"PayloadBuilder    {len(unpack(encoded.payload).sections)} sections")
    file = container.CarrierFile.parse(Path(jpeg).read_bytes())
    carried = file.with_payload(encoded.payload)
    print(f"pack              {len(encoded.payload)} bytes")
    print(f"with_payload      {len(carried) - len(file.bare)} bytes more than the JPEG")

    payload = unpack(container.CarrierFile.parse(carried).payload())
    restored = decoder.restore(payload, carrier).frame
    print(f"restore           sample {restored.cfa[row, column]}")


if __name__ == "__main__":
    _, raw_path, jpeg_path, *rest = sys.argv
    trace(raw_path, jpeg_path, *(map(int, rest) if rest else (300, 500)))
