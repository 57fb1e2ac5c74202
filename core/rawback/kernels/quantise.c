/* Rate-distortion-optimised quantisation of wavelet coefficients, see encoder/rd_quantisation.py.
   Levels are capped magnitudes of indices in half steps, 2 k + (k > 0). */
#include <math.h>
#include <string.h>

#include "kernels.h"

#define LEVEL_CAP 24
#define MOST_INDEX 60000.0f
#define CHUNK 256

static inline uint8_t level_of(int32_t index) {
    if (index <= 0) return 0;
    return (uint8_t)(index >= LEVEL_CAP / 2 ? LEVEL_CAP : 2 * index + 1);
}

/* What surrounds a band: the levels of its own coefficients, of its parent and of its siblings.
   Arrays that a band does not have are empty. */
typedef struct {
    const ReadU8 *own, *parent, *sibling_a, *sibling_b;
    int64_t reciprocals[2]; /* of the sums of weights in plane 0 and in the others */
    const ReadU8 *class_of;
} Around;

/* The levels of a row from x - 1 on; beyond its ends they are repeated. */
static void framed_row(const uint8_t *row, int64_t columns, int64_t x, int64_t count,
                       uint8_t framed[CHUNK + 2]) {
    framed[0] = row[x > 0 ? x - 1 : 0];
    memcpy(framed + 1, row + x, (size_t)count);
    framed[count + 1] = row[x + count < columns ? x + count : columns - 1];
}

/* Adds the levels of another band, times a weight; each of a parent's lies beside two of a row. */
static void add_beside(const ReadU8 *other, int64_t plane, int64_t y, int64_t x, int64_t count,
                       int halved, uint32_t weight, uint32_t *sums) {
    if (other->size[0] <= plane || y >= other->size[1]) return;
    const uint8_t *row = other->data + plane * other->stride[0] + y * other->stride[1];
    count = clamp((halved ? 2 * other->size[2] : other->size[2]) - x, 0, count);
    if (halved)
        for (int64_t i = 0; i < count; i++) sums[i] += weight * row[(x + i) / 2];
    else
        for (int64_t i = 0; i < count; i++) sums[i] += weight * row[x + i];
}

/* Classes of up to CHUNK coefficients of a row, from x on. */
static void classify(const Around *around, int64_t plane, int64_t y, int64_t x, int64_t count,
                     uint8_t *classes) {
    const ReadU8 *own = around->own;
    const int64_t rows = own->size[1], columns = own->size[2];
    const uint8_t *row = own->data + plane * own->stride[0] + y * own->stride[1];
    uint8_t here[CHUNK + 2], above[CHUNK + 2], below[CHUNK + 2];
    framed_row(row, columns, x, count, here);
    framed_row(y > 0 ? row - own->stride[1] : row, columns, x, count, above);
    framed_row(y + 1 < rows ? row + own->stride[1] : row, columns, x, count, below);
    uint32_t sums[CHUNK];
    for (int64_t i = 0; i < count; i++)
        sums[i] = 9u * (uint32_t)(here[i] + here[i + 2] + above[i + 1] + below[i + 1]) +
                  6u * (uint32_t)(above[i] + above[i + 2] + below[i] + below[i + 2]);
    if (plane > 0) {
        const uint8_t *first = own->data + y * own->stride[1] + x;
        for (int64_t i = 0; i < count; i++) sums[i] += 20u * first[i];
    }
    add_beside(around->parent, plane, y / 2, x, count, 1, 20, sums);
    add_beside(around->sibling_a, plane, y, x, count, 0, 15, sums);
    add_beside(around->sibling_b, plane, y, x, count, 0, 15, sums);
    const uint32_t reciprocal = (uint32_t)around->reciprocals[plane > 0];
    const uint32_t last = (uint32_t)around->class_of->size[0] - 1;
    for (int64_t i = 0; i < count; i++) {
        const uint32_t mean = sums[i] * reciprocal >> 16;
        classes[i] = around->class_of->data[mean < last ? mean : last];
    }
}

/* The index that costs least: thresholds[0 .. 2] are the least magnitudes, in steps, of indices 1,
   2 and 3; index k from 4 on begins at k + thresholds[3]. */
static inline int32_t decide(float magnitude, const float *thresholds) {
    const int one = !(magnitude < thresholds[0]), two = one & !(magnitude < thresholds[1]);
    const int three = two & !(magnitude < thresholds[2]);
    const float shifted = magnitude - thresholds[3];
    const float most = shifted < MOST_INDEX ? shifted : MOST_INDEX;
    const int32_t large = shifted >= 3.0f ? (int32_t)most : 3;
    return three ? large : one + two;
}

static inline float scaled(float coefficient, float scale, float lift) {
    const float magnitude = coefficient < 0 ? -coefficient : coefficient;
    return magnitude * scale + lift;
}

/* Levels under the plain quantiser with a dead zone. scales[plane] turns coefficients to steps. */
KERNEL rawback_plain_levels(const ReadF32 *coefficients, const ReadF32 *scales,
                            const ReadF32 *lift, const WriteU8 *found) {
    const int64_t planes = coefficients->size[0], rows = coefficients->size[1];
    const int64_t columns = coefficients->size[2];
    REQUIRE(scales->size[0] == planes && lift->size[0] == 1);
    REQUIRE(found->size[0] == planes && found->size[1] == rows && found->size[2] == columns);
    for (int64_t plane = 0; plane < planes; plane++)
        for (int64_t y = 0; y < rows; y++) {
            const float *from =
                coefficients->data + plane * coefficients->stride[0] + y * coefficients->stride[1];
            uint8_t *to = found->data + plane * found->stride[0] + y * found->stride[1];
            for (int64_t x = 0; x < columns; x++) {
                const float magnitude = scaled(from[x], scales->data[plane], lift->data[0]);
                to[x] = level_of((int32_t)(magnitude < LEVEL_CAP ? magnitude : LEVEL_CAP));
            }
        }
    return 0;
}

static int fits(const Around *around) {
    const ReadU8 *own = around->own;
    const ReadU8 *others[3] = {around->parent, around->sibling_a, around->sibling_b};
    for (int i = 0; i < 3; i++)
        if (others[i]->size[0] != 0 && others[i]->size[0] != own->size[0]) return 0;
    return around->class_of->size[0] > 0;
}

/* Counts of indices 0, 1, 2, 3 and more by class are added to counts [classes, 5]. */
KERNEL rawback_count_levels(const ReadU8 *own, const ReadU8 *parent, const ReadU8 *sibling_a,
                            const ReadU8 *sibling_b, int64_t reciprocal_first,
                            int64_t reciprocal, const ReadU8 *class_of, const WriteI64 *counts) {
    const Around around = {
        own, parent, sibling_a, sibling_b, {reciprocal_first, reciprocal}, class_of};
    REQUIRE(fits(&around) && counts->size[0] > 0 && counts->size[1] == 5);
    const int64_t last = counts->size[0] - 1;
    for (int64_t plane = 0; plane < own->size[0]; plane++)
        for (int64_t y = 0; y < own->size[1]; y++)
            for (int64_t x = 0; x < own->size[2]; x += CHUNK) {
                const int64_t count = clamp(own->size[2] - x, 0, CHUNK);
                uint8_t classes[CHUNK];
                classify(&around, plane, y, x, count, classes);
                const uint8_t *here =
                    own->data + plane * own->stride[0] + y * own->stride[1] + x;
                for (int64_t i = 0; i < count; i++) {
                    const int64_t row = clamp(classes[i], 0, last);
                    counts->data[row * counts->stride[0] + clamp(here[i] / 2, 0, 4)]++;
                }
            }
    return 0;
}

/* Decides every coefficient by its class. Writes levels, indices with their signs, or both: the
   array that is not wanted is empty. */
KERNEL rawback_decide_levels(const ReadF32 *coefficients, const ReadF32 *scales,
                             const ReadF32 *lift, const ReadU8 *own, const ReadU8 *parent,
                             const ReadU8 *sibling_a, const ReadU8 *sibling_b,
                             int64_t reciprocal_first, int64_t reciprocal, const ReadU8 *class_of,
                             const ReadF32 *thresholds, const WriteU8 *levels,
                             const WriteI32 *indices) {
    const int64_t planes = coefficients->size[0], rows = coefficients->size[1];
    const int64_t columns = coefficients->size[2];
    const Around around = {
        own, parent, sibling_a, sibling_b, {reciprocal_first, reciprocal}, class_of};
    REQUIRE(fits(&around) && scales->size[0] == planes && lift->size[0] == 1);
    REQUIRE(own->size[0] == planes && own->size[1] == rows && own->size[2] == columns);
    REQUIRE(thresholds->size[0] > 0 && thresholds->size[1] == 4);
    const int with_levels = levels->size[0] != 0, with_indices = indices->size[0] != 0;
    REQUIRE(!with_levels || (levels->size[0] == planes && levels->size[1] == rows &&
                             levels->size[2] == columns));
    REQUIRE(!with_indices || (indices->size[0] == planes && indices->size[1] == rows &&
                              indices->size[2] == columns));
    const int64_t last = thresholds->size[0] - 1;
    for (int64_t plane = 0; plane < planes; plane++)
        for (int64_t y = 0; y < rows; y++)
            for (int64_t x = 0; x < columns; x += CHUNK) {
                const int64_t count = clamp(columns - x, 0, CHUNK);
                uint8_t classes[CHUNK];
                int32_t chosen[CHUNK];
                classify(&around, plane, y, x, count, classes);
                const float *from = coefficients->data + plane * coefficients->stride[0] +
                                    y * coefficients->stride[1] + x;
                for (int64_t i = 0; i < count; i++)
                    chosen[i] = decide(
                        scaled(from[i], scales->data[plane], lift->data[0]),
                        thresholds->data + clamp(classes[i], 0, last) * thresholds->stride[0]);
                if (with_levels) {
                    uint8_t *to =
                        levels->data + plane * levels->stride[0] + y * levels->stride[1] + x;
                    for (int64_t i = 0; i < count; i++) to[i] = level_of(chosen[i]);
                }
                if (with_indices) {
                    int32_t *to =
                        indices->data + plane * indices->stride[0] + y * indices->stride[1] + x;
                    for (int64_t i = 0; i < count; i++)
                        to[i] = from[i] < 0 ? -chosen[i] : chosen[i];
                }
            }
    return 0;
}

static inline uint32_t magnitude_of(int32_t index) {
    return index < 0 ? 0u - (uint32_t)index : (uint32_t)index;
}

/* What indices are in a layer whose steps are `octaves` octaves larger, and how far into their
   intervals there coefficients lie: from 0, the near end, to 1.
   coefficients: [planes, h, w]; factors: [planes], what makes steps of the layer of them; finest:
   [planes, h, w], the indices of the last layer; indices: the same; sums: [2, 2], is added to: of
   those of magnitude 1, and of larger ones, how many there are and the sum of their places. */
KERNEL rawback_coarsen_indices(const ReadF32 *coefficients, const ReadF32 *factors,
                               const ReadI32 *finest, int64_t octaves, const WriteI32 *indices,
                               const WriteF64 *sums) {
    const int64_t planes = finest->size[0], rows = finest->size[1], columns = finest->size[2];
    REQUIRE(octaves >= 0 && octaves < 31 && factors->size[0] == planes);
    REQUIRE(coefficients->size[0] == planes && coefficients->size[1] == rows &&
            coefficients->size[2] == columns);
    REQUIRE(indices->size[0] == planes && indices->size[1] == rows && indices->size[2] == columns);
    REQUIRE(sums->size[0] == 2 && sums->size[1] == 2);
    int64_t counts[2] = {0, 0};
    double places[2] = {0, 0};
    for (int64_t plane = 0; plane < planes; plane++)
        for (int64_t y = 0; y < rows; y++) {
            const float *values =
                coefficients->data + plane * coefficients->stride[0] + y * coefficients->stride[1];
            const int32_t *from = finest->data + plane * finest->stride[0] + y * finest->stride[1];
            int32_t *to = indices->data + plane * indices->stride[0] + y * indices->stride[1];
            for (int64_t x = 0; x < columns; x++) {
                const uint32_t size = magnitude_of(from[x]) >> octaves;
                to[x] = (int32_t)(from[x] < 0 ? 0u - size : size);
            }
            for (int64_t x = 0; x < columns; x++) {
                if (!to[x]) continue;
                const uint32_t size = magnitude_of(to[x]);
                counts[size > 1]++;
                places[size > 1] += (double)(fabsf(values[x]) * factors->data[plane]) - size;
            }
        }
    for (int64_t i = 0; i < 2; i++) {
        sums->data[i * sums->stride[0]] += (double)counts[i];
        sums->data[i * sums->stride[0] + 1] += places[i];
    }
    return 0;
}
