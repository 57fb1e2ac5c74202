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

/* The frame, and what of it a tile's samples are. */
typedef struct {
    int repeating; /* whether pixels that repeat others are coded as such */
    const ReadU8 *regions, *channels;
    int64_t cell, across; /* rows, and samples of a row, of a cell */
    const ReadI32 *values, *firsts, *eighths, *widths;
} Frame;

/* Place of a domain value among a channel's code indices, in 1/8. */
static inline int32_t eighths_at(const Frame *f, int channel, int32_t value) {
    const int64_t places = f->eighths->size[1], codes = f->values->size[1];
    const int64_t place = clamp((int64_t)value - f->firsts->data[channel], 0, places - 1);
    return (int32_t)clamp(f->eighths->data[channel * f->eighths->stride[0] + place], 0,
                          8 * codes - 1);
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

/* Code a code index, `wanted` when encoding, of a sample whose region class and channel are given. */
static INLINE int64_t code_sample(const Tile *t, RangeCoder *coder, int decoding, const Frame *f,
                                  const View *view, int64_t at, int region, int channel,
                                  int64_t wanted) {
    const int32_t eighths = eighths_at(f, channel, view->guess);
    /* At the restored value, as that of the predicted one would have to be waited for. */
    const int32_t width = f->widths->data[channel * f->widths->stride[0] +
                                          (eighths_at(f, channel, t->restored[at]) >> 3)];
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
    const int64_t codes = f->values->size[1], repeat = f->channels->size[1];
    const int decoding = what == DECODE;
    RangeCoder coder = *given; /* in registers meanwhile */
    for (int64_t y = 0; y < rows; y++) {
        int32_t *line = indices->data + y * stride;
        const uint8_t *regions = f->regions->data + y / f->cell * f->regions->stride[0];
        const uint8_t *pattern =
            f->channels->data + y % f->channels->size[0] * f->channels->stride[0];
        const int64_t side = linear ? 3 : 2, above = linear ? 1 : 2; /* to this colour's next one */
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
            const int channel = (int)clamp(pattern[phase], 0, f->values->size[0] - 1);
            phase = phase + 1 < repeat ? phase + 1 : 0;
            const int set = linear ? channel * PHASES + (int)((y & 1) * 2 + (x / 3 & 1)) : channel;
            const View view = look(t, at, x, errors, surprises, t->weights[set],
                                   t->scales[channel]);
            const int32_t *values = f->values->data + channel * f->values->stride[0];
            int64_t index = line[x];
            if (what != SURVEY) {
                index = code_end(t, &coder, decoding, &view, values, codes,
                                 x >= side ? line + x - side : 0,
                                 y >= above ? line + x - above * stride : 0, line[x]);
                if (index < 0)
                    index = code_sample(t, &coder, decoding, f, &view, at, region, channel, line[x]);
                if (!decoding) index = line[x];
            }
            index = clamp(index, 0, codes - 1);
            if (decoding) line[x] = (int32_t)index;
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
            const int64_t column = within(x, columns, across);
            framed[(y + BORDER) * pitch + x + BORDER] =
                (int32_t)clamp(restored->data[from * restored->stride[0] + column], -32767, 32767);
        }
    }
}

/* Code the samples of a tile of whole cells, cell x cell of a mosaic, three of a linear frame; or
   look at them only.

   what       0: write `indices`; 1: read them; 2: give what predicts their values, and 3: how far
              predictions miss
   repeating  whether pixels of a linear frame that repeat others are coded as such
   bytes      the section
   indices    [rows, columns]: each sample's place among the sensor's codes
   restored   [rows, columns]: what is restored below, in the noise-normalised domain
   regions    [rows / cell, ...]: class of each cell
   channels   [p, q]: of each sample from the tile's corner on, repeated
   cell       rows of a cell: 2 to 4, or 1 where a pixel has three samples
   values     [n, codes]: domain value of each code in each channel
   firsts, eighths   [n], [n, m]: a domain value, and the code indices in 1/8 of it and those after
   widths     [n, codes]: logarithm of the domain values per eight codes around each, in 1/64
   weights    [n or 4 n, 48] in 1/256, magnitudes at most 2047: of inputs, by channel, and of linear
              frames by channel and phase
   scales     [n, 48] likewise
   rate, logarithms, powers     the stored curves
   distributions, seen, counters     what the tile begins with; they learn
   errors, surprises, framed    room to work in: (rows + 12) x (columns + 12) each
   around     room: 16 for each column
   every, rows, sets  2 and 3: of every so many samples, up to as many as there is room for, inputs and
              what they predict, [m, 49], and channels (2: rows of `weights`)

   Returns the bytes written, more than there are where they do not fit; 0 when decoding; the rows
   given. */
KERNEL rawback_code_lossless(int64_t what, int64_t repeating, const WriteU8 *bytes,
                             const WriteI32 *indices, const ReadI32 *restored,
                             const ReadU8 *regions, const ReadU8 *channels, int64_t cell,
                             const ReadI32 *values, const ReadI32 *firsts, const ReadI32 *eighths,
                             const ReadI32 *widths, const ReadI32 *weights, const ReadI32 *scales,
                             const ReadU32 *rate, const ReadU8 *logarithms, const ReadU32 *powers,
                             const WriteI32 *distributions, const WriteI32 *seen,
                             const WriteU32 *counters, const WriteI16 *errors,
                             const WriteI16 *surprises, const WriteI32 *framed,
                             const WriteI16 *around, int64_t every, const WriteF32 *rows_found,
                             const WriteU8 *sets) {
    const int64_t rows = indices->size[0], columns = indices->size[1];
    REQUIRE(cell >= 1 && cell <= 4);
    const int64_t across = cell == 1 ? 3 : cell;
    REQUIRE(rows > 0 && columns > 0 && rows % cell == 0 && columns % across == 0);
    REQUIRE(restored->size[0] == rows && restored->size[1] == columns);
    REQUIRE(regions->size[0] == rows / cell && regions->size[1] == columns / across);
    REQUIRE(channels->size[0] > 0 && channels->size[1] > 0);
    const int64_t count = values->size[0];
    REQUIRE(count > 0 && count <= CHANNELS && firsts->size[0] == count);
    REQUIRE(eighths->size[0] == count && widths->size[0] == count);
    REQUIRE(values->size[1] > 0 && values->size[1] <= 1 << 16 && eighths->size[1] > 0);
    REQUIRE(widths->size[1] == values->size[1]);
    REQUIRE(weights->size[0] == (cell == 1 ? PHASES * count : count) && weights->size[1] == INPUTS);
    REQUIRE(scales->size[0] == count && scales->size[1] == INPUTS);
    REQUIRE(rate->size[0] == RATES);
    REQUIRE(logarithms->size[0] == PER_OCTAVE && powers->size[0] == PER_OCTAVE);
    REQUIRE(distributions->size[0] == REGIONS * DISTRIBUTIONS && distributions->size[1] == SYMBOLS &&
            distributions->stride[0] == SYMBOLS && seen->size[0] == REGIONS * DISTRIBUTIONS);
    REQUIRE(counters->size[0] == COUNTERS);
    const int64_t pitch = columns + 2 * BORDER, room = (rows + 2 * BORDER) * pitch;
    REQUIRE(errors->size[0] >= room && surprises->size[0] >= room && framed->size[0] >= room);
    REQUIRE(around->size[0] >= 16 * columns);
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
    const Frame frame = {.repeating = repeating != 0, .regions = regions, .channels = channels,
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
