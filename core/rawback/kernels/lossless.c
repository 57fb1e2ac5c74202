/* The lossless layer of a tile: every sample, given what is restored below it. FORMAT.md describes
   it.

   Samples are coded row by row. Each is predicted from what is restored and, linearly, from the
   errors of that at the samples coded before, and from how the restored picture bends. The weights
   begin as fitted to the frame and follow each sample (normalised least mean squares: Widrow and
   Hoff, 1960). How far the prediction is likely to miss is, linearly too, told by how far those
   before did. What is coded is the difference of the sample's code index to the predicted one, in
   units of about a third of that: one symbol, under a distribution that learns, for each such
   distance, and below it bits that nothing is known of. */
#include "lossless_prediction.h"

#define REGIONS 5

#define CENTRE 15           /* the symbol of no difference */
#define LEAST_UNITS 4       /* 2^-16 that each symbol has at least */
#define TOTAL ((int32_t)((1 << UNIT_BITS) - LEAST_UNITS * SYMBOLS) << 6)
#define FINE 24             /* distances, in fourths of octaves, below which units are code indices */
#define MOST_SHIFT 11       /* units that have distributions of their own: of 2 to 2^11 indices */
#define DISTRIBUTIONS (FINE * 8 + MOST_SHIFT * 4 * 4) /* of a region class */
#define SLOWEST 11          /* distributions learn at 2^-11 at last */
#define MOST_SEEN ((1 << SLOWEST) - 8)

#define REACH 4 /* within how many distances of the first or last code index that is asked for */
#define END_CONTEXTS 32

/* Where the counters of each kind begin. */
enum { GOLOMB = 0, ENDS = GOLOMB + 4 * 16, COUNTERS = ENDS + 2 * END_CONTEXTS };

enum { REPEATING = 1, INTERPOLATED };

/* Of pixels of linear frames samples are coded in this order: the second one first, as it is green, which
   most tells of the others. */
static const int ORDER[3] = {1, 0, 2};
static const int64_t ASIDE[3] = {1, -1, 0}; /* from the place in that order to the stored one */

/* The frame, and what of it a tile's samples are. */
typedef struct {
    int repeating;    /* whether pixels that repeat others are coded as such */
    int interpolated; /* whether samples are looked for where demosaicing would have put them */
    int by_phase;     /* whether each channel has lists of codes for each phase */
    const ReadU8 *regions, *channels;
    int64_t cell, across; /* rows, and samples of a row, of a cell */
    const ReadI32 *values, *firsts, *eighths, *widths, *lengths, *codes, *below;
} Frame;

/* How many codes a list has. */
static inline int64_t length_of(const Frame *f, int64_t list) {
    return clamp(f->lengths->data[list], 1, f->values->size[1]);
}

/* Place of a domain value among a list's code indices, in 1/8. */
static inline int32_t eighths_at(const Frame *f, int64_t list, int32_t value) {
    const int64_t places = f->eighths->size[1];
    const int64_t place = clamp((int64_t)value - f->firsts->data[list], 0, places - 1);
    return (int32_t)clamp(f->eighths->data[list * f->eighths->stride[0] + place], 0,
                          8 * length_of(f, list) - 1);
}

/* Code a symbol under a distribution, which learns from it. */
static INLINE int code_symbol(RangeCoder *coder, int decoding, int32_t *begins, int32_t *seen,
                              int symbol) {
    const uint32_t unit = coder->range >> UNIT_BITS;
    if (decoding) {
        const int32_t wanted = (int32_t)(coder->code / unit);
        symbol = -1;
        for (int i = 0; i < SYMBOLS; i++) symbol += (begins[i] >> 6) + LEAST_UNITS * i <= wanted;
        symbol = limited(symbol, 0, SYMBOLS - 1);
    }
    const int32_t start = (begins[symbol] >> 6) + LEAST_UNITS * symbol;
    const int32_t end = symbol + 1 < SYMBOLS
                            ? (begins[symbol + 1] >> 6) + LEAST_UNITS * (symbol + 1)
                            : 1 << UNIT_BITS;
    narrow(coder, decoding, unit, (uint32_t)start, (uint32_t)(end - start));
    const int uses = limited(*seen, 0, MOST_SEEN);
    const int rate = 31 - __builtin_clz((uint32_t)uses + 8);
    *seen = uses + (uses < MOST_SEEN);
    for (int i = 0; i < SYMBOLS; i++)
        begins[i] += ((i > symbol ? TOTAL : 0) - begins[i] + (1 << (rate - 1))) >> rate;
    return symbol;
}

/* Code whether a sample is of the last code index, or else of the first, where that is near:
   sensors clip. Gives which, or -1. */
static INLINE int64_t code_end(const Tile *t, RangeCoder *coder, int decoding, const View *view,
                               const int32_t *values, int64_t codes, const int32_t *left,
                               const int32_t *above, int64_t wanted) {
    for (int first = 0; first < 2; first++) {
        const int64_t end = first ? 0 : codes - 1;
        const int64_t apart =
            first ? (int64_t)view->guess - values[0] : (int64_t)values[end] - view->guess;
        const int64_t scaled = apart * 256, distance = view->distance;
        if (scaled > REACH * distance) continue;
        const int nearness = (2 * scaled > -distance) + (scaled > 0) + (4 * scaled > distance) +
                             (2 * scaled > distance) + (scaled > distance) +
                             (scaled > 2 * distance);
        const int context = (nearness * 2 + (left && *left == end)) * 2 + (above && *above == end);
        uint32_t *counter = t->counters + ENDS + first * END_CONTEXTS + context;
        if (code_single(coder, decoding, &t->curves, counter, wanted == end)) return end;
    }
    return -1;
}

/* Code a code index, `wanted` when encoding, of a sample whose region class and list are given. */
static INLINE int64_t code_sample(const Tile *t, RangeCoder *coder, int decoding, const Frame *f,
                                  const View *view, int64_t at, int region, int64_t list,
                                  int64_t wanted) {
    const int32_t eighths = eighths_at(f, list, view->guess);
    /* At the restored value, as that of the predicted one would have to be waited for. */
    const int32_t width = f->widths->data[list * f->widths->stride[0] +
                                          (eighths_at(f, list, t->restored[at]) >> 3)];
    /* Fourths of octaves from 1/16 of a code index on. */
    const int64_t octaves = ((int64_t)view->logarithm - width - 5 * PER_OCTAVE) >> 4;
    const int level = 16 + (int)clamp(octaves, -16, 63);
    const int shift = level < FINE ? 0 : (level - FINE) / 4 + 1;
    const int fraction = (eighths >> shift) & 7;
    const int row = shift ? FINE * 8 + ((limited(shift, 1, MOST_SHIFT) - 1) * 4 + level % 4) * 4 +
                                fraction / 2
                          : level * 8 + fraction;
    const int number = region * DISTRIBUTIONS + row;
    const int64_t base = eighths >> (3 + shift), target = (wanted >> shift) - base;
    int64_t difference = clamp(target, -CENTRE, SYMBOLS - 1 - CENTRE);
    difference = code_symbol(coder, decoding, t->distributions[number], t->seen + number,
                             (int)difference + CENTRE) - CENTRE;
    const int below = difference == -CENTRE, above = difference == SYMBOLS - 1 - CENTRE;
    if (__builtin_expect(below || above, 0)) {
        uint32_t *counters = t->counters + GOLOMB + (2 * above + (shift > 0)) * 16;
        const int64_t more = above ? target - difference : difference - target;
        const int64_t beyond =
            code_golomb(coder, decoding, &t->curves, counters, (uint32_t)clamp(more, 0, 1 << 16));
        difference += above ? beyond : -beyond;
    }
    int64_t low = 0;
    if (shift) low = code_even(coder, decoding, shift, (uint32_t)wanted);
    return (base + difference) * ((int64_t)1 << shift) + low;
}

/* Whether two pixels of a linear frame have the same samples. */
static inline int same(const int32_t *one, const int32_t *other) {
    return one[0] == other[0] && one[1] == other[1] && one[2] == other[2];
}

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
    for (int place = 0; place < 3; place++) {
        const int channel = ORDER[place];
        const int64_t at = (y + BORDER) * t->pitch + x + place + BORDER;
        const int32_t index = (int32_t)clamp(from[channel], 0, length_of(f, channel) - 1);
        if (decoding) here[channel] = index;
        const int32_t value = f->values->data[channel * f->values->stride[0] + index];
        t->errors[at] = (int16_t)near((int64_t)value - t->restored[at]);
        t->surprises[at] = 0;
    }
    return 1;
}

/* Demosaicing puts a channel's difference to green halfway between those of the pixels on both sides. So
   where two pixels in a row or column are coded, the difference at the third is known, but for what was
   rounded; unless it was interpolated in the other direction.

   Of each row that is looked at: differences to green of both other channels, and, twice as many bytes
   on, which way they were found: not (0), down the column (1), along the row (2). */
typedef struct {
    int32_t *differences[3], *ways[3]; /* of this row, the one above and the one above that */
    int32_t green;
} Chroma;

static inline void next_row(Chroma *c, int32_t *room, int64_t y, int64_t columns) {
    const int64_t across = columns / 3 * 2;
    for (int row = 0; row < 3; row++) {
        c->differences[row] = room + (y + 3 - row) % 3 * 2 * across;
        c->ways[row] = c->differences[row] + across;
    }
}

/* Code whether a sample's code is about the one expected, within WINDOW codes, and if so, its index.
   Gives that, or -1. */
static INLINE int64_t code_expected(const Tile *t, RangeCoder *coder, int decoding, const Frame *f,
                                    int64_t list, int64_t expected, uint32_t *counter,
                                    uint32_t *offsets, int64_t wanted) {
    const int32_t *below = f->below->data + list * f->below->stride[0];
    const int32_t *codes = f->codes->data + list * f->codes->stride[0];
    const int64_t least = expected - WINDOW_BELOW, length = length_of(f, list);
    if (least < 0 || least + WINDOW > 65535) return -1;
    int64_t first = clamp(below[least], 0, length);
    const int64_t end = clamp(below[least + WINDOW], 0, length);
    if (first >= end) return -1;
    if (!code_single(coder, decoding, &t->curves, counter, wanted >= first && wanted < end)) return -1;
    for (; first + 1 < end; first++) {
        const int64_t offset = clamp(codes[first] - least, 0, WINDOW - 1);
        if (code_single(coder, decoding, &t->curves, offsets + offset, wanted == first)) break;
    }
    return first;
}

/* Code a sample of another colour than green, if it is where interpolation would have put it; give its
   index, or -1. */
static INLINE int64_t code_interpolated(Tile *t, RangeCoder *coder, int decoding, const Frame *f,
                                        Chroma *c, int64_t list, int64_t set, int64_t at, int64_t y,
                                        int64_t wanted, int32_t *way) {
    const int down = y >= 2, along = at >= 4;
    int64_t vertical = 0, horizontal = 0;
    if (down) vertical = c->green + 2 * (int64_t)c->differences[1][at] - c->differences[2][at];
    if (along)
        horizontal = c->green + 2 * (int64_t)c->differences[0][at - 2] - c->differences[0][at - 4];
    const int alike = down && along && horizontal - vertical >= -1 && horizontal - vertical <= 1;
    const int left = along ? c->ways[0][at - 4] : 0, above = down ? c->ways[2][at] : 0;
    const int beside = along ? c->ways[0][at - 2] : 0;
    const int context = (((int)set * 2 + alike) * 3 + left) * 9 + above * 3 + beside;
    *way = 1;
    int64_t index = -1;
    if (down)
        index = code_expected(t, coder, decoding, f, list, vertical, t->hits[0] + context,
                              t->offsets[0][set], wanted);
    if (index < 0 && along && !alike) {
        *way = 2;
        index = code_expected(t, coder, decoding, f, list, horizontal, t->hits[1] + context,
                              t->offsets[1][set], wanted);
    }
    if (index < 0) *way = 0;
    return index;
}

/* Rows of what a fit is made of: of every so many samples. */
typedef struct {
    int64_t every, count;
    int surprises; /* what predicts the distance, and how far it was; else the value and the error */
    const WriteF32 *rows;
    const WriteU8 *sets;
} Survey;

static inline void survey(Survey *s, const Tile *t, int64_t at, int64_t x, const View *view,
                          Eight misses, int set, int32_t wanted) {
    Eight found[GROUPS];
    memcpy(found, view->inputs, sizeof found);
    if (s->surprises) gather(t, t->surprises + at, misses, t->detail + 8 * x, found);
    if (s->count >= s->rows->size[0] || s->count >= s->sets->size[0]) return;
    float *row = s->rows->data + s->count * s->rows->stride[0];
    for (int i = 0; i < INPUTS; i++) row[i] = found[i / 8][i % 8];
    row[INPUTS] = (float)wanted;
    s->sets->data[s->count++] = (uint8_t)set;
}

/* Go through a tile's samples: encode (0), decode (1), or only survey them (2). */
enum { ENCODE, DECODE, SURVEY };

static INLINE void go_through(Tile *t, RangeCoder *given, int what, int linear, const Frame *f,
                              const WriteI32 *indices, Survey *looked) {
    const int64_t rows = indices->size[0], columns = indices->size[1], stride = indices->stride[0];
    const int64_t repeat = f->channels->size[1];
    const int decoding = what == DECODE;
    RangeCoder coder = *given; /* in registers meanwhile */
    for (int64_t y = 0; y < rows; y++) {
        int32_t *line = indices->data + y * stride;
        const uint8_t *regions = f->regions->data + y / f->cell * f->regions->stride[0];
        const uint8_t *pattern =
            f->channels->data + y % f->channels->size[0] * f->channels->stride[0];
        /* To the next one of the same list. */
        const int64_t side = f->by_phase ? 6 : linear ? 3 : 2, above = linear && !f->by_phase ? 1 : 2;
        Chroma chroma = {0};
        if (linear && f->interpolated) next_row(&chroma, t->chroma, y, columns);
        look_at_row(t, linear, y, columns);
        int64_t phase = 0, left = f->across; /* in the pattern; of the cell */
        Eight errors = {0}, surprises = {0};
        for (int64_t x = 0; x < columns; x++) {
            const int64_t at = (y + BORDER) * t->pitch + x + BORDER;
            if (linear && f->repeating && what != SURVEY && phase == 0 &&
                repeated(t, &coder, decoding, f, indices, y, x)) {
                regions++;
                errors = eight_at(t->errors + at - 5);
                surprises = eight_at(t->surprises + at - 5);
                x += 2;
                continue;
            }
            const int region = (int)clamp(*regions, 0, REGIONS - 1);
            if (--left == 0) {
                left = f->across;
                regions++;
            }
            const int channel = linear ? ORDER[phase]
                                       : (int)clamp(pattern[phase], 0, f->values->size[0] - 1);
            int32_t *own = line + x + (linear ? ASIDE[phase] : 0);
            const int set = linear ? channel * PHASES + (int)((y & 1) * 2 + (x / 3 & 1)) : channel;
            const int64_t list = f->by_phase ? set : channel, length = length_of(f, list);
            const int64_t place = phase;
            phase = phase + 1 < repeat ? phase + 1 : 0;
            const View view = look(t, at, x, errors, surprises, t->weights[set],
                                   t->scales[channel]);
            const int32_t *values = f->values->data + list * f->values->stride[0];
            int64_t index = *own;
            const int seeks = linear && f->interpolated && what != SURVEY;
            if (what != SURVEY) {
                int32_t way = 0;
                const int64_t beside = seeks && place ? x / 3 * 2 + place - 1 : 0;
                index = -1;
                if (seeks && place)
                    index = code_interpolated(t, &coder, decoding, f, &chroma, list,
                                              set - (channel == 2) * PHASES, beside, y, *own, &way);
                if (index < 0)
                    index = code_end(t, &coder, decoding, &view, values, length,
                                     x >= side ? own - side : 0,
                                     y >= above ? own - above * stride : 0, *own);
                if (index < 0)
                    index = code_sample(t, &coder, decoding, f, &view, at, region, list, *own);
                if (!decoding) index = *own;
                index = clamp(index, 0, length - 1);
                if (seeks) {
                    const int32_t code = f->codes->data[list * f->codes->stride[0] + index];
                    if (place) {
                        chroma.differences[0][beside] = code - chroma.green;
                        chroma.ways[0][beside] = way;
                    } else {
                        chroma.green = code;
                    }
                }
            }
            index = clamp(index, 0, length - 1);
            if (decoding) *own = (int32_t)index;
            const int32_t error = near((int64_t)values[index] - t->restored[at]);
            const int32_t miss = near((int64_t)values[index] - view.guess);
            if (what == SURVEY && (7 * x + 13 * y) % looked->every == 0)
                survey(looked, t, at, x, &view, surprises,
                       looked->surprises ? channel : set,
                       looked->surprises ? (int32_t)size(miss) : error);
            t->errors[at] = (int16_t)error;
            t->surprises[at] = (int16_t)size(miss);
            errors = and_next(errors, error);
            surprises = and_next(surprises, (int32_t)size(miss));
            follow(t, t->weights[set], &view, miss);
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
            int64_t column = within(x, columns, across);
            if (cell == 1) column += ASIDE[column % 3];
            framed[(y + BORDER) * pitch + x + BORDER] =
                (int32_t)clamp(restored->data[from * restored->stride[0] + column], -32767, 32767);
        }
    }
}

/* Code the samples of a tile of whole cells, cell x cell of a mosaic, three of a linear frame; or
   look at them only.

   what       0: write `indices`; 1: read them; 2: give what predicts their values, and 3: how far
              predictions miss
   mode       of a linear frame: 1 if pixels that repeat others are coded as such, 2 if samples are looked
              for where demosaicing would have put them, else 0
   bytes      the section
   indices    [rows, columns]: each sample's place among the sensor's codes
   restored   [rows, columns]: what is restored below, in the noise-normalised domain
   regions    [rows / cell, ...]: class of each cell
   channels   [p, q]: of each sample from the tile's corner on, repeated
   cell       rows of a cell: 2 to 4, or 1 where a pixel has three samples
   values     [k, codes]: domain value of each code of each list: one for each of the n channels, or, of
              linear frames, for each of their phases
   firsts, eighths   [k], [k, m]: a domain value, and the code indices in 1/8 of it and those after
   widths     [k, codes]: logarithm of the domain values per eight codes around each, in 1/64
   lengths    [k]: how many codes each list has
   codes, below   mode 2: [k, codes], those; and [k, 65536], how many of them are below each number
   weights    [n or 4 n, 48] in 1/256, magnitudes at most 2047: of inputs, by channel, and of linear
              frames by channel and phase
   scales     [n, 48] likewise
   rate, logarithms, powers     the stored curves
   distributions, seen, counters     what the tile begins with; they learn
   errors, surprises, framed    room to work in: (rows + 12) x (columns + 12) each
   around     room: 16 for each column
   chroma     room, mode 2: 4 for each column
   every, rows, sets  2 and 3: of every so many samples, up to as many as there is room for, inputs and
              what they predict, [m, 49], and channels (2: rows of `weights`)

   Returns the bytes written, more than there are where they do not fit; 0 when decoding; the rows
   given. */
KERNEL rawback_code_lossless(int64_t what, int64_t mode, const WriteU8 *bytes,
                             const WriteI32 *indices, const ReadI32 *restored,
                             const ReadU8 *regions, const ReadU8 *channels, int64_t cell,
                             const ReadI32 *values, const ReadI32 *firsts, const ReadI32 *eighths,
                             const ReadI32 *widths, const ReadI32 *lengths, const ReadI32 *codes,
                             const ReadI32 *below, const ReadI32 *weights, const ReadI32 *scales,
                             const ReadU32 *rate, const ReadU8 *logarithms, const ReadU32 *powers,
                             const WriteI32 *distributions, const WriteI32 *seen,
                             const WriteU32 *counters, const WriteI16 *errors,
                             const WriteI16 *surprises, const WriteI32 *framed,
                             const WriteI16 *around, const WriteI32 *chroma, int64_t every, const WriteF32 *rows_found,
                             const WriteU8 *sets) {
    const int64_t rows = indices->size[0], columns = indices->size[1];
    REQUIRE(cell >= 1 && cell <= 4);
    const int64_t across = cell == 1 ? 3 : cell;
    REQUIRE(rows > 0 && columns > 0 && rows % cell == 0 && columns % across == 0);
    REQUIRE(restored->size[0] == rows && restored->size[1] == columns);
    REQUIRE(regions->size[0] == rows / cell && regions->size[1] == columns / across);
    REQUIRE(channels->size[0] > 0 && channels->size[1] > 0);
    const int64_t count = scales->size[0], lists = values->size[0];
    REQUIRE(count > 0 && count <= CHANNELS && (cell > 1 || count == 3));
    REQUIRE(lists == count || (cell == 1 && mode != REPEATING && lists == PHASES * count));
    REQUIRE(firsts->size[0] == lists && lengths->size[0] == lists);
    REQUIRE(eighths->size[0] == lists && widths->size[0] == lists);
    REQUIRE(mode != INTERPOLATED || (codes->size[0] == lists && codes->size[1] == values->size[1] &&
                                     below->size[0] == lists && below->size[1] == 1 << 16));
    REQUIRE(values->size[1] > 0 && values->size[1] <= 1 << 16 && eighths->size[1] > 0);
    REQUIRE(widths->size[1] == values->size[1]);
    REQUIRE(weights->size[0] == (cell == 1 ? PHASES * count : count) && weights->size[1] == INPUTS);
    REQUIRE(scales->size[1] == INPUTS);
    REQUIRE(rate->size[0] == RATES);
    REQUIRE(logarithms->size[0] == PER_OCTAVE && powers->size[0] == PER_OCTAVE);
    REQUIRE(distributions->size[0] == REGIONS * DISTRIBUTIONS && distributions->size[1] == SYMBOLS &&
            distributions->stride[0] == SYMBOLS && seen->size[0] == REGIONS * DISTRIBUTIONS);
    REQUIRE(counters->size[0] == COUNTERS);
    const int64_t pitch = columns + 2 * BORDER, room = (rows + 2 * BORDER) * pitch;
    REQUIRE(errors->size[0] >= room && surprises->size[0] >= room && framed->size[0] >= room);
    REQUIRE(around->size[0] >= 16 * columns);
    REQUIRE(mode != INTERPOLATED || chroma->size[0] >= 4 * columns);
    REQUIRE(what <= DECODE || (every > 0 && rows_found->size[1] == INPUTS + 1));
    memset(errors->data, 0, (size_t)room * sizeof *errors->data);
    memset(surprises->data, 0, (size_t)room * sizeof *surprises->data);
    frame_mosaic(restored, cell, across, framed->data, pitch);
    Tile tile = {
        .curves = {0, 0, rate->data},
        .logarithms = logarithms->data,
        .powers = powers->data,
        .distributions = (int32_t(*)[SYMBOLS])distributions->data,
        .seen = seen->data,
        .counters = counters->data,
        .pitch = pitch,
        .restored = framed->data,
        .errors = errors->data,
        .surprises = surprises->data,
        .bends = around->data,
        .detail = around->data + 8 * columns,
        .chroma = chroma->data,
    };
    for (int64_t set = 0; set < weights->size[0]; set++)
        for (int i = 0; i < INPUTS; i++)
            tile.weights[set][i] =
                (int32_t)clamp(weights->data[set * weights->stride[0] + i], -2047, 2047) * (1 << 12);
    for (int64_t channel = 0; channel < count; channel++)
        for (int i = 0; i < INPUTS; i++)
            tile.scales[channel][i] =
                (int32_t)clamp(scales->data[channel * scales->stride[0] + i], -2047, 2047);
    for (int i = 0; i < 2 * REPEATS; i++) tile.repeats[i] = 1u << 31;
    for (int i = 0; i < 2 * EXPECTATIONS; i++) tile.hits[i / EXPECTATIONS][i % EXPECTATIONS] = 1u << 31;
    for (int i = 0; i < 4 * PHASES * WINDOW; i++)
        tile.offsets[i / (2 * PHASES * WINDOW)][i / WINDOW % (2 * PHASES)][i % WINDOW] = 1u << 31;
    const Frame frame = {.repeating = mode == REPEATING, .interpolated = mode == INTERPOLATED,
                         .by_phase = lists != count, .lengths = lengths, .codes = codes, .below = below,
                         .regions = regions, .channels = channels,
                         .cell = cell, .across = across, .values = values, .firsts = firsts,
                         .eighths = eighths, .widths = widths};
    Survey looked = {.every = every, .surprises = what > SURVEY, .rows = rows_found, .sets = sets};
    RangeCoder coder = what == DECODE ? range_decoder(bytes->data, bytes->size[0])
                                      : range_encoder(bytes->data, bytes->size[0]);
    if (what >= SURVEY) go_through(&tile, &coder, SURVEY, cell == 1, &frame, indices, &looked);
    if (what == DECODE && cell == 1) go_through(&tile, &coder, DECODE, 1, &frame, indices, 0);
    if (what == DECODE && cell > 1) go_through(&tile, &coder, DECODE, 0, &frame, indices, 0);
    if (what == ENCODE && cell == 1) go_through(&tile, &coder, ENCODE, 1, &frame, indices, 0);
    if (what == ENCODE && cell > 1) go_through(&tile, &coder, ENCODE, 0, &frame, indices, 0);
    return what == ENCODE ? finish(&coder) : what == DECODE ? 0 : looked.count;
}

/* How many distributions (0) or counters (1) a tile's lossless layer has. */
KERNEL rawback_lossless_model(int64_t what) {
    return what ? COUNTERS : REGIONS * DISTRIBUTIONS;
}
