/* The base: colours from the guide, classes of regions, and the filters. */
#include "kernels.h"

#include <string.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

enum { NODES = 17, SIDES = 3, COLOURS = 4, GAIN_BITS = 12 };

/* Sums and products that wrap, and halves that round up. */
static inline int32_t mixed(int32_t low, int32_t high, int32_t part) {
    return (int32_t)((uint32_t)low * (uint32_t)(16 - part) + (uint32_t)high * (uint32_t)part);
}
static inline int32_t sixteenth(uint32_t value) { return (int32_t)(value + 8u) >> 4; }

/* One row of the table's colours. Nodes always have four values, so that one load fetches all. */
static inline void look_up_row(const int32_t *nodes, const uint8_t *pixels, int64_t columns,
                               int colours, int32_t *out[COLOURS]) {
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
        for (int c = 0; c < colours; c++) out[c][x] = found[c];
    }
}

/* value += value * gain, the gain bilinear between the nodes of two rows of the grid. */
static void gain_row(const int32_t *above, const int32_t *below, int bits, int64_t down,
                     int64_t left, int64_t columns, int colours, int32_t *values[COLOURS]) {
    const int32_t spacing = 1 << bits;
    const int surplus = 2 * bits + 8 - GAIN_BITS;
    for (int64_t x = 0; x < columns;) {
        const int64_t node = (left + x) >> bits;
        const int64_t first = (left + x) & (spacing - 1);
        const int64_t count = clamp(spacing - first, 1, columns - x);
        const int32_t part = (int32_t)down;
        const int32_t near = above[node] * (spacing - part) + below[node] * part;
        const int32_t far = above[node + 1] * (spacing - part) + below[node + 1] * part;
        for (int c = 0; c < colours; c++)
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

/* Count the colours of pixels [h, w, 3]: by the upper four bits of each channel, [4096]. */
KERNEL rawback_count_colours(const ReadU8 *pixels, const WriteI64 *counts) {
    REQUIRE(pixels->size[2] == 3 && counts->size[0] == 4096);
    for (int64_t y = 0; y < pixels->size[0]; y++)
        for (int64_t x = 0; x < pixels->size[1]; x++) {
            const uint8_t *p = pixels->data + y * pixels->stride[0] + x * pixels->stride[1];
            counts->data[(p[0] >> 4) << 8 | (p[1] >> 4) << 4 | p[2] >> 4]++;
        }
    return 0;
}

/* The table and the gains at every pixel, and a fixed level where the guide covers nothing.
   nodes: [17, 17, 17, 4]; gains: [rows, columns], or empty with bits = 0; top and left: of the
   window in the frame; levels: [n]; found: [n, h, w], one to four colours. */
KERNEL rawback_base_colours(const ReadI32 *nodes, const ReadI32 *gains, int64_t bits, int64_t top,
                            int64_t left, const ReadI32 *levels, const ReadU8 *pixels,
                            const ReadU8 *mask, const WriteI32 *found) {
    const int64_t colours = found->size[0], rows = found->size[1], columns = found->size[2];
    REQUIRE(nodes->size[0] == NODES * NODES * NODES && nodes->size[1] == 4 && nodes->stride[0] == 4);
    REQUIRE(bits == 0 || (bits >= 2 && bits <= 10));
    REQUIRE(top >= 0 && left >= 0 && top < 1 << 24 && left < 1 << 24);
    REQUIRE(colours > 0 && colours <= COLOURS && levels->size[0] == colours);
    REQUIRE(pixels->size[0] == rows && pixels->size[1] == columns && pixels->size[2] == SIDES);
    REQUIRE(pixels->stride[1] == SIDES || columns < 2);
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
        for (int64_t c = 0; c < COLOURS; c++)
            out[c] = found->data + clamp(c, 0, colours - 1) * found->stride[0] + y * found->stride[1];
        const uint8_t *row = pixels->data + y * pixels->stride[0];
        if (colours == SIDES)
            look_up_row(nodes->data, row, columns, SIDES, out);
        else
            look_up_row(nodes->data, row, columns, (int)colours, out);
        if (bits) {
            const int32_t *above = gains->data + ((top + y) >> bits) * gains->stride[0];
            gain_row(above, above + gains->stride[0], (int)bits, (top + y) & ((1 << bits) - 1),
                     left, columns, (int)colours, out);
        }
        const uint8_t *covered = mask->data + y * mask->stride[0];
        for (int64_t c = 0; c < colours; c++)
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

/* Of one row of cells of side x side pixels: mean light, the ends repeated once; and whether any of
   its pixels is clipped, 0 beyond the ends. */
static inline void cell_row(const ReadI32 *light, const ReadU8 *pixels, int side, int64_t row,
                            int32_t *level, uint8_t *bright) {
    const int64_t cells = light->size[1] / side, bytes = 3 * side;
    for (int64_t x = 0; x < cells; x++) {
        uint32_t sum = 0;
        for (int down = 0; down < side; down++)
            for (int right = 0; right < side; right++)
                sum += (uint32_t)light->data[(side * row + down) * light->stride[0] + side * x + right];
        level[x + 1] = side == 3 ? (int32_t)sum / 9 : (int32_t)sum >> (side == 4 ? 4 : 2 * side - 2);
    }
    level[0] = level[1];
    level[cells + 1] = level[cells];
    memset(bright, 0, (size_t)cells + 2);
    for (int down = 0; down < side; down++) {
        const uint8_t *from = pixels->data + (side * row + down) * pixels->stride[0];
        for (int64_t x = 0; x < cells;) {
            const int64_t end = clamp(x + 32, 0, cells); /* few are clipped: most blocks have none */
            if (highest(from + bytes * x, bytes * (end - x)) >= CLIPPED)
                for (int64_t at = x; at < end; at++)
                    bright[at + 1] |= highest(from + bytes * at, bytes) >= CLIPPED;
            x = end;
        }
    }
}

static inline int32_t apart(int32_t a, int32_t b) {
    const int32_t by = (int32_t)((uint32_t)a - (uint32_t)b);
    return by < 0 ? (int32_t)(0u - (uint32_t)by) : by;
}

static inline int32_t larger(int32_t a, int32_t b) { return a > b ? a : b; }

static inline int64_t classify(const ReadI32 *light, const ReadU8 *pixels, const ReadU8 *mask,
                               int side, const WriteI32 *levels, const WriteU8 *flags,
                               const WriteU8 *found) {
    const int64_t rows = found->size[0], columns = found->size[1];
    REQUIRE(rows > 0 && columns > 0);
    REQUIRE(light->size[0] == side * rows && light->size[1] == side * columns);
    REQUIRE(pixels->size[0] == side * rows && pixels->size[1] == side * columns);
    REQUIRE(pixels->size[2] == 3);
    REQUIRE(pixels->stride[1] == 3);
    REQUIRE(mask->size[0] == side * rows && mask->size[1] == side * columns);
    REQUIRE(levels->size[0] == 3 && levels->size[1] >= columns + 2);
    REQUIRE(flags->size[0] == 3 && flags->size[1] >= columns + 2);
    /* Rows y - 1, y and y + 1, the ends repeated, lie in rows (y - 1) % 3, ... of the scratch. */
    cell_row(light, pixels, side, 0, levels->data, flags->data);
    for (int64_t y = 0; y < rows; y++) {
        const int32_t *level[3];
        const uint8_t *flag[3];
        for (int64_t at = 0; at < 3; at++) {
            const int64_t row = clamp(y - 1 + at, 0, rows - 1) % 3;
            if (at == 2 && y + 1 < rows)
                cell_row(light, pixels, side, y + 1, levels->data + row * levels->stride[0],
                         flags->data + row * flags->stride[0]);
            level[at] = levels->data + row * levels->stride[0];
            flag[at] = flags->data + row * flags->stride[0];
        }
        const uint8_t *covered = mask->data + side * y * mask->stride[0];
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
            int whole = 1;
            for (int down = 0; down < side; down++)
                for (int right = 0; right < side; right++)
                    whole &= covered[down * mask->stride[0] + side * x + right] != 0;
            to[x] = whole ? to[x] : CLASS_UNCOVERED;
        }
    }
    return 0;
}

/* Class of each cell of side x side pixels, 1 to 4, see rawback.residual.region_classes;
   levels and flags: scratch, [3, w + 2] */
KERNEL rawback_region_classes(const ReadI32 *light, const ReadU8 *pixels, const ReadU8 *mask,
                              int64_t side, const WriteI32 *levels, const WriteU8 *flags,
                              const WriteU8 *found) {
    REQUIRE(side >= 1 && side <= 4);
    if (side == 2) return classify(light, pixels, mask, 2, levels, flags, found);
    return classify(light, pixels, mask, (int)side, levels, flags, found);
}

enum { TAPS = 6, TAP_ROWS = 5, PHASES = 32, MIDDLE = 1 << 13, LARGEST_SUM = 1 << 11, LIMIT = (1 << 15) - 1 };

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

/* sums += six taps of one row, for every quad of two columns. */
static void filter_quads(const int16_t *taps, const int16_t *row, int64_t cells, int32_t *sums) {
    int32_t pairs[TAPS / 2];
    memcpy(pairs, taps, sizeof pairs);
    if (!(pairs[0] | pairs[1] | pairs[2])) return;
    int64_t q = 0;
#if defined(LANES)
    const VECTOR first = ALL(pairs[0]), second = ALL(pairs[1]), third = ALL(pairs[2]);
    for (; q + LANES <= cells; q += LANES) {
        const int16_t *at = row + 2 * q;
        VECTOR sum = ADD(LOAD(sums + q), ADD_PRODUCTS(LOAD(at), first));
        sum = ADD(sum, ADD_PRODUCTS(LOAD(at + 2), second));
        STORE(sums + q, ADD(sum, ADD_PRODUCTS(LOAD(at + 4), third)));
    }
#endif
    for (; q < cells; q++)
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

/* Sort a row's pixels by their place among `stride` ones, each with the pixel after it: each place in
   `span` pairs. One more pixel than `columns` may be read. */
static void sort_row(const int16_t *row, int64_t columns, int64_t stride, int64_t span,
                     int16_t *sorted) {
    for (int64_t place = 0; place < stride; place++) {
        int16_t *to = sorted + 2 * place * span;
        for (int64_t x = place; x < columns; x += stride, to += 2)
            memcpy(to, row + x, 2 * sizeof *row);
    }
}

enum { MOST_ROWS = COLOURS * TAP_ROWS, PAIRS = TAPS / 2, STEPS = 4 };

/* Rows of sorted pairs, and the taps of each. */
typedef struct {
    int64_t count;
    const int16_t *rows[MOST_ROWS];
    int16_t taps[MOST_ROWS][TAPS];
} TapRows;

/* sums = the products with all taps, from three places of sorted rows on, of one cell after the other. */
static void filter_cells(const TapRows *all, const int64_t places[PAIRS], int64_t cells,
                                int32_t *sums) {
    int64_t q = 0;
#if defined(LANES)
    for (; q + STEPS * LANES <= cells; q += STEPS * LANES) {
        VECTOR sum[STEPS];
        for (int i = 0; i < STEPS; i++) sum[i] = ALL(0);
        for (int64_t row = 0; row < all->count; row++)
            for (int pair = 0; pair < PAIRS; pair++) {
                int32_t both;
                memcpy(&both, all->taps[row] + 2 * pair, sizeof both);
                const VECTOR taps = ALL(both);
                const int16_t *at = all->rows[row] + places[pair] + 2 * q;
                for (int i = 0; i < STEPS; i++)
                    sum[i] = ADD(sum[i], ADD_PRODUCTS(LOAD(at + 2 * i * LANES), taps));
            }
        for (int i = 0; i < STEPS; i++) STORE(sums + q + i * LANES, sum[i]);
    }
#endif
    for (int64_t x = q; x < cells; x++) sums[x] = 0;
    for (int64_t row = 0; row < all->count; row++)
        for (int pair = 0; pair < PAIRS; pair++) {
            const int32_t even = all->taps[row][2 * pair], odd = all->taps[row][2 * pair + 1];
            const int16_t *at = all->rows[row] + places[pair];
            for (int64_t x = q; x < cells; x++) sums[x] += even * at[2 * x] + odd * at[2 * x + 1];
        }
}

enum { BLOCK = 128, MOST_CLASSES = 4, MOST_PLANES = 16, WIDEST = 16 };

/* Taps as rows of pixels take them: of each class, channel or phase and column of a quad, colour and
   row, six of which one at an end is 0. */
typedef int16_t Taps[MOST_CLASSES][PHASES][2][COLOURS][TAP_ROWS][TAPS];

static int unfold_taps(const ReadI16 *taps, int64_t colours, Taps unfolded) {
    memset(unfolded, 0, sizeof(Taps));
    for (int64_t class = 0; class < taps->size[0]; class++)
        for (int64_t channel = 0; channel < taps->size[1]; channel++) {
            const int16_t *from =
                taps->data + class * taps->stride[0] + channel * taps->stride[1];
            int64_t sum = 0;
            for (int64_t at = 0; at < colours * TAP_ROWS * 5; at++) {
                const int64_t c = at / 25, row = at / 5 % 5, column = at % 5;
                for (int side = 0; side < 2; side++)
                    unfolded[class][channel][side][c][row][column + side] = from[at];
                sum += from[at] < 0 ? -from[at] : from[at];
            }
            if (sum > LARGEST_SUM) return 0; /* so no sum of products overflows */
        }
    return 1;
}

/* The filters: the planes of the cells' samples from one to four colours of each pixel.
   taps: [classes, channels, colours * 5 * 5], around the pixel of a sample, of channels or of phases,
   as the layout numbers them; bias: [classes, channels]; colours: [n, H, W], repeated beyond their edges; layout: [p, q, 2 planes], of cells that
   repeat, see rawback_planes_of_mosaic; side: pixels along a cell's sides; down and right: where the
   first cell lies in the frame, in cells; top and left: where it lies in `colours`, in pixels;
   classes: [h, w], higher ones take the last filters; rows: scratch, [1 + n * (4 + side), side w + 4
   + 3 side q], twice as wide but for quads that are all alike; found: [planes, h, w]. */
KERNEL rawback_linear_filter(const ReadI16 *taps, const ReadI32 *bias, const ReadI32 *colours,
                             const ReadU8 *layout, int64_t side, int64_t down, int64_t right,
                             int64_t top, int64_t left, const ReadU8 *classes,
                             const WriteI16 *rows, const WriteI16 *found) {
    const int64_t planes = found->size[0], height = found->size[1], width = found->size[2];
    const int64_t last = taps->size[0] - 1, count = colours->size[0];
    const int64_t tall = colours->size[1], wide = colours->size[2], repeat = layout->size[1];
    REQUIRE(side >= 1 && side <= 4 && planes > 0 && planes <= MOST_PLANES);
    REQUIRE(side == 1 || planes == side * side);
    REQUIRE(layout->size[0] > 0 && repeat > 0 && repeat <= WIDEST);
    REQUIRE(layout->size[2] == 2 * planes);
    REQUIRE(count > 0 && count <= COLOURS && last >= 0 && last < MOST_CLASSES);
    REQUIRE(taps->size[1] > 0 && taps->size[1] <= PHASES && taps->size[2] == count * 25);
    REQUIRE(bias->size[0] == last + 1 && bias->size[1] == taps->size[1]);
    REQUIRE(classes->size[0] == height && classes->size[1] == width);
    const int64_t window = 4 + side;
    const int64_t columns = side * width + 4;
    const int quads = side == 2 && repeat == 1;
    const int64_t stride = side * repeat, span = (columns + stride - 1) / stride;
    const int64_t room = columns + 3 * stride;
    REQUIRE(rows->size[0] > count * window && rows->size[1] >= (quads ? room : 2 * room));
    int16_t *unsorted = rows->data + count * window * rows->stride[0];
    REQUIRE(top >= 0 && left >= 0 && top + side * height <= tall && left + side * width <= wide);
    REQUIRE(down >= 0 && right >= 0 && down < 1 << 24 && right < 1 << 24);
    Taps unfolded;
    REQUIRE(unfold_taps(taps, count, unfolded));
    for (int64_t y = 0; y < height; y++) {
        for (int64_t at = y ? window - side : 0; at < window; at++) { /* of this row of cells */
            const int64_t row = clamp(top + side * y + at - 2, 0, tall - 1);
            for (int64_t c = 0; c < count; c++) {
                int16_t *to =
                    rows->data + (c * window + (side * y + at) % window) * rows->stride[0];
                centred_row(colours->data + c * colours->stride[0] + row * colours->stride[1], wide,
                            left - 2, columns, quads ? to : unsorted);
                if (quads) continue;
                unsorted[columns] = 0;
                sort_row(unsorted, columns, stride, span, to);
            }
        }
        const uint8_t *served = classes->data + y * classes->stride[0];
        const uint8_t *cells_of = layout->data + (down + y) % layout->size[0] * layout->stride[0];
        for (int64_t plane = 0; plane < planes; plane++)
            for (int64_t first = 0; first < repeat; first++) {
                /* Every `repeat`th cell, from this one on, has its sample at the same pixel. */
                const uint8_t *place =
                    cells_of + (right + first) % repeat * layout->stride[1] + 2 * plane;
                const int64_t sample = side == 1 ? 0 : clamp(place[0], 0, planes - 1);
                const int64_t channel = clamp(place[1], 0, taps->size[1] - 1);
                const int64_t row = side * y + sample / side, column = sample % side;
                int16_t *to = found->data + plane * found->stride[0] + y * found->stride[1];
                for (int64_t x = first; x < width; x += BLOCK * repeat) {
                    const int64_t cells = clamp((width - x + repeat - 1) / repeat, 0, BLOCK);
                    unsigned present = 0;
                    uint8_t chosen[BLOCK];
                    for (int64_t q = 0; q < cells; q++) {
                        const int64_t class = served[x + q * repeat];
                        chosen[q] = (uint8_t)(class < last ? class : last);
                        present |= 1u << chosen[q];
                    }
                    for (int64_t class = 0; class <= last; class++) {
                        if (!(present >> class & 1)) continue;
                        int32_t sums[BLOCK] = {0};
                        TapRows all;
                        all.count = 0;
                        for (int64_t c = 0; c < count; c++)
                            for (int64_t at = 0; at < TAP_ROWS; at++) {
                                const int16_t *from =
                                    rows->data +
                                    (c * window + (row + at) % window) * rows->stride[0];
                                const int16_t *own =
                                    unfolded[class][channel][quads ? column : 0][c][at];
                                if (quads) {
                                    filter_quads(own, from + side * x, cells, sums);
                                    continue;
                                }
                                memcpy(all.taps[all.count], own, sizeof all.taps[0]);
                                all.rows[all.count++] = from;
                            }
                        if (!quads) {
                            int64_t places[PAIRS];
                            for (int64_t pair = 0; pair < PAIRS; pair++) {
                                const int64_t from = side * x + column + 2 * pair;
                                places[pair] = 2 * (from % stride * span + from / stride);
                            }
                            filter_cells(&all, places, cells, sums);
                        }
                        const int64_t added =
                            MIDDLE + (int64_t)bias->data[class * bias->stride[0] + channel];
                        const int32_t offset = (int32_t)clamp(added, -(1 << 20), 1 << 20);
                        for (int64_t q = 0; q < cells; q++) {
                            const int32_t value = ((sums[q] + 128) >> 8) + offset;
                            const int32_t kept =
                                value < -LIMIT ? -LIMIT : value > LIMIT ? LIMIT : value;
                            int16_t *at = to + x + q * repeat;
                            *at = (int16_t)(chosen[q] == class ? kept : *at);
                        }
                    }
                }
            }
    }
    return 0;
}
