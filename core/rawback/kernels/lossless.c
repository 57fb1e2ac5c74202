/* The lossless layer of a tile: every sample, given what is restored below it. FORMAT.md describes
   it.

   Samples are coded row by row. Each is predicted from what is restored and, linearly, from the
   errors of that at the samples coded before, and from how the restored picture bends; the weights,
   fitted to the frame, are apart for channels and for how large the errors around are. What is coded
   is the difference of the sample's code index to the predicted one: in units of about the error
   that is to be expected, in a chain of decisions, each expected by four counters together, and
   then what is left below the unit. */
#include <string.h>

#include "binary_models.h"

#define FEATURES 24
#define CLASSES 8
#define INPUTS 4
#define PACE 12 /* how fast weights follow, in 1/16 */
#define NODES 29   /* above 0?; above 1 to 14?; below 0 to -13? */
#define CHAIN 15
#define SPREADS 40 /* half octaves */
#define COARSE 13  /* from this spread on units are of several code indices */
#define OCTAVES 16
#define REGIONS 5
#define FARTHEST_ERROR 1023
#define BORDER 6
#define CHANNELS 4
#define LOWS 15
#define SECOND_LOW 4 /* behind four classes of the first of the low bits */
#define REPEATS 64

/* Where the counters of each context begin. */
enum {
    CONTEXT_0 = 0,
    CONTEXT_1 = CONTEXT_0 + SPREADS * 8 * NODES,
    CONTEXT_2 = CONTEXT_1 + OCTAVES * OCTAVES * NODES,
    CONTEXT_3 = CONTEXT_2 + OCTAVES * REGIONS * 2 * 4 * NODES,
    LOW = CONTEXT_3 + OCTAVES * SPREADS * NODES,
    GOLOMB = LOW + SPREADS * LOWS * (SECOND_LOW + 1),
    COUNTERS = GOLOMB + 2 * 16
};

enum { BY_NODE = 0, BY_SPREAD = NODES, WEIGHT_SETS = NODES + SPREADS };

/* Twice the binary logarithm of a number, plus 1, rounded down; 0 for 0. */
static inline int half_octaves(uint32_t value) {
    const int octave = 31 - __builtin_clz(value | 1);
    return 2 * octave + (int)(2 * value >> octave & 1) + (value > 0);
}

static inline int octaves(uint32_t value) {
    const int found = half_octaves(value);
    return found < OCTAVES ? found : OCTAVES - 1;
}

static inline int32_t near(int64_t value) {
    return (int32_t)clamp(value, -FARTHEST_ERROR, FARTHEST_ERROR);
}

static inline uint32_t size(int32_t value) { return (uint32_t)(value < 0 ? -value : value); }

/* What coding a tile needs; arrays with a border of BORDER samples on each side. */
typedef struct {
    Curves curves;
    uint32_t *counters;
    int32_t *mixing; /* INPUTS weights for each set */
    int64_t pitch;
    const int32_t *restored;
    int16_t *errors;      /* of what is restored */
    uint16_t *surprises;  /* magnitudes of errors of the predictions */
    uint32_t repeats[2 * REPEATS]; /* counters of whether a pixel repeats another */
} Tile;

/* What the prediction of one sample is made of. In mosaics the next sample of the same colour is two
   pixels away, in linear frames, whose pixels have three samples, it is one. */
static inline void gather(const Tile *t, int linear, int64_t at, int32_t features[FEATURES]) {
    const int16_t *e = t->errors + at;
    const int32_t *r = t->restored + at;
    const int64_t up = -t->pitch;
    const int32_t twice = 2 * r[0];
    if (linear) {
        const int32_t found[FEATURES] = {
            e[-3], e[-6], e[-1], e[-2],
            e[up - 4], e[up - 3], e[up], e[up + 3], e[up + 2],
            e[up - 1], e[up + 1], e[2 * up], e[2 * up - 1], e[up - 5],
            e[-4], e[-5],
            near(r[-3] + r[3] - twice), near(r[up] + r[-up] - twice),
            near(r[up - 3] + r[-up + 3] - twice), near(r[up + 3] + r[-up - 3] - twice),
            near(2 * r[-3] - r[-6] - r[0]), near(2 * r[3] - r[0] - r[6]),
            near(2 * r[-1] - r[-4] - r[2]), near(2 * r[-1] - r[up - 1] - r[-up - 1]),
        };
        memcpy(features, found, sizeof found);
        return;
    }
    const int32_t found[FEATURES] = {
        e[-1], e[-2], e[-3], e[-4],
        e[up - 2], e[up - 1], e[up], e[up + 1], e[up + 2],
        e[2 * up - 2], e[2 * up - 1], e[2 * up], e[2 * up + 1], e[2 * up + 2],
        e[3 * up], e[4 * up],
        near(r[-2] + r[2] - twice), near(r[2 * up] + r[-2 * up] - twice),
        near(r[2 * up - 2] + r[-2 * up + 2] - twice), near(r[2 * up + 2] + r[-2 * up - 2] - twice),
        near(2 * r[-1] - r[-3] - r[1]), near(2 * r[1] - r[-1] - r[3]),
        near(2 * r[up] - r[3 * up] - r[-up]), near(2 * r[-up] - r[up] - r[-3 * up]),
    };
    memcpy(features, found, sizeof found);
}

/* Which weights predict a sample: by how large the errors around are. In linear frames that is told
   only roughly, but apart for odd and even rows and columns of pixels: where a mosaic was made into a
   linear frame, pixels remember which of their samples were measured. */
static inline int weight_class(const int32_t f[FEATURES], int linear, int parity) {
    const uint32_t sum = size(f[0]) + size(f[1]) + size(f[5]) + size(f[6]) + size(f[7]) + size(f[11]);
    if (linear) return 2 * parity + (sum >= 150);
    return (sum >= 60) + (sum >= 90) + (sum >= 130) + (sum >= 200) + (sum >= 400) + (sum >= 900) +
           (sum >= 1800);
}

static inline int32_t predicted(const int32_t f[FEATURES], const int32_t weights[FEATURES]) {
    int32_t sum = 128;
    for (int i = 0; i < FEATURES; i++) sum += weights[i] * f[i];
    return sum >> 8;
}

/* Code a code index, `wanted` when encoding, `eighths` being the predicted one in 1/8. `width` is how
   much eight code indices are in the domain. */
static inline int64_t code_sample(const Tile *t, RangeCoder *coder, int decoding, int linear,
                                  int64_t at, int region, int green, int parity,
                                  int32_t eighths, int32_t width, int64_t wanted) {
    const uint16_t *s = t->surprises + at;
    const int32_t *r = t->restored + at;
    const int64_t up = -t->pitch;
    const int64_t by = linear ? 3 : 1;                                        /* the next pixel */
    const int64_t alike = linear ? 3 : 2, alike_up = linear ? up : 2 * up; /* of this colour */
    const uint32_t sum = 3u * s[-by] + 2u * s[-2 * by] + s[up - by] + 3u * s[up] + s[up + by] +
                         2u * s[2 * up] + s[up - 2 * by] + s[up + 2 * by] + s[2 * up - by] +
                         s[2 * up + by];
    const int spread =
        (int)clamp(half_octaves((sum + 12) * 32 / (uint32_t)width) - 2, 0, SPREADS - 1);
    const int shift = spread < COARSE ? 0 : (spread - COARSE) / 2 + 1;
    const int fraction = (eighths >> shift) & 7;
    const int64_t base = eighths >> (3 + shift), target = (wanted >> shift) - base;
    const int across = octaves((s[-by] + s[-2 * by] + 1u) / 2);
    const int down = octaves((s[up] + s[2 * up] + 1u) / 2);
    const int light = octaves((uint32_t)clamp(r[0], 0, 32767) >> 4);
    const int bend = octaves(size(r[-alike] - r[alike]) + size(r[alike_up] - r[-alike_up]));
    const int starts[INPUTS] = {
        CONTEXT_0 + (spread * 8 + fraction) * NODES,
        CONTEXT_1 + (across * OCTAVES + down) * NODES,
        CONTEXT_2 + (((light * REGIONS + region) * 2 + green) * 4 +
                     (linear ? parity : fraction >> 1)) * NODES,
        CONTEXT_3 + (bend * SPREADS + spread) * NODES,
    };
    /* These weights are the same for all decisions of the sample, which learn from each other only
       after it, so that none waits for the one before. */
    int32_t *weights = t->mixing + (BY_SPREAD + spread) * INPUTS;
    const Lanes by_spread = lanes_at(weights);
    Lanes change = {0};
    uint32_t *counters[INPUTS];
#define DECIDE(node, bit) \
    for (int i = 0; i < INPUTS; i++) counters[i] = t->counters + starts[i] + (node); \
    yes = code_mixed(coder, decoding, &t->curves, PACE, INPUTS / LANES, counters, \
                     t->mixing + (BY_NODE + (node)) * INPUTS, &by_spread, &change, (bit))
    int yes;
    DECIDE(0, target > 0);
    const int above = yes;
    /* Above: 1, 2, ...; else 0, -1, ... */
    int64_t steps = 1;
    while (steps < CHAIN) {
        const int node = (int)steps + (above ? 0 : CHAIN - 1);
        DECIDE(node, above ? target > steps : 1 - target > steps);
        if (!yes) break;
        steps++;
    }
#undef DECIDE
    put_lanes(weights, limited_weights(by_spread + change));
    if (steps == CHAIN)
        steps += code_golomb(coder, decoding, &t->curves, t->counters + GOLOMB + above * 16,
                             (uint32_t)clamp((above ? target : 1 - target) - CHAIN, 0, 1 << 16));
    const int64_t difference = above ? steps : 1 - steps;
    const int place = (int)clamp(difference + LOWS / 2, 0, LOWS - 1);
    /* Below the unit, two bits are expected by a counter each, and the others even. */
    const int even = shift > 2 ? shift - 2 : 0;
    int64_t low = 0;
    for (int bit = shift - 1; bit >= even; bit--) {
        const int which = bit == shift - 1 ? fraction >> 1 : SECOND_LOW;
        uint32_t *counter = t->counters + LOW + (spread * LOWS + place) * (SECOND_LOW + 1) + which;
        low = low << 1 | code_single(coder, decoding, &t->curves, counter, wanted >> bit & 1);
    }
    if (even) low = low << even | code_even(coder, decoding, even, (uint32_t)wanted);
    return (base + difference) * ((int64_t)1 << shift) + low;
}

/* Whether two pixels of a linear frame have the same samples. */
static inline int same(const int32_t *one, const int32_t *other) {
    return one[0] == other[0] && one[1] == other[1] && one[2] == other[2];
}

typedef struct {
    int repeating; /* whether pixels that repeat others are coded as such */
    const ReadU8 *regions, *channels, *greens;
    int64_t cell, across; /* rows, and samples of a row, of a cell */
    const ReadI32 *values, *firsts, *eighths, *widths, *weights;
} Frame;

/* Code which pixel the one at row y, column x of the samples repeats: the one before it (1), the one
   above (2), or neither (0). What is known of it is which of the pixels around are the same. */
static inline int code_repeat(Tile *t, RangeCoder *coder, int decoding, const WriteI32 *indices,
                              int64_t y, int64_t x) {
    const int64_t stride = indices->stride[0];
    const int32_t *here = indices->data + y * stride + x, *above = here - stride;
    const int left = x >= 3, up = y > 0;
    const int alike = left && up && same(here - 3, above);
    const int known = alike | (left && up && same(here - 3, above - 3)) << 1 |
                      (left && up && same(above, above - 3)) << 2 |
                      (up && x + 3 < indices->size[1] && same(above, above + 3)) << 3 |
                      (x >= 6 && same(here - 3, here - 6)) << 4 |
                      (y > 1 && same(above, above - stride)) << 5;
    uint32_t *counters = t->repeats + 2 * known;
    if (left &&
        code_single(coder, decoding, &t->curves, counters, !decoding && same(here, here - 3)))
        return 1;
    if (up && !alike &&
        code_single(coder, decoding, &t->curves, counters + 1, !decoding && same(here, above)))
        return 2;
    return 0;
}

/* Code whether the pixel of a linear frame at row y, column x of the samples repeats another; take its
   samples from there if so. */
static inline int repeated(Tile *t, RangeCoder *coder, int decoding, const Frame *f,
                           const WriteI32 *indices, int64_t y, int64_t x) {
    const int repeat = code_repeat(t, coder, decoding, indices, y, x);
    if (!repeat) return 0;
    int32_t *here = indices->data + y * indices->stride[0] + x;
    const int32_t *from = repeat == 1 ? here - 3 : here - indices->stride[0];
    for (int channel = 0; channel < 3; channel++) {
        const int64_t at = (y + BORDER) * t->pitch + x + channel + BORDER;
        const int32_t index = (int32_t)clamp(from[channel], 0, f->values->size[1] - 1);
        if (decoding) here[channel] = index;
        const int32_t value = f->values->data[channel * f->values->stride[0] + index];
        t->errors[at] = (int16_t)near((int64_t)value - t->restored[at]);
        t->surprises[at] = 0;
    }
    return 1;
}

/* Place of a domain value among a channel's code indices, in 1/8. */
static inline int32_t eighths_at(const Frame *f, int channel, int32_t value) {
    const int64_t places = f->eighths->size[1], codes = f->values->size[1];
    const int64_t place = clamp((int64_t)value - f->firsts->data[channel], 0, places - 1);
    return (int32_t)clamp(f->eighths->data[channel * f->eighths->stride[0] + place], 0,
                          8 * codes - 1);
}

static inline void code_tile(Tile *t, RangeCoder *given, int decoding, int linear,
                             const Frame *f, const WriteI32 *indices) {
    const int64_t rows = indices->size[0], columns = indices->size[1];
    const int64_t codes = f->values->size[1];
    const int64_t across = linear ? 3 : f->across;
    const int64_t repeat = f->channels->size[1];
    RangeCoder coder = *given; /* in registers meanwhile */
    for (int64_t y = 0; y < rows; y++) {
        int32_t *line = indices->data + y * indices->stride[0];
        const uint8_t *regions = f->regions->data + y / f->cell * f->regions->stride[0];
        const uint8_t *pattern =
            f->channels->data + y % f->channels->size[0] * f->channels->stride[0];
        int64_t phase = 0, left = across; /* in the pattern; of the cell */
        for (int64_t x = 0; x < columns; x++) {
            if (linear && f->repeating && phase == 0 &&
                repeated(t, &coder, decoding, f, indices, y, x)) {
                regions++;
                x += 2;
                continue;
            }
            const int region = (int)clamp(*regions, 0, REGIONS - 1);
            if (--left == 0) {
                left = across;
                regions++;
            }
            const int channel = (int)clamp(pattern[phase], 0, f->values->size[0] - 1);
            phase = phase + 1 < repeat ? phase + 1 : 0;
            const int parity = (int)((y & 1) * 2 + (x / 3 & 1)); /* of a linear frame's pixel */
            const int64_t at = (y + BORDER) * t->pitch + x + BORDER;
            /* Of the restored value, as that of the predicted one would have to be waited for. */
            const int32_t width = f->widths->data[channel * f->widths->stride[0] +
                                                  (eighths_at(f, channel, t->restored[at]) >> 3)];
            int32_t features[FEATURES];
            gather(t, linear, at, features);
            const int32_t *weights = f->weights->data +
                                     weight_class(features, linear, parity) * f->weights->stride[0] +
                                     channel * f->weights->stride[1];
            const int32_t guess = t->restored[at] + predicted(features, weights);
            const int64_t coded = code_sample(
                t, &coder, decoding, linear, at, region, f->greens->data[channel] != 0, parity,
                eighths_at(f, channel, guess), width < 1 ? 1 : width, line[x]);
            const int64_t index = clamp(decoding ? coded : line[x], 0, codes - 1);
            if (decoding) line[x] = (int32_t)index;
            const int32_t value = f->values->data[channel * f->values->stride[0] + index];
            t->errors[at] = (int16_t)near((int64_t)value - t->restored[at]);
            t->surprises[at] = (uint16_t)size(near((int64_t)value - guess));
        }
    }
    *given = coder;
}

/* Where a place beyond an array's ends is taken from: the same place of the first or last cell. */
static inline int64_t within(int64_t at, int64_t size, int64_t cell) {
    if (at < 0) return ((at % cell) + cell) % cell;
    return at < size ? at : size - cell + at % cell;
}

/* The restored mosaic with its border. */
static void frame_mosaic(const ReadI32 *restored, int64_t cell, int64_t across, int32_t *framed,
                         int64_t pitch) {
    const int64_t rows = restored->size[0], columns = restored->size[1];
    for (int64_t y = -BORDER; y < rows + BORDER; y++) {
        const int64_t from = within(y, rows, cell);
        for (int64_t x = -BORDER; x < columns + BORDER; x++) {
            const int64_t column = within(x, columns, across);
            framed[(y + BORDER) * pitch + x + BORDER] =
                (int32_t)clamp(restored->data[from * restored->stride[0] + column], -32767, 32767);
        }
    }
}

/* Code the samples of a tile of whole cells: cell x cell of a mosaic, three of a linear frame.

   decoding   0: write `indices`; 1: read them
   repeating  whether pixels of a linear frame that repeat others are coded as such
   bytes      the section
   indices    [rows, columns]: each sample's place among the sensor's codes
   restored   [rows, columns]: what is restored below, in the noise-normalised domain
   regions    [rows / cell, ...]: class of each cell
   channels   [p, q]: of each sample from the tile's corner on, repeated
   cell       rows of a cell: 2 to 4, or 1 where a pixel has three samples
   greens     [n]: whether a channel is green
   values     [n, codes]: domain value of each code in each channel
   firsts, eighths   [n], [n, m]: a domain value, and the code indices in 1/8 of it and those after
   widths     [n, codes]: domain values per eight codes around each
   weights    [8, n, 24] in 1/256, magnitudes at most 2047: by class and channel
   stretch, squash, rate     the stored curves
   counters, mixing          what the tile begins with; they learn
   errors, surprises, framed room to work in: (rows + 12) x (columns + 12) each

   Returns the bytes written, more than there are where they do not fit; 0 when decoding. */
KERNEL rawback_code_lossless(int64_t decoding, int64_t repeating, const WriteU8 *bytes,
                             const WriteI32 *indices,
                             const ReadI32 *restored, const ReadU8 *regions,
                             const ReadU8 *channels, int64_t cell, const ReadU8 *greens,
                             const ReadI32 *values, const ReadI32 *firsts, const ReadI32 *eighths,
                             const ReadI32 *widths, const ReadI32 *weights, const ReadI16 *stretch,
                             const ReadU16 *squash, const ReadU32 *rate, const WriteU32 *counters,
                             const WriteI32 *mixing, const WriteI16 *errors,
                             const WriteU16 *surprises, const WriteI32 *framed) {
    const int64_t rows = indices->size[0], columns = indices->size[1];
    REQUIRE(cell >= 1 && cell <= 4);
    const int64_t across = cell == 1 ? 3 : cell;
    REQUIRE(rows > 0 && columns > 0 && rows % cell == 0 && columns % across == 0);
    REQUIRE(restored->size[0] == rows && restored->size[1] == columns);
    REQUIRE(regions->size[0] == rows / cell && regions->size[1] == columns / across);
    REQUIRE(channels->size[0] > 0 && channels->size[1] > 0);
    const int64_t count = values->size[0];
    REQUIRE(count > 0 && count <= CHANNELS && greens->size[0] == count && firsts->size[0] == count);
    REQUIRE(eighths->size[0] == count && widths->size[0] == count);
    REQUIRE(values->size[1] > 0 && values->size[1] <= 1 << 16 && eighths->size[1] > 0);
    REQUIRE(widths->size[1] == values->size[1]);
    REQUIRE(weights->size[0] == CLASSES && weights->size[1] == count);
    REQUIRE(weights->size[2] == FEATURES);
    REQUIRE(stretch->size[0] == CURVE && squash->size[0] == CURVE && rate->size[0] == RATES);
    REQUIRE(counters->size[0] == COUNTERS);
    REQUIRE(mixing->size[0] == WEIGHT_SETS && mixing->size[1] == INPUTS &&
            mixing->stride[0] == INPUTS);
    const int64_t pitch = columns + 2 * BORDER, room = (rows + 2 * BORDER) * pitch;
    REQUIRE(errors->size[0] >= room && surprises->size[0] >= room && framed->size[0] >= room);
    memset(errors->data, 0, (size_t)room * sizeof *errors->data);
    memset(surprises->data, 0, (size_t)room * sizeof *surprises->data);
    frame_mosaic(restored, cell, across, framed->data, pitch);
    Tile tile = {
        .curves = {stretch->data, squash->data, rate->data},
        .counters = counters->data,
        .mixing = mixing->data,
        .pitch = pitch,
        .restored = framed->data,
        .errors = errors->data,
        .surprises = surprises->data,
    };
    for (int i = 0; i < 2 * REPEATS; i++) tile.repeats[i] = 1u << 31;
    const Frame frame = {.repeating = repeating != 0, .regions = regions, .channels = channels,
                         .greens = greens, .cell = cell, .across = across, .values = values,
                         .firsts = firsts, .eighths = eighths, .widths = widths,
                         .weights = weights};
    RangeCoder coder = decoding ? range_decoder(bytes->data, bytes->size[0])
                                : range_encoder(bytes->data, bytes->size[0]);
    if (decoding && cell == 1) code_tile(&tile, &coder, 1, 1, &frame, indices);
    if (decoding && cell > 1) code_tile(&tile, &coder, 1, 0, &frame, indices);
    if (!decoding && cell == 1) code_tile(&tile, &coder, 0, 1, &frame, indices);
    if (!decoding && cell > 1) code_tile(&tile, &coder, 0, 0, &frame, indices);
    return decoding ? 0 : finish(&coder);
}

/* How many counters (0) or sets of weights (1) a tile's lossless layer has. */
KERNEL rawback_lossless_model(int64_t what) { return what ? WEIGHT_SETS : COUNTERS; }
