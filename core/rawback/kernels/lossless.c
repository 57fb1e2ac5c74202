/* The lossless layer of a tile: every sample, given what is restored below it. FORMAT.md describes
   it.

   Samples are coded row by row. Each is predicted from what is restored and, linearly, from the
   errors of that at the samples coded before, and from how the restored picture bends. The weights
   begin as fitted to the frame and follow each sample (normalised least mean squares: Widrow and
   Hoff, 1960). How far the prediction is likely to miss is, linearly too, told by how far those
   before did. What is coded is the difference of the sample's code index to the predicted one, in
   units of about a third of that: one symbol, under a distribution that learns, for each such
   distance, and below it bits that nothing is known of. */
#include "lossless_pixels.h"

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
            const int64_t difference = x / 3 * 2 + place - 1; /* that of the sample in `chroma` */
            int32_t way = 0;
            if (what != SURVEY) {
                index = -1;
                if (seeks && place)
                    index = code_interpolated(t, &coder, decoding, f, &chroma, list,
                                              set - (channel == 2) * PHASES, difference, y, *own,
                                              &way);
                if (index < 0)
                    index = code_end(t, &coder, decoding, &view, values, length,
                                     x >= side ? own - side : 0,
                                     y >= above ? own - above * stride : 0, *own);
                if (index < 0)
                    index = code_sample(t, &coder, decoding, f, &view, at, region, list, *own);
                if (!decoding) index = *own;
            }
            index = clamp(index, 0, length - 1);
            if (seeks) {
                const int32_t code = f->codes->data[list * f->codes->stride[0] + index];
                if (place)
                    keep_difference(&chroma, difference, code, way);
                else
                    chroma.green = code;
            }
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
    REQUIRE(cell > 1 || channels->size[1] == across);
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
