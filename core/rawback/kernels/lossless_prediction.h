/* How the lossless layer predicts a sample, and how far it expects to miss: from what is restored below
   it, and from the errors and misses at the samples before it. */
#ifndef RAWBACK_LOSSLESS_PREDICTION_H
#define RAWBACK_LOSSLESS_PREDICTION_H

#include <string.h>

#include "binary_models.h"

#define INPUTS 48 /* six rows of eight */
#define GROUPS 6
#define CHANNELS 4
#define PHASES 4 /* of a linear frame's pixels: odd and even rows and columns */
#define FARTHEST_ERROR 1023
#define BORDER 6
#define REPEATS 64
#define EXPECTATIONS (2 * PHASES * 54) /* contexts of whether samples are where interpolation puts them */
#define WINDOW 4                       /* codes looked at for them, */
#define WINDOW_BELOW 2                 /* from so many below */
#define SYMBOLS 32

#define PER_OCTAVE 64 /* logarithms are in 1/64 of an octave */
#define PACE_OF_WEIGHTS 1972
#define LARGEST 32767 /* weight, in 2^-12 */
#define LEAST_PART_OF_POWER (4 * PER_OCTAVE) /* of squares in 2^-16: 2^-12 */

typedef int16_t Eight __attribute__((vector_size(16)));
typedef int32_t WideEight __attribute__((vector_size(32)));
#define WIDE(eight) __builtin_convertvector((eight), WideEight)

static INLINE Eight eight_at(const int16_t *values) {
    Eight eight;
    memcpy(&eight, values, sizeof eight);
    return eight;
}

static INLINE WideEight wide_at(const int32_t *values) {
    WideEight eight;
    memcpy(&eight, values, sizeof eight);
    return eight;
}

static INLINE void put_wide(int32_t *values, WideEight eight) { memcpy(values, &eight, sizeof eight); }

/* Between -most and most. */
static INLINE WideEight limited_wide(WideEight eight, int32_t most) {
    const WideEight above = eight > most;
    eight = (above & most) | (~above & eight);
    const WideEight below = eight < -most;
    return (below & -most) | (~below & eight);
}

static INLINE int32_t sum_of(WideEight v) {
    Lanes four = __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
    four += __builtin_shufflevector(four, four, 2, 3, 0, 1);
    return four[0] + four[1];
}

/* The last seven, and another one. */
static INLINE Eight and_next(Eight eight, int32_t next) {
    eight = __builtin_shufflevector(eight, eight, 1, 2, 3, 4, 5, 6, 7, 7);
    eight[7] = (int16_t)next;
    return eight;
}

static inline int32_t near(int64_t value) {
    return (int32_t)clamp(value, -FARTHEST_ERROR, FARTHEST_ERROR);
}

static inline uint32_t size(int32_t value) { return (uint32_t)(value < 0 ? -value : value); }

/* What coding a tile needs; arrays with a border of BORDER samples on each side. */
typedef struct {
    Curves curves;
    const uint8_t *logarithms; /* of 1 + i / 64, in 1/64 */
    const uint32_t *powers;    /* of two, to i / 64, in 2^-16 */
    int32_t (*distributions)[SYMBOLS]; /* below which share, in 2^-22, each symbol begins */
    int32_t *seen;             /* how often each was used */
    uint32_t *counters;
    int64_t pitch;
    const int32_t *restored;
    int16_t *errors;           /* of what is restored */
    int16_t *surprises;        /* magnitudes of errors of the predictions */
    int16_t *bends, *detail;   /* of what is restored, eight for each sample of a row */
    int32_t weights[CHANNELS * PHASES][INPUTS]; /* in 2^-20 */
    int32_t scales[CHANNELS][INPUTS];           /* in 2^-8 */
    uint32_t repeats[2 * REPEATS]; /* counters of whether a pixel repeats another */
    uint32_t hits[2][EXPECTATIONS]; /* of whether a sample is where interpolation puts it, */
    uint32_t offsets[2][2 * PHASES][WINDOW]; /* and how far from there */
    int32_t *chroma;                /* room for three rows of what that needs */
} Tile;

/* What is known of a sample before it is coded. */
typedef struct {
    Eight inputs[GROUPS];
    int32_t guess;    /* predicted value */
    int32_t distance; /* how far it is likely to miss, in 2^-8 */
    int logarithm;    /* of that */
} View;

/* The binary logarithm in 1/64 of a number above 0. */
static inline int logarithm(const Tile *t, uint32_t value) {
    const int octave = 31 - __builtin_clz(value | 1);
    const uint32_t part = octave >= 6 ? value >> (octave - 6) : value << (6 - octave);
    return PER_OCTAVE * octave + t->logarithms[part & 63];
}

/* How the restored picture bends and changes around each sample of row y. */
static inline void look_at_row(const Tile *t, int linear, int64_t y, int64_t columns) {
    const int64_t up = -t->pitch;
    /* The next sample of the same colour is two pixels away in mosaics, one in linear frames. */
    const int64_t side = linear ? 3 : 2, above = linear ? up : 2 * up;
    for (int64_t x = 0; x < columns; x++) {
        const int32_t *r = t->restored + (y + BORDER) * t->pitch + x + BORDER;
        int16_t *b = t->bends + 8 * x, *d = t->detail + 8 * x;
        const int32_t twice = 2 * r[0];
        b[0] = (int16_t)near(r[-side] + r[side] - twice);
        b[1] = (int16_t)near(r[above] + r[-above] - twice);
        b[2] = (int16_t)near(r[above - side] + r[-above + side] - twice);
        b[3] = (int16_t)near(r[above + side] + r[-above - side] - twice);
        if (linear) {
            b[4] = (int16_t)near(2 * r[-3] - r[-6] - r[0]);
            b[5] = (int16_t)near(2 * r[3] - r[0] - r[6]);
            b[6] = (int16_t)near(2 * r[-1] - r[-4] - r[2]);
            b[7] = (int16_t)near(2 * r[-1] - r[up - 1] - r[-up - 1]);
        } else {
            b[4] = (int16_t)near(2 * r[-1] - r[-3] - r[1]);
            b[5] = (int16_t)near(2 * r[1] - r[-1] - r[3]);
            b[6] = (int16_t)near(2 * r[up] - r[3 * up] - r[-up]);
            b[7] = (int16_t)near(2 * r[-up] - r[up] - r[-3 * up]);
        }
        d[0] = (int16_t)near(size(r[-side] - r[side]) + size(r[above] - r[-above]));
        d[1] = (int16_t)near(size(b[0]) + size(b[1]));
        d[2] = (int16_t)(clamp(r[0], 0, 32767) >> 4);
        d[3] = 16;
        d[4] = (int16_t)near(size(b[2]) + size(b[3]));
        d[5] = (int16_t)near(size(b[4]) + size(b[5]));
        d[6] = (int16_t)near(size(b[6]) + size(b[7]));
        d[7] = (int16_t)near(size(r[-1] - r[1]));
    }
}

/* The last eight values of an array, eight from each of four rows above, and others. */
static INLINE void gather(const Tile *t, const int16_t *at, Eight last, const int16_t *others,
                          Eight found[GROUPS]) {
    found[0] = last;
    for (int row = 1; row <= 4; row++) found[row] = eight_at(at - row * t->pitch - 4);
    found[5] = eight_at(others);
}

/* What is known of the sample `at` of column x, where `errors` and `surprises` are the last eight. */
static INLINE View look(const Tile *t, int64_t at, int64_t x, Eight errors,
                        Eight surprises, const int32_t *weights, const int32_t *scales) {
    View view;
    gather(t, t->errors + at, errors, t->bends + 8 * x, view.inputs);
    WideEight sum = {0};
    for (int g = 0; g < GROUPS; g++)
        sum += WIDE(view.inputs[g]) * (wide_at(weights + 8 * g) >> 8);
    view.guess = t->restored[at] + ((sum_of(sum) + (1 << 11)) >> 12);
    Eight misses[GROUPS];
    gather(t, t->surprises + at, surprises, t->detail + 8 * x, misses);
    sum = (WideEight){0};
    for (int g = 0; g < GROUPS; g++) sum += WIDE(misses[g]) * wide_at(scales + 8 * g);
    view.distance = limited(sum_of(sum), 1 << 8, 1 << 26);
    view.logarithm = logarithm(t, (uint32_t)view.distance);
    return view;
}

/* Let weights follow a sample whose prediction missed by `miss`: by as much as it missed, up to
   four distances, over the square of the distance; or over the inputs' own power where these are so
   large beside it that weights would overshoot. */
static INLINE void follow(const Tile *t, int32_t *weights, const View *view, int32_t miss) {
    WideEight squares = {0};
    for (int g = 0; g < GROUPS; g++) squares += WIDE(view->inputs[g]) * WIDE(view->inputs[g]);
    const int power = logarithm(t, (uint32_t)sum_of(squares) | 1) + LEAST_PART_OF_POWER;
    const int exponent =
        PACE_OF_WEIGHTS - (2 * view->logarithm > power ? 2 * view->logarithm : power);
    const int32_t most = view->distance >> 6;
    const int64_t product =
        (int64_t)limited(miss, -most, most) * t->powers[exponent & (PER_OCTAVE - 1)];
    const int32_t step = (int32_t)(product >> (16 - (exponent >> 6)));
    for (int g = 0; g < GROUPS; g++) {
        const WideEight next =
            wide_at(weights + 8 * g) + ((WIDE(view->inputs[g]) * step + (1 << 9)) >> 10);
        put_wide(weights + 8 * g, limited_wide(next, LARGEST << 8));
    }
}

#endif
