/* How the lossless layer codes a sample that is predicted: whether it is of the first or last code, or its
   difference to the predicted one. */
#ifndef RAWBACK_LOSSLESS_SAMPLES_H
#define RAWBACK_LOSSLESS_SAMPLES_H

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

#endif
