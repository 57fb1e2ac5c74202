/* The base: colours from the guide, classes of regions, and the filters. */
#include "kernels.h"

#include <string.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

enum { NODES = 17, COLOURS = 3, GAIN_BITS = 12 };

/* Sums and products that wrap, and halves that round up. */
static inline int32_t mixed(int32_t low, int32_t high, int32_t part) {
    return (int32_t)((uint32_t)low * (uint32_t)(16 - part) + (uint32_t)high * (uint32_t)part);
}
static inline int32_t sixteenth(uint32_t value) { return (int32_t)(value + 8u) >> 4; }

/* One row of the table's colours. Nodes have a fourth, unused value, so that one load fetches all. */
static void look_up_row(const int32_t *nodes, const uint8_t *pixels, int64_t columns, int32_t *red,
                        int32_t *green, int32_t *blue) {
    const int64_t along_green = 4 * NODES, along_red = 4 * NODES * NODES;
    for (int64_t x = 0; x < columns; x++) {
        const int r = pixels[3 * x], g = pixels[3 * x + 1], b = pixels[3 * x + 2];
        const int32_t *corner = nodes + (r >> 4) * along_red + (g >> 4) * along_green + (b >> 4) * 4;
        int32_t found[4];
        for (int c = 0; c < 4; c++) {
            int32_t lines[2];
            for (int far = 0; far < 2; far++) {
                const int32_t *near = corner + far * along_red + c;
                const int32_t low = mixed(near[0], near[4], b & 15);
                const int32_t high = mixed(near[along_green], near[along_green + 4], b & 15);
                const uint32_t climb = (uint32_t)high - (uint32_t)low;
                lines[far] = sixteenth((uint32_t)low * 16u + climb * (uint32_t)(g & 15));
            }
            const uint32_t climb = (uint32_t)lines[1] - (uint32_t)lines[0];
            const uint32_t part = (uint32_t)sixteenth(climb * (uint32_t)(r & 15));
            found[c] = sixteenth((uint32_t)lines[0] + part);
        }
        red[x] = found[0];
        green[x] = found[1];
        blue[x] = found[2];
    }
}

/* value += value * gain, the gain bilinear between the nodes of two rows of the grid. */
static void gain_row(const int32_t *above, const int32_t *below, int bits, int64_t down,
                     int64_t left, int64_t columns, int32_t *values[COLOURS]) {
    const int32_t spacing = 1 << bits;
    const int surplus = 2 * bits + 8 - GAIN_BITS;
    for (int64_t x = 0; x < columns;) {
        const int64_t node = (left + x) >> bits;
        const int64_t first = (left + x) & (spacing - 1);
        const int64_t count = clamp(spacing - first, 1, columns - x);
        const int32_t part = (int32_t)down;
        const int32_t near = above[node] * (spacing - part) + below[node] * part;
        const int32_t far = above[node + 1] * (spacing - part) + below[node + 1] * part;
        for (int c = 0; c < COLOURS; c++)
            for (int64_t at = 0; at < count; at++) {
                const int32_t right = (int32_t)(first + at);
                const int32_t gain = (near * (spacing - right) + far * right) >> surplus;
                int32_t *value = values[c] + x + at;
                const uint32_t more = (uint32_t)*value * (uint32_t)gain + (1u << (GAIN_BITS - 1));
                *value = (int32_t)((uint32_t)*value + (uint32_t)((int32_t)more >> GAIN_BITS));
            }
        x += count;
    }
}

/* The table and the gains at every pixel, and a fixed level where the guide covers nothing.
   nodes: [17, 17, 17, 4]; gains: [rows, columns], or empty with bits = 0; top and left: of the
   window in the frame; levels: [3]; found: [3, h, w]. */
KERNEL rawback_base_colours(const ReadI32 *nodes, const ReadI32 *gains, int64_t bits, int64_t top,
                            int64_t left, const ReadI32 *levels, const ReadU8 *pixels,
                            const ReadU8 *mask, const WriteI32 *found) {
    const int64_t rows = found->size[1], columns = found->size[2];
    REQUIRE(nodes->size[0] == NODES * NODES * NODES && nodes->size[1] == 4 && nodes->stride[0] == 4);
    REQUIRE(bits == 0 || (bits >= 2 && bits <= 10));
    REQUIRE(top >= 0 && left >= 0 && top < 1 << 24 && left < 1 << 24);
    REQUIRE(levels->size[0] == COLOURS && found->size[0] == COLOURS);
    REQUIRE(pixels->size[0] == rows && pixels->size[1] == columns && pixels->size[2] == COLOURS);
    REQUIRE(pixels->stride[1] == COLOURS || columns < 2);
    REQUIRE(mask->size[0] == rows && mask->size[1] == columns);
    if (bits && rows && columns) {
        REQUIRE(((top + rows - 1) >> bits) + 1 < gains->size[0]);
        REQUIRE(((left + columns - 1) >> bits) + 1 < gains->size[1]);
        for (int64_t y = 0; y < gains->size[0]; y++)
            for (int64_t x = 0; x < gains->size[1]; x++) {
                const int32_t gain = gains->data[y * gains->stride[0] + x];
                REQUIRE(gain >= -255 && gain <= 255);
            }
    }
    for (int64_t y = 0; y < rows; y++) {
        int32_t *out[COLOURS];
        for (int c = 0; c < COLOURS; c++)
            out[c] = found->data + c * found->stride[0] + y * found->stride[1];
        look_up_row(nodes->data, pixels->data + y * pixels->stride[0], columns, out[0], out[1],
                    out[2]);
        if (bits) {
            const int32_t *above = gains->data + ((top + y) >> bits) * gains->stride[0];
            gain_row(above, above + gains->stride[0], (int)bits, (top + y) & ((1 << bits) - 1),
                     left, columns, out);
        }
        const uint8_t *covered = mask->data + y * mask->stride[0];
        for (int c = 0; c < COLOURS; c++)
            for (int64_t x = 0; x < columns; x++)
                out[c][x] = covered[x] ? out[c][x] : levels->data[c];
    }
    return 0;
}

enum { CLIPPED = 254, TEXTURE = 32, EDGE = 128, CLASS_CLIPPED = 3, CLASS_UNCOVERED = 4 };

static inline uint8_t highest(const uint8_t *values, int64_t count) {
    uint8_t found = 0;
    for (int64_t at = 0; at < count; at++) found = values[at] > found ? values[at] : found;
    return found;
}

/* Of one row of quads: mean light, the ends repeated once; and whether any of its pixels is
   clipped, 0 beyond the ends. */
static void quad_row(const ReadI32 *light, const ReadU8 *pixels, int64_t row, int32_t *level,
                     uint8_t *bright) {
    const int64_t quads = light->size[1] / 2;
    const int32_t *upper = light->data + 2 * row * light->stride[0];
    const int32_t *lower = upper + light->stride[0];
    for (int64_t x = 0; x < quads; x++) {
        const uint32_t sum = (uint32_t)upper[2 * x] + (uint32_t)upper[2 * x + 1] +
                             (uint32_t)lower[2 * x] + (uint32_t)lower[2 * x + 1];
        level[x + 1] = (int32_t)sum >> 2;
    }
    level[0] = level[1];
    level[quads + 1] = level[quads];
    const uint8_t *above = pixels->data + 2 * row * pixels->stride[0];
    const uint8_t *below = above + pixels->stride[0];
    bright[0] = bright[quads + 1] = 0;
    for (int64_t x = 0; x < quads;) {
        const int64_t end = clamp(x + 32, 0, quads); /* few are clipped: most blocks have none */
        const int some = highest(above + 6 * x, 6 * (end - x)) >= CLIPPED ||
                         highest(below + 6 * x, 6 * (end - x)) >= CLIPPED;
        for (; x < end; x++)
            bright[x + 1] = some && (highest(above + 6 * x, 6) >= CLIPPED ||
                                     highest(below + 6 * x, 6) >= CLIPPED);
    }
}

static inline int32_t apart(int32_t a, int32_t b) {
    const int32_t by = (int32_t)((uint32_t)a - (uint32_t)b);
    return by < 0 ? (int32_t)(0u - (uint32_t)by) : by;
}

static inline int32_t larger(int32_t a, int32_t b) { return a > b ? a : b; }

/* Class of each quad, see rawback.residual.region_classes; levels and flags: scratch, [3, w + 2] */
KERNEL rawback_region_classes(const ReadI32 *light, const ReadU8 *pixels, const ReadU8 *mask,
                              const WriteI32 *levels, const WriteU8 *flags, const WriteU8 *found) {
    const int64_t rows = found->size[0], columns = found->size[1];
    REQUIRE(rows > 0 && columns > 0);
    REQUIRE(light->size[0] == 2 * rows && light->size[1] == 2 * columns);
    REQUIRE(pixels->size[0] == 2 * rows && pixels->size[1] == 2 * columns && pixels->size[2] == 3);
    REQUIRE(pixels->stride[1] == 3);
    REQUIRE(mask->size[0] == 2 * rows && mask->size[1] == 2 * columns);
    REQUIRE(levels->size[0] == 3 && levels->size[1] >= columns + 2);
    REQUIRE(flags->size[0] == 3 && flags->size[1] >= columns + 2);
    /* Rows y - 1, y and y + 1, the ends repeated, lie in rows (y - 1) % 3, ... of the scratch. */
    quad_row(light, pixels, 0, levels->data, flags->data);
    for (int64_t y = 0; y < rows; y++) {
        const int32_t *level[3];
        const uint8_t *flag[3];
        for (int64_t at = 0; at < 3; at++) {
            const int64_t row = clamp(y - 1 + at, 0, rows - 1) % 3;
            if (at == 2 && y + 1 < rows)
                quad_row(light, pixels, y + 1, levels->data + row * levels->stride[0],
                         flags->data + row * flags->stride[0]);
            level[at] = levels->data + row * levels->stride[0];
            flag[at] = flags->data + row * flags->stride[0];
        }
        const uint8_t *upper = mask->data + 2 * y * mask->stride[0];
        const uint8_t *lower = upper + mask->stride[0];
        uint8_t *restrict to = found->data + y * found->stride[0];
        for (int64_t x = 0; x < columns; x++) {
            const int32_t here = level[1][x + 1];
            const int32_t down = larger(apart(level[0][x + 1], here), apart(here, level[2][x + 1]));
            const int32_t across = larger(apart(level[1][x], here), apart(here, level[1][x + 2]));
            const int32_t change = larger(down, across);
            to[x] = (uint8_t)((change >= TEXTURE) + (change >= EDGE));
        }
        for (int64_t x = 0; x < columns; x++) {
            const uint8_t clipped = flag[0][x] | flag[0][x + 1] | flag[0][x + 2] | flag[1][x] |
                                    flag[1][x + 1] | flag[1][x + 2] | flag[2][x] | flag[2][x + 1] |
                                    flag[2][x + 2];
            to[x] = clipped ? CLASS_CLIPPED : to[x];
        }
        for (int64_t x = 0; x < columns; x++) {
            const int whole = (upper[2 * x] != 0) & (upper[2 * x + 1] != 0) &
                              (lower[2 * x] != 0) & (lower[2 * x + 1] != 0);
            to[x] = whole ? to[x] : CLASS_UNCOVERED;
        }
    }
    return 0;
}

enum { TAPS = 6, MIDDLE = 1 << 13, LARGEST_SUM = 1 << 11, LIMIT = (1 << 15) - 1 };

/* x86 multiplies pairs of 16 bits and adds them up in one instruction, which compilers do not find. */
#if defined(__AVX512BW__)
#define LANES 16
#define VECTOR __m512i
#define LOAD(from) _mm512_loadu_si512(from)
#define STORE(to, vector) _mm512_storeu_si512(to, vector)
#define ADD _mm512_add_epi32
#define ADD_PRODUCTS _mm512_madd_epi16
#define ALL _mm512_set1_epi32
#elif defined(__AVX2__)
#define LANES 8
#define VECTOR __m256i
#define LOAD(from) _mm256_loadu_si256((const __m256i *)(from))
#define STORE(to, vector) _mm256_storeu_si256((__m256i *)(to), vector)
#define ADD _mm256_add_epi32
#define ADD_PRODUCTS _mm256_madd_epi16
#define ALL _mm256_set1_epi32
#elif defined(__SSE2__)
#define LANES 4
#define VECTOR __m128i
#define LOAD(from) _mm_loadu_si128((const __m128i *)(from))
#define STORE(to, vector) _mm_storeu_si128((__m128i *)(to), vector)
#define ADD _mm_add_epi32
#define ADD_PRODUCTS _mm_madd_epi16
#define ALL _mm_set1_epi32
#endif

/* sums += the taps of one row of the window, for every quad. */
static void filter_row(const int16_t *taps, const int16_t *row, int64_t quads, int32_t *sums) {
    int32_t pairs[TAPS / 2];
    memcpy(pairs, taps, sizeof pairs);
    if (!(pairs[0] | pairs[1] | pairs[2])) return;
    int64_t q = 0;
#if defined(LANES)
    const VECTOR first = ALL(pairs[0]), second = ALL(pairs[1]), third = ALL(pairs[2]);
    for (; q + LANES <= quads; q += LANES) {
        const int16_t *at = row + 2 * q;
        VECTOR sum = ADD(LOAD(sums + q), ADD_PRODUCTS(LOAD(at), first));
        sum = ADD(sum, ADD_PRODUCTS(LOAD(at + 2), second));
        STORE(sums + q, ADD(sum, ADD_PRODUCTS(LOAD(at + 4), third)));
    }
#endif
    for (; q < quads; q++)
        for (int tap = 0; tap < TAPS; tap++) sums[q] += taps[tap] * row[2 * q + tap];
}

/* A row of colours as the filters take it, from `left` on, the ends repeated. */
static void centred_row(const int32_t *colours, int64_t size, int64_t left, int64_t columns,
                        int16_t *row) {
    const int64_t before = clamp(-left, 0, columns);
    const int64_t within = clamp(size - left, before, columns);
    for (int64_t x = before; x < within; x++)
        row[x] = (int16_t)(clamp(colours[left + x], 0, 2 * MIDDLE) - MIDDLE);
    for (int64_t x = 0; x < before; x++) row[x] = row[before];
    for (int64_t x = within; x < columns; x++) row[x] = row[within - 1];
}

enum { BLOCK = 128, WINDOW = 6 };

/* The filters: four planes from three colours.
   taps: [classes, 4 * 3 * 6 * 6], over the window of 6 x 6 pixels around each quad, zero where a
   position's own window of 5 x 5 does not reach; bias: [classes, 4]; colours: [3, H, W], repeated
   beyond their edges; top and left: where the first quad lies in them; classes: [h, w], higher ones
   take the last filters; rows: scratch, [3 * 6, 2 w + 4]; found: [4, h, w]. */
KERNEL rawback_linear_filter(const ReadI16 *taps, const ReadI32 *bias, const ReadI32 *colours,
                             int64_t top, int64_t left, const ReadU8 *classes, const WriteI16 *rows,
                             const WriteI16 *found) {
    const int64_t height = found->size[1], width = found->size[2], last = taps->size[0] - 1;
    const int64_t tall = colours->size[1], wide = colours->size[2];
    REQUIRE(last >= 0 && last < 8 && taps->size[1] == 4 * COLOURS * WINDOW * TAPS);
    REQUIRE(bias->size[0] == last + 1 && bias->size[1] == 4);
    REQUIRE(colours->size[0] == COLOURS && found->size[0] == 4);
    REQUIRE(classes->size[0] == height && classes->size[1] == width);
    REQUIRE(rows->size[0] == COLOURS * WINDOW && rows->size[1] >= 2 * width + 4);
    REQUIRE(top >= 0 && left >= 0 && top + 2 * height <= tall && left + 2 * width <= wide);
    for (int64_t at = 0; at < 4 * (last + 1); at++) { /* so no sum below overflows */
        const int16_t *filter = taps->data + at / 4 * taps->stride[0] + at % 4 * COLOURS * 36;
        int64_t sum = 0;
        for (int tap = 0; tap < COLOURS * 36; tap++)
            sum += filter[tap] < 0 ? -filter[tap] : filter[tap];
        REQUIRE(sum <= LARGEST_SUM);
    }
    for (int64_t y = 0; y < height; y++) {
        for (int64_t at = y ? 4 : 0; at < WINDOW; at++) { /* row `at` of the window of quad row y */
            const int64_t row = clamp(top + 2 * y + at - 2, 0, tall - 1);
            for (int c = 0; c < COLOURS; c++)
                centred_row(colours->data + c * colours->stride[0] + row * colours->stride[1], wide,
                            left - 2, 2 * width + 4,
                            rows->data + (c * WINDOW + (2 * y + at) % WINDOW) * rows->stride[0]);
        }
        const uint8_t *served = classes->data + y * classes->stride[0];
        for (int64_t x = 0; x < width; x += BLOCK) {
            const int64_t count = clamp(width - x, 0, BLOCK);
            unsigned present = 0;
            uint8_t chosen[BLOCK];
            for (int64_t q = 0; q < count; q++) {
                chosen[q] = served[x + q] < last ? served[x + q] : (uint8_t)last;
                present |= 1u << chosen[q];
            }
            for (int64_t class = 0; class <= last; class++) {
                if (!(present >> class & 1)) continue;
                int32_t sums[4][BLOCK] = {{0}};
                for (int c = 0; c < COLOURS; c++)
                    for (int at = 0; at < WINDOW; at++)
                        for (int position = 0; position < 4; position++)
                            filter_row(taps->data + class * taps->stride[0] +
                                           ((position * COLOURS + c) * WINDOW + at) * TAPS,
                                       rows->data + 2 * x +
                                           (c * WINDOW + (2 * y + at) % WINDOW) * rows->stride[0],
                                       count, sums[position]);
                for (int position = 0; position < 4; position++) {
                    int16_t *to = found->data + position * found->stride[0] +
                                  y * found->stride[1] + x;
                    const int32_t offset = (int32_t)clamp(
                        MIDDLE + (int64_t)bias->data[class * bias->stride[0] + position], -(1 << 20),
                        1 << 20);
                    for (int64_t q = 0; q < count; q++) {
                        const int32_t value = ((sums[position][q] + 128) >> 8) + offset;
                        const int32_t kept = value < -LIMIT ? -LIMIT : value > LIMIT ? LIMIT : value;
                        to[q] = (int16_t)(chosen[q] == class ? kept : to[q]);
                    }
                }
            }
        }
    }
    return 0;
}
