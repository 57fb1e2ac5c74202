/* Between the mosaic and its four planes, and between planes and the components of what the base
   leaves of them. */
#include "kernels.h"

#include <math.h>

enum { PLANES = 4, BINS = 1024, BIN_SHIFT = 4, WEIGHT_BITS = 8 };

static inline int64_t bin(int32_t base) { return clamp(base >> BIN_SHIFT, 0, BINS - 1); }

static inline int32_t product(int32_t a, int32_t b) { return (int32_t)((uint32_t)a * (uint32_t)b); }

static inline int32_t sum(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); }

/* Whether arrays are [4, rows, columns]. */
#define IS_PLANES(array, rows, columns) \
    ((array)->size[0] == PLANES && (array)->size[1] == (rows) && (array)->size[2] == (columns))

/* Start of a row of a plane of an array. */
#define ROW(array, plane, row) \
    ((array)->data + (plane) * (array)->stride[0] + (row) * (array)->stride[1])

/* Samples of each position of the 2x2 cell through its table.
   mosaic: [2 h, 2 w]; tables: [4, 65536]; planes: [4, h, w]. */
KERNEL rawback_planes_of_mosaic(const ReadU16 *mosaic, const ReadI32 *tables,
                                const WriteI16 *planes) {
    const int64_t rows = planes->size[1], columns = planes->size[2];
    REQUIRE(IS_PLANES(planes, rows, columns));
    REQUIRE(mosaic->size[0] == 2 * rows && mosaic->size[1] == 2 * columns);
    REQUIRE(tables->size[0] == PLANES && tables->size[1] == 1 << 16);
    for (int64_t y = 0; y < rows; y++)
        for (int position = 0; position < PLANES; position++) {
            const uint16_t *from = mosaic->data + (2 * y + position / 2) * mosaic->stride[0];
            const int32_t *table = tables->data + position * tables->stride[0];
            int16_t *to = ROW(planes, position, y);
            for (int64_t x = 0; x < columns; x++) to[x] = (int16_t)table[from[2 * x + position % 2]];
        }
    return 0;
}

/* The mosaic whose planes have these values: undoes the tables, which are [4, n] and begin at the
   values `firsts`; values beyond them take their ends. */
KERNEL rawback_mosaic_of_planes(const ReadI32 *planes, const ReadU16 *tables,
                                const ReadI32 *firsts, const WriteU16 *mosaic) {
    const int64_t rows = planes->size[1], columns = planes->size[2], last = tables->size[1] - 1;
    REQUIRE(IS_PLANES(planes, rows, columns));
    REQUIRE(mosaic->size[0] == 2 * rows && mosaic->size[1] == 2 * columns);
    REQUIRE(tables->size[0] == PLANES && last >= 0 && firsts->size[0] == PLANES);
    for (int64_t y = 0; y < rows; y++)
        for (int position = 0; position < PLANES; position++) {
            const int32_t *from = ROW(planes, position, y);
            const uint16_t *table = tables->data + position * tables->stride[0];
            const int64_t first = firsts->data[position];
            uint16_t *to = mosaic->data + (2 * y + position / 2) * mosaic->stride[0] + position % 2;
            for (int64_t x = 0; x < columns; x++)
                to[2 * x] = table[clamp(from[x] - first, 0, last)];
        }
    return 0;
}

/* What the base leaves, each error times its weight; weights: [1024], by the base's value. */
KERNEL rawback_weighted_residual(const ReadI16 *planes, const ReadI16 *base, const ReadF32 *weights,
                                 const WriteF32 *residual) {
    const int64_t rows = residual->size[1], columns = residual->size[2];
    REQUIRE(IS_PLANES(residual, rows, columns) && IS_PLANES(planes, rows, columns));
    REQUIRE(IS_PLANES(base, rows, columns) && weights->size[0] == BINS);
    for (int plane = 0; plane < PLANES; plane++)
        for (int64_t y = 0; y < rows; y++) {
            const int16_t *true_row = ROW(planes, plane, y), *base_row = ROW(base, plane, y);
            float *to = ROW(residual, plane, y);
            for (int64_t x = 0; x < columns; x++)
                to[x] = (float)(true_row[x] - base_row[x]) * weights->data[bin(base_row[x])];
        }
    return 0;
}

static inline float mixed(const float *row, float a, float b, float c, float d) {
    return fmaf(row[3], d, fmaf(row[2], c, fmaf(row[1], b, row[0] * a)));
}

/* Components of planes, in place: at every place the product of matrix [4, 4] and planes. Products
   are added unrounded: as libraries of linear algebra do, but on every machine. */
KERNEL rawback_components_of_planes(const ReadF32 *matrix, const WriteF32 *planes) {
    const int64_t rows = planes->size[1], columns = planes->size[2];
    REQUIRE(IS_PLANES(planes, rows, columns) && matrix->size[0] == PLANES);
    REQUIRE(matrix->size[1] == PLANES && matrix->stride[0] == PLANES);
    const float *m = matrix->data;
    for (int64_t y = 0; y < rows; y++) {
        float *restrict p = ROW(planes, 0, y), *restrict q = ROW(planes, 1, y);
        float *restrict r = ROW(planes, 2, y), *restrict s = ROW(planes, 3, y);
        for (int64_t x = 0; x < columns; x++) {
            const float a = p[x], b = q[x], c = r[x], d = s[x];
            p[x] = mixed(m, a, b, c, d);
            q[x] = mixed(m + 4, a, b, c, d);
            r[x] = mixed(m + 8, a, b, c, d);
            s[x] = mixed(m + 12, a, b, c, d);
        }
    }
    return 0;
}

/* base + residual, in place of the residual's components: the product of matrix [4, 4] and these,
   divided by 2**shift, then by its weight (inverse: [1024], in 1/256, by the base's value); both
   rounded half up. */
KERNEL rawback_add_residual(const ReadI32 *matrix, int64_t shift, const ReadI16 *base,
                            const ReadI32 *inverse, const WriteI32 *values) {
    const int64_t rows = values->size[1], columns = values->size[2];
    REQUIRE(IS_PLANES(values, rows, columns) && IS_PLANES(base, rows, columns));
    REQUIRE(inverse->size[0] == BINS && shift > 0 && shift < 31);
    REQUIRE(matrix->size[0] == PLANES && matrix->size[1] == PLANES);
    for (int64_t y = 0; y < rows; y++) {
        int32_t *restrict row[PLANES];
        for (int plane = 0; plane < PLANES; plane++) row[plane] = ROW(values, plane, y);
        for (int64_t x = 0; x < columns; x++) {
            const int32_t p = row[0][x], q = row[1][x], r = row[2][x], s = row[3][x];
            for (int plane = 0; plane < PLANES; plane++) {
                const int32_t *m = matrix->data + plane * matrix->stride[0];
                const int32_t from = ROW(base, plane, y)[x];
                const int32_t total = sum(sum(product(m[0], p), product(m[1], q)),
                                          sum(product(m[2], r), product(m[3], s)));
                const int32_t error = sum(total, 1 << (shift - 1)) >> shift;
                const int32_t unweighted = product(error, inverse->data[bin(from)]);
                row[plane][x] = sum(from, sum(unweighted, 1 << (WEIGHT_BITS - 1)) >> WEIGHT_BITS);
            }
        }
    }
    return 0;
}

/* Coefficients from signed indices: their interval's middle less so many sixteenths of a step, near
   for indices of magnitude 1, far for larger ones; step in 1/16. */
KERNEL rawback_dequantise(const ReadI32 *indices, int64_t step, int64_t near, int64_t far,
                          const WriteI32 *values) {
    const int64_t rows = indices->size[0], columns = indices->size[1], largest = 1 << 20;
    REQUIRE(values->size[0] == rows && values->size[1] == columns);
    REQUIRE(step > 0 && step < 1 << 24 && near >= 0 && near < 8 && far >= 0 && far < 8);
    for (int64_t y = 0; y < rows; y++) {
        const int32_t *from = indices->data + y * indices->stride[0];
        int32_t *to = values->data + y * values->stride[0];
        for (int64_t x = 0; x < columns; x++) {
            const int64_t magnitude = from[x] < 0 ? -(int64_t)from[x] : from[x];
            const int64_t sixteenths = 16 * magnitude + 8 - (magnitude == 1 ? near : far);
            const int64_t value = magnitude ? clamp(sixteenths * step >> 8, 0, largest) : 0;
            to[x] = (int32_t)(from[x] < 0 ? -value : value);
        }
    }
    return 0;
}
