/* Sums that least-squares fits need. */
#include "kernels.h"

enum { MOST_COLUMNS = 128, MOST_TAPS = 64, ROWS = 4 };

/* sums += rows' rows: [m, m] of [n, m], in double precision, row after row: so machines agree, and
   sums of integers are exact. Only the upper triangle is added to. */
KERNEL rawback_gram(const ReadF32 *rows, const WriteF64 *sums) {
    const int64_t count = rows->size[0], columns = rows->size[1];
    REQUIRE(columns <= MOST_COLUMNS);
    REQUIRE(sums->size[0] == columns && sums->size[1] == columns);
    double block[ROWS][MOST_COLUMNS];
    for (int64_t first = 0; first < count; first += ROWS) {
        for (int64_t i = 0; i < ROWS; i++)
            for (int64_t at = 0; at < columns; at++)
                block[i][at] =
                    first + i < count ? rows->data[(first + i) * rows->stride[0] + at] : 0;
        for (int64_t i = 0; i < columns; i++) {
            double *sum = sums->data + i * sums->stride[0];
            for (int64_t j = i; j < columns; j++)
                sum[j] = sum[j] + block[0][i] * block[0][j] + block[1][i] * block[1][j] +
                         block[2][i] * block[2][j] + block[3][i] * block[3][j];
        }
    }
    return 0;
}

/* What linear filters see around samples, and what they are to give: of each sample, whose pixel is
   at places ([samples, 2]: row, column), the values of all planes of `colours` at `offsets` ([taps,
   2]) from there less those there, then 1, then `wanted` less the plane `own` there, within
   `limit`. */
KERNEL rawback_filter_rows(const ReadI32 *colours, const ReadI32 *places, const ReadI32 *offsets,
                           const ReadI16 *wanted, int64_t own, int64_t limit,
                           const WriteF32 *rows) {
    const int64_t planes = colours->size[0], height = colours->size[1], width = colours->size[2];
    const int64_t samples = places->size[0], taps = offsets->size[0];
    REQUIRE(height > 0 && width > 0 && own >= 0 && own < planes && limit >= 0);
    REQUIRE(places->size[1] == 2 && offsets->size[1] == 2 && wanted->size[0] == samples);
    REQUIRE(rows->size[0] == samples && rows->size[1] == planes * taps + 2 && taps <= MOST_TAPS);
    for (int64_t sample = 0; sample < samples; sample++) {
        const int32_t *place = places->data + sample * places->stride[0];
        const int64_t y = clamp(place[0], 0, height - 1), x = clamp(place[1], 0, width - 1);
        float *row = rows->data + sample * rows->stride[0];
        int64_t around[MOST_TAPS];
        for (int64_t tap = 0; tap < taps; tap++) {
            const int32_t *offset = offsets->data + tap * offsets->stride[0];
            around[tap] = clamp(y + offset[0], 0, height - 1) * colours->stride[1] +
                          clamp(x + offset[1], 0, width - 1);
        }
        const int32_t *values = colours->data;
        const int64_t middle = y * colours->stride[1] + x;
        for (int64_t plane = 0; plane < planes; plane++, values += colours->stride[0])
            for (int64_t tap = 0; tap < taps; tap++)
                *row++ = (float)((int64_t)values[around[tap]] - values[middle]);
        *row++ = 1;
        const int64_t here = colours->data[own * colours->stride[0] + middle];
        *row = (float)clamp(wanted->data[sample] - here, -limit, limit);
    }
    return 0;
}

/* found = left' right: [a, b] of [n, a] and [n, b]. */
KERNEL rawback_products(const ReadF64 *left, const ReadF64 *right, const WriteF64 *found) {
    const int64_t count = left->size[0], rows = left->size[1], columns = right->size[1];
    REQUIRE(right->size[0] == count);
    REQUIRE(found->size[0] == rows && found->size[1] == columns);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) found->data[i * found->stride[0] + j] = 0;
    for (int64_t at = 0; at < count; at += ROWS) {
        const double *a[ROWS], *b[ROWS];
        const int64_t last = count - 1;
        for (int64_t k = 0; k < ROWS; k++) {
            a[k] = left->data + (at + k < last ? at + k : last) * left->stride[0];
            b[k] = right->data + (at + k < last ? at + k : last) * right->stride[0];
        }
        for (int64_t i = 0; i < rows; i++) {
            double *sum = found->data + i * found->stride[0], own[ROWS];
            for (int64_t k = 0; k < ROWS; k++) own[k] = at + k < count ? a[k][i] : 0;
            for (int64_t j = 0; j < columns; j++)
                sum[j] = sum[j] + own[0] * b[0][j] + own[1] * b[1][j] + own[2] * b[2][j] +
                         own[3] * b[3][j];
        }
    }
    return 0;
}
