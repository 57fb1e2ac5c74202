/* Between the samples of a frame and its planes, one for each sample of a cell, and between planes
   and the components of what the base leaves of them. */
#include "kernels.h"

#include <math.h>
#include <string.h>

enum { MOST_PLANES = 16, BLOCK = 256, BINS = 1024, BIN_SHIFT = 4, WEIGHT_BITS = 8 };
enum { LIMIT = (1 << 15) - 1 };

static inline int64_t bin(int32_t base) { return clamp(base >> BIN_SHIFT, 0, BINS - 1); }

static inline int32_t product(int32_t a, int32_t b) { return (int32_t)((uint32_t)a * (uint32_t)b); }

static inline int32_t sum(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); }

/* Whether an array is [planes, rows, columns]. */
#define IS_PLANES(array, planes, rows, columns) \
    ((array)->size[0] == (planes) && (array)->size[1] == (rows) && (array)->size[2] == (columns))

/* Start of a row of a plane of an array. */
#define ROW(array, plane, row) \
    ((array)->data + (plane) * (array)->stride[0] + (row) * (array)->stride[1])

/* Samples of one plane in every `step`th cell of a row, from cell `first` on: they are of one channel
   and lie alike. */
typedef struct {
    int64_t row, column, across; /* in the mosaic, of the first cell, and samples to the next cell */
    int64_t channel, first, step;
} Run;

static int is_mosaic(const int64_t *size, const ReadU8 *layout, int64_t cell, int64_t planes,
                     int64_t rows, int64_t columns) {
    if (cell < 1 || cell > 4 || planes < 1 || planes > MOST_PLANES || planes % cell) return 0;
    if (size[0] != cell * rows || size[1] != planes / cell * columns) return 0;
    return layout->size[0] > 0 && layout->size[1] > 0 && layout->size[2] == 2 * planes;
}

static inline Run run_of(const ReadU8 *layout, int64_t cell, int64_t planes, int64_t plane,
                         int64_t y, int64_t first) {
    Run run = {.across = planes / cell, .first = first, .step = layout->size[1]};
    const uint8_t *place = layout->data + y % layout->size[0] * layout->stride[0] +
                           first * layout->stride[1] + 2 * plane;
    const int64_t sample = clamp(place[0], 0, planes - 1);
    run.row = cell * y + sample / run.across;
    run.column = sample % run.across;
    run.channel = place[1];
    return run;
}

/* Samples through the tables of their channels.
   mosaic: [cell h, planes / cell w], the samples of a pixel side by side; layout: [p, q, 2 planes],
   of cells that repeat: for each plane which of the cell's samples, row by row, it has, and of which
   channel that is; cell: rows of a cell; tables: [channels, 65536]; planes: [planes, h, w]. */
KERNEL rawback_planes_of_mosaic(const ReadU16 *mosaic, const ReadU8 *layout, int64_t cell,
                                const ReadI32 *tables, const WriteI16 *planes) {
    const int64_t count = planes->size[0], rows = planes->size[1], columns = planes->size[2];
    REQUIRE(is_mosaic(mosaic->size, layout, cell, count, rows, columns));
    REQUIRE(tables->size[0] > 0 && tables->size[1] == 1 << 16);
    for (int64_t y = 0; y < rows; y++)
        for (int64_t plane = 0; plane < count; plane++)
            for (int64_t first = 0; first < layout->size[1]; first++) {
                const Run run = run_of(layout, cell, count, plane, y, first);
                const uint16_t *from = mosaic->data + run.row * mosaic->stride[0] + run.column;
                const int64_t channel = clamp(run.channel, 0, tables->size[0] - 1);
                const int32_t *table = tables->data + channel * tables->stride[0];
                int16_t *to = ROW(planes, plane, y);
                for (int64_t x = first; x < columns; x += run.step)
                    to[x] = (int16_t)table[from[run.across * x]];
            }
    return 0;
}

/* The mosaic whose planes have these values: undoes the tables, which are [channels, n] and begin at
   the values `firsts`; values beyond them take their ends. */
KERNEL rawback_mosaic_of_planes(const ReadI16 *planes, const ReadU8 *layout, int64_t cell,
                                const ReadU16 *tables, const ReadI32 *firsts,
                                const WriteU16 *mosaic) {
    const int64_t count = planes->size[0], rows = planes->size[1], columns = planes->size[2];
    const int64_t last = tables->size[1] - 1;
    REQUIRE(is_mosaic(mosaic->size, layout, cell, count, rows, columns));
    REQUIRE(tables->size[0] > 0 && last >= 0 && firsts->size[0] == tables->size[0]);
    for (int64_t y = 0; y < rows; y++)
        for (int64_t plane = 0; plane < count; plane++)
            for (int64_t first = 0; first < layout->size[1]; first++) {
                const Run run = run_of(layout, cell, count, plane, y, first);
                const int16_t *from = ROW(planes, plane, y);
                const int64_t channel = clamp(run.channel, 0, tables->size[0] - 1);
                const uint16_t *table = tables->data + channel * tables->stride[0];
                const int64_t least = firsts->data[channel];
                uint16_t *to = mosaic->data + run.row * mosaic->stride[0] + run.column;
                for (int64_t x = first; x < columns; x += run.step)
                    to[run.across * x] = table[clamp(from[x] - least, 0, last)];
            }
    return 0;
}

/* What the base leaves, each error times its weight; weights: [1024], by the base's value. */
KERNEL rawback_weighted_residual(const ReadI16 *planes, const ReadI16 *base, const ReadF32 *weights,
                                 const WriteF32 *residual) {
    const int64_t count = residual->size[0];
    const int64_t rows = residual->size[1], columns = residual->size[2];
    REQUIRE(IS_PLANES(planes, count, rows, columns) && IS_PLANES(base, count, rows, columns));
    REQUIRE(weights->size[0] == BINS);
    for (int64_t plane = 0; plane < count; plane++)
        for (int64_t y = 0; y < rows; y++) {
            const int16_t *true_row = ROW(planes, plane, y), *base_row = ROW(base, plane, y);
            float *to = ROW(residual, plane, y);
            for (int64_t x = 0; x < columns; x++)
                to[x] = (float)(true_row[x] - base_row[x]) * weights->data[bin(base_row[x])];
        }
    return 0;
}

/* Components of planes, in place: at every place the product of matrix [n, n] and n planes. Products
   are added unrounded: as libraries of linear algebra do, but on every machine. */
KERNEL rawback_components_of_planes(const ReadF32 *matrix, const WriteF32 *planes) {
    const int64_t count = planes->size[0], rows = planes->size[1], columns = planes->size[2];
    REQUIRE(count > 0 && count <= MOST_PLANES);
    REQUIRE(matrix->size[0] == count && matrix->size[1] == count);
    float from[MOST_PLANES][BLOCK];
    for (int64_t y = 0; y < rows; y++)
        for (int64_t x = 0; x < columns; x += BLOCK) {
            const int64_t wide = clamp(columns - x, 0, BLOCK);
            for (int64_t plane = 0; plane < count; plane++)
                memcpy(from[plane], ROW(planes, plane, y) + x, (size_t)wide * sizeof(float));
            for (int64_t plane = 0; plane < count; plane++) {
                const float *by = matrix->data + plane * matrix->stride[0];
                float *restrict to = ROW(planes, plane, y) + x;
                if (count == 4) {
                    for (int64_t i = 0; i < wide; i++)
                        to[i] = fmaf(by[3], from[3][i],
                                     fmaf(by[2], from[2][i],
                                          fmaf(by[1], from[1][i], by[0] * from[0][i])));
                    continue;
                }
                for (int64_t i = 0; i < wide; i++) to[i] = by[0] * from[0][i];
                for (int64_t other = 1; other < count; other++)
                    for (int64_t i = 0; i < wide; i++)
                        to[i] = fmaf(by[other], from[other][i], to[i]);
            }
        }
    return 0;
}

/* base + residual, of magnitudes up to LIMIT: the product of matrix [n, n] and the residual's
   components, divided by 2**shift, then by its weight (inverse: [1024], in 1/256, by the base's
   value); both rounded half up. */
KERNEL rawback_add_residual(const ReadI32 *matrix, int64_t shift, const ReadI32 *components,
                            const ReadI16 *base, const ReadI32 *inverse, const WriteI16 *values) {
    const int64_t count = values->size[0], rows = values->size[1], columns = values->size[2];
    REQUIRE(count > 0 && count <= MOST_PLANES && IS_PLANES(base, count, rows, columns));
    REQUIRE(IS_PLANES(components, count, rows, columns));
    REQUIRE(inverse->size[0] == BINS && shift > 0 && shift < 31);
    REQUIRE(matrix->size[0] == count && matrix->size[1] == count);
    int32_t totals[BLOCK];
    for (int64_t y = 0; y < rows; y++)
        for (int64_t x = 0; x < columns; x += BLOCK) {
            const int64_t wide = clamp(columns - x, 0, BLOCK);
            for (int64_t plane = 0; plane < count; plane++) {
                const int32_t *by = matrix->data + plane * matrix->stride[0];
                for (int64_t other = 0; other < count; other++) {
                    const int32_t *from = ROW(components, other, y) + x;
                    for (int64_t i = 0; i < wide; i++)
                        totals[i] = sum(other ? totals[i] : 0, product(by[other], from[i]));
                }
                const int16_t *restrict under = ROW(base, plane, y) + x;
                int16_t *restrict to = ROW(values, plane, y) + x;
                for (int64_t i = 0; i < wide; i++) {
                    const int32_t error = sum(totals[i], 1 << (shift - 1)) >> shift;
                    const int32_t unweighted = product(error, inverse->data[bin(under[i])]);
                    const int32_t value =
                        sum(under[i], sum(unweighted, 1 << (WEIGHT_BITS - 1)) >> WEIGHT_BITS);
                    to[i] = (int16_t)(value < -LIMIT ? -LIMIT : value > LIMIT ? LIMIT : value);
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

/* counts += how often samples of each channel ([channels, 65536]) have each code; `channels` ([p, q])
   repeats over the samples. */
KERNEL rawback_count_codes(const ReadU16 *samples, const ReadU8 *channels,
                           const WriteI64 *counts) {
    const int64_t down = channels->size[0], across = channels->size[1];
    REQUIRE(down > 0 && across > 0 && counts->size[0] > 0 && counts->size[1] == 1 << 16);
    for (int64_t y = 0; y < samples->size[0]; y++)
        for (int64_t first = 0; first < across; first++) {
            const int64_t channel = channels->data[y % down * channels->stride[0] + first];
            int64_t *own =
                counts->data + clamp(channel, 0, counts->size[0] - 1) * counts->stride[0];
            for (int64_t x = first; x < samples->size[1]; x += across)
                own[samples->data[y * samples->stride[0] + x]]++;
        }
    return 0;
}
