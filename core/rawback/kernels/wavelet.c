/* One level of the wavelet: the lifting scheme of the Cohen-Daubechies-Feauveau 9/7 filters.

   Rows stream through all four steps while they are in the cache. Step k changes every second row
   by its two neighbours, mirrored at the ends, after step k - 1 has changed those; so when a pair of
   rows comes in, each step can be done on one row behind the step before. */
#include "kernels.h"

#include <string.h>

enum { SHIFT = 9 };
static const int32_t LIFTS[4] = {-812, -27, 452, 227};

/* The row beside a row, mirrored at the ends of so many rows. */
static inline int64_t beside(int64_t row, int64_t by, int64_t rows) {
    const int64_t at = row + by;
    return at < 0 ? -at : at < rows ? at : 2 * (rows - 1) - at;
}

/* target -= lift * (a + b) / 512, rounded half up; sums wrap. */
static inline void undo(int32_t *restrict target, const int32_t *a, const int32_t *b, int64_t count,
                        int32_t lift) {
    for (int64_t x = 0; x < count; x++) {
        const uint32_t sum = (uint32_t)a[x] + (uint32_t)b[x];
        const int32_t part = (int32_t)(sum * (uint32_t)lift + (1u << (SHIFT - 1))) >> SHIFT;
        target[x] = (int32_t)((uint32_t)target[x] - (uint32_t)part);
    }
}

/* Step k of the synthesis of a row, given as its even and odd samples. */
static void undo_step(int32_t *even, int64_t evens, int32_t *odd, int64_t odds, int k) {
    if (k % 2) { /* evens, by the odd samples beside them */
        undo(even, odd, odd, 1, LIFTS[k]);
        undo(even + 1, odd, odd + 1, odds - 1, LIFTS[k]);
        if (evens > odds) undo(even + odds, odd + odds - 1, odd + odds - 1, 1, LIFTS[k]);
    } else {
        undo(odd, even, even + 1, evens - 1, LIFTS[k]);
        if (evens == odds) undo(odd + odds - 1, even + evens - 1, even + evens - 1, 1, LIFTS[k]);
    }
}

static void join_row(const int32_t *low, const int32_t *high, int64_t columns, int32_t *scratch,
                     int32_t *row) {
    const int64_t evens = (columns + 1) / 2, odds = columns / 2;
    int32_t *even = scratch, *odd = scratch + evens;
    if (!odds) {
        row[0] = low[0];
        return;
    }
    memcpy(even, low, (size_t)evens * sizeof *even);
    memcpy(odd, high, (size_t)odds * sizeof *odd);
    for (int k = 3; k >= 0; k--) undo_step(even, evens, odd, odds, k);
    for (int64_t x = 0; x < odds; x++) {
        row[2 * x] = even[x];
        row[2 * x + 1] = odd[x];
    }
    if (evens > odds) row[columns - 1] = even[evens - 1];
}

/* A plane from its four bands (first letter: vertically, second: horizontally low or high). */
KERNEL rawback_wavelet_join(const ReadI32 *ll, const ReadI32 *lh, const ReadI32 *hl,
                            const ReadI32 *hh, const WriteI32 *scratch, const WriteI32 *plane) {
    const int64_t rows = plane->size[0], columns = plane->size[1], stride = plane->stride[0];
    const int64_t lows = (rows + 1) / 2, highs = rows / 2;
    REQUIRE(rows > 0 && columns > 0 && scratch->size[0] >= columns);
    REQUIRE(ll->size[0] == lows && ll->size[1] == (columns + 1) / 2);
    REQUIRE(lh->size[0] == lows && lh->size[1] == columns / 2);
    REQUIRE(hl->size[0] == highs && hl->size[1] == (columns + 1) / 2);
    REQUIRE(hh->size[0] == highs && hh->size[1] == columns / 2);
    for (int64_t pair = 0; 2 * pair < rows + 3; pair++) {
        if (pair < lows)
            join_row(ll->data + pair * ll->stride[0], lh->data + pair * lh->stride[0], columns,
                     scratch->data, plane->data + 2 * pair * stride);
        if (pair < highs)
            join_row(hl->data + pair * hl->stride[0], hh->data + pair * hh->stride[0], columns,
                     scratch->data, plane->data + (2 * pair + 1) * stride);
        for (int step = 0; step < 4 && highs; step++) {
            const int64_t row = 2 * pair - step;
            if (row < 0 || row >= rows) continue;
            undo(plane->data + row * stride, plane->data + beside(row, -1, rows) * stride,
                 plane->data + beside(row, 1, rows) * stride, columns, LIFTS[3 - step]);
        }
    }
    return 0;
}

/* target += lift * (a + b) */
static inline void apply(float *restrict target, const float *a, const float *b, int64_t count, float lift) {
    for (int64_t x = 0; x < count; x++) target[x] += lift * (a[x] + b[x]);
}

static void split_row(const float *row, int64_t columns, float *even, float *odd) {
    const int64_t evens = (columns + 1) / 2, odds = columns / 2;
    for (int64_t x = 0; x < odds; x++) {
        even[x] = row[2 * x];
        odd[x] = row[2 * x + 1];
    }
    if (evens > odds) even[odds] = row[columns - 1];
    for (int k = 0; k < 4 && odds; k++) {
        const float lift = (float)LIFTS[k] / (1 << SHIFT);
        if (k % 2) {
            apply(even, odd, odd, 1, lift);
            apply(even + 1, odd, odd + 1, odds - 1, lift);
            if (evens > odds) apply(even + odds, odd + odds - 1, odd + odds - 1, 1, lift);
        } else {
            apply(odd, even, even + 1, evens - 1, lift);
            if (evens == odds) apply(odd + odds - 1, even + evens - 1, even + evens - 1, 1, lift);
        }
    }
}

/* The four bands of a plane, which is changed: the encoder's half, in float. */
KERNEL rawback_wavelet_split(const WriteF32 *plane, const WriteF32 *ll, const WriteF32 *lh,
                             const WriteF32 *hl, const WriteF32 *hh) {
    const int64_t rows = plane->size[0], columns = plane->size[1], stride = plane->stride[0];
    const int64_t lows = (rows + 1) / 2, highs = rows / 2;
    REQUIRE(rows > 0 && columns > 0);
    REQUIRE(ll->size[0] == lows && ll->size[1] == (columns + 1) / 2);
    REQUIRE(lh->size[0] == lows && lh->size[1] == columns / 2);
    REQUIRE(hl->size[0] == highs && hl->size[1] == (columns + 1) / 2);
    REQUIRE(hh->size[0] == highs && hh->size[1] == columns / 2);
    for (int64_t pair = 0; 2 * pair < rows + 4; pair++) {
        for (int step = 0; step < 4 && highs; step++) {
            const int64_t row = 2 * pair - 1 - step;
            if (row < 0 || row >= rows) continue;
            apply(plane->data + row * stride, plane->data + beside(row, -1, rows) * stride,
                  plane->data + beside(row, 1, rows) * stride, columns,
                  (float)LIFTS[step] / (1 << SHIFT));
        }
        const int64_t done = pair - 2;
        if (done < 0) continue;
        if (done < lows)
            split_row(plane->data + 2 * done * stride, columns, ll->data + done * ll->stride[0],
                      lh->data + done * lh->stride[0]);
        if (done < highs)
            split_row(plane->data + (2 * done + 1) * stride, columns,
                      hl->data + done * hl->stride[0], hh->data + done * hh->stride[0]);
    }
    return 0;
}
