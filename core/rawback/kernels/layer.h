/* One quality layer of a tile: where its bands lie, and what is known before it is coded. */
#ifndef RAWBACK_LAYER_H
#define RAWBACK_LAYER_H

#include "binary_models.h"

#define BANDS 16
#define MOST_PLANES 16
#define BORDER 2 /* zeros around each plane */

/* Kinds of bands: high-pass along x, along y, along both, along none. */
#define KINDS 4
#define PLACES 11 /* the low band, and two of each level: high-pass along one axis, along both */
#define DETAILS 12 /* classes of the base's own coefficient */

typedef struct {
    int level, high_x, high_y, kind, place;
    int64_t rows, columns;
    int64_t start;     /* of plane 0 in arrays of four planes; a fourth of it in arrays of one */
    int64_t bordered;  /* of plane 0 in arrays with borders */
    int64_t pitch;     /* from row to row in those */
    int64_t plane;     /* from plane to plane in those */
} BandPlace;

static void place_bands(int64_t planes, int64_t height, int64_t width, BandPlace bands[BANDS]) {
    int64_t start = 0, bordered = 0;
    for (int i = 0; i < BANDS; i++) {
        BandPlace *band = bands + i;
        const int part = i ? (i - 1) % 3 : -1;
        band->level = i ? 5 - (i - 1) / 3 : 5;
        band->high_x = part == 0 || part == 2;
        band->high_y = part >= 1;
        int64_t rows = height, columns = width;
        for (int level = 1; level < band->level; level++) {
            rows = (rows + 1) / 2;
            columns = (columns + 1) / 2;
        }
        band->rows = band->high_y ? rows / 2 : (rows + 1) / 2;
        band->columns = band->high_x ? columns / 2 : (columns + 1) / 2;
        band->kind = i ? part : 3;
        band->place = i ? 2 * band->level - (part != 2) : 0;
        band->start = start;
        band->bordered = bordered;
        band->pitch = band->columns + 2 * BORDER;
        band->plane = (band->rows + 2 * BORDER) * band->pitch;
        start += planes * band->rows * band->columns;
        bordered += planes * band->plane;
    }
}

static int64_t all_indices(int64_t planes, const BandPlace *bands) {
    return bands[15].start + planes * bands[15].rows * bands[15].columns;
}

static int64_t all_bordered(int64_t planes, const BandPlace *bands) {
    return bands[15].bordered + planes * bands[15].plane;
}

/* Everything about the layer that one index after the other is coded with. */
typedef struct {
    RangeCoder coder;
    Curves curves;
    BandPlace bands[BANDS];
    int64_t planes;
    int refining;
    int32_t *indices;
    const uint8_t *regions;
    const uint16_t *noise;
    uint32_t *counters;
    int32_t *weights;
    uint16_t *sizes;  /* magnitudes in half steps, with borders */
    uint8_t *signs;   /* 0, 1 positive, 2 negative; with borders */
    uint8_t *details; /* class of the base's coefficient, and 128 where it is negative; with borders */
} Layer;

/* Classes of the base's coefficients, from their size in quarters of an octave. */
static void lay_details(const uint8_t *base, int64_t count, uint8_t least, uint8_t *restrict details) {
    for (int64_t x = 0; x < count; x++) {
        const uint8_t size = base[x] & 127;
        const uint8_t class = (uint8_t)(size < least ? 0 : size - least) >> 2;
        details[x] = (uint8_t)((class < DETAILS ? class : DETAILS - 1) | (base[x] & 128));
    }
}

/* Magnitudes and signs in the layer before; `halves` of the indices are of that. */
static void lay_indices(const int32_t *indices, int64_t count, int halves, uint16_t *restrict sizes,
                        uint8_t *restrict signs) {
    for (int64_t x = 0; x < count; x++) {
        const int32_t index = indices[x];
        const uint32_t magnitude = (uint32_t)(index < 0 ? -index : index) >> halves;
        sizes[x] = (uint16_t)((magnitude < 127 ? 4 * magnitude : 4 * 127) + (magnitude ? 2 : 0));
        signs[x] = (uint8_t)(magnitude ? 1 + (index < 0) : 0);
    }
}

/* Lay out what is known before the layer: indices of the layer before, and the base's. */
static void lay_out(Layer *layer, int decoding, const uint8_t *base, const ReadI32 *steps) {
    const int64_t size = all_bordered(layer->planes, layer->bands);
    memset(layer->sizes, 0, (size_t)size * sizeof *layer->sizes);
    memset(layer->signs, 0, (size_t)size);
    memset(layer->details, 0, (size_t)size);
    for (int number = 0; number < BANDS; number++) {
        const BandPlace *band = layer->bands + number;
        for (int64_t row = 0; row < layer->planes * band->rows; row++) {
            const int64_t plane = row / band->rows, y = row % band->rows;
            const int32_t step = steps->data[number * steps->stride[0] + plane];
            const uint8_t least = (uint8_t)clamp(quarter_octaves(step) - 12, 1, 127);
            const int64_t from = band->start + row * band->columns;
            const int64_t to =
                band->bordered + plane * band->plane + (y + BORDER) * band->pitch + BORDER;
            lay_details(base + from, band->columns, least, layer->details + to);
            if (layer->refining)
                lay_indices(layer->indices + from, band->columns, !decoding, layer->sizes + to,
                            layer->signs + to);
        }
    }
}

#endif
