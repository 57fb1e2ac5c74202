/* What the lossless layer looks for in pixels of linear frames before it predicts: whether they repeat
   others, and whether red and blue are where demosaicing would have put them. */
#ifndef RAWBACK_LOSSLESS_PIXELS_H
#define RAWBACK_LOSSLESS_PIXELS_H

#include "lossless_samples.h"

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

   For both other channels of every pixel: their differences to green, and which way they were found: not
   (0), down the column (1) or along the row (2). */
typedef struct {
    int32_t *differences[3], *ways[3]; /* of this row, the one above and the one above that */
    int32_t green;                     /* code of the pixel's first sample */
} Chroma;

static inline void keep_difference(Chroma *c, int64_t at, int32_t code, int32_t way) {
    c->differences[0][at] = code - c->green;
    c->ways[0][at] = way;
}

/* Begin row y in the room for three. */
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

/* Code a sample of another colour than green, if it is where interpolation would have put it: its index,
   or -1. `set` numbers channels and phases, `at` is the sample's place in rows of `c`. */
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

#endif
