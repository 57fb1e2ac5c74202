/* The carrier's pixels on the raw grid. */
#include "kernels.h"

enum { STEP = 16, FINE_BITS = 5, PARTS = 32 }; /* nodes' spacing; 1024ths in a 32nd; 32nds */

/* Of one raw row, the carrier position in 32nds of a pixel, by interpolation between nodes. */
static void position_row(const ReadI64 *nodes, int64_t row, int64_t left, int64_t columns,
                         int axis, int32_t *found) {
    const int64_t *above = nodes->data + row / STEP * nodes->stride[0] + axis;
    const int64_t *below = above + nodes->stride[0];
    const int64_t part = row % STEP;
    int64_t node = left / STEP, edges[2] = {0, 0};
    for (int64_t x = 0; x < columns; node++) {
        for (int at = 0; at < 2; at++) {
            const int64_t upper = above[2 * (node + at)], lower = below[2 * (node + at)];
            edges[at] = upper + (((lower - upper) * part + STEP / 2) >> 4);
        }
        for (int64_t step = (left + x) % STEP; step < STEP && x < columns; step++, x++) {
            const int64_t inside = (edges[1] - edges[0]) * step + STEP / 2;
            found[x] = (int32_t)((edges[0] + (inside >> 4) + (1 << (FINE_BITS - 1))) >> FINE_BITS);
        }
    }
}

/* Bilinear samples of the carrier, and where it covers the raw.
   nodes: [rows, columns, 2], magnitudes below 2**28; left and top: of the window in the raw;
   pixels: [H, W, 3], a part of the carrier, averaged over squares of even side if `even`; right and
   below: where the part lies in the carrier of `tall` rows and `wide` columns; positions: scratch,
   [2, w]; guide: [h, w, 3]; mask: [h, w]. */
KERNEL rawback_sample_guide(const ReadI64 *nodes, int64_t left, int64_t top, const ReadU8 *pixels,
                            int64_t right, int64_t below, int64_t tall, int64_t wide, int64_t even,
                            const WriteI32 *positions, const WriteU8 *guide, const WriteU8 *mask) {
    const int64_t rows = mask->size[0], columns = mask->size[1];
    REQUIRE(left >= 0 && top >= 0 && left < 1 << 24 && top < 1 << 24 && nodes->size[2] == 2);
    REQUIRE(nodes->stride[1] == 2 && positions->size[0] == 2 && positions->size[1] >= columns);
    REQUIRE(!rows || (top + rows - 1) / STEP + 1 < nodes->size[0]);
    REQUIRE(!columns || (left + columns - 1) / STEP + 1 < nodes->size[1]);
    REQUIRE(guide->size[0] == rows && guide->size[1] == columns && guide->size[2] == 3);
    REQUIRE(guide->stride[1] == 3 || columns < 2);
    REQUIRE(pixels->size[0] > 0 && pixels->size[1] > 0 && pixels->size[2] == 3);
    REQUIRE(pixels->stride[1] == 3 || pixels->size[1] == 1);
    REQUIRE(tall > 0 && wide > 0 && tall < 1 << 24 && wide < 1 << 24);
    REQUIRE(right >= 0 && below >= 0 && right < wide && below < tall);
    const int32_t half = PARTS / 2;
    for (int64_t y = 0; y < rows; y++) {
        int32_t *across = positions->data, *down = positions->data + positions->stride[0];
        position_row(nodes, top + y, left, columns, 0, across);
        position_row(nodes, top + y, left, columns, 1, down);
        uint8_t *to = guide->data + y * guide->stride[0];
        uint8_t *covered = mask->data + y * mask->stride[0];
        for (int64_t x = 0; x < columns; x++, to += 3) {
            int64_t u = across[x], v = down[x];
            covered[x] = u >= -half && u < wide * PARTS - half && v >= -half &&
                         v < tall * PARTS - half;
            if (!covered[x]) {
                to[0] = to[1] = to[2] = 0;
                continue;
            }
            /* An even square's centre lies half a pixel right of and below where it is kept. */
            u = clamp(even ? u - half : u, 0, (wide - 1) * PARTS);
            v = clamp(even ? v - half : v, 0, (tall - 1) * PARTS);
            const int64_t column = clamp(u / PARTS - right, 0, pixels->size[1] - 1);
            const int64_t row = clamp(v / PARTS - below, 0, pixels->size[0] - 1);
            const uint8_t *upper = pixels->data + row * pixels->stride[0] + 3 * column;
            const uint8_t *lower = row + 1 < pixels->size[0] ? upper + pixels->stride[0] : upper;
            const int64_t next = column + 1 < pixels->size[1] ? 3 : 0;
            const uint32_t r = u % PARTS, l = PARTS - r, b = v % PARTS, a = PARTS - b;
            for (int c = 0; c < 3; c++) {
                const uint32_t high = upper[c] * l + upper[c + next] * r;
                const uint32_t low = lower[c] * l + lower[c + next] * r;
                to[c] = (uint8_t)((high * a + low * b + 512) >> 10);
            }
        }
    }
    return 0;
}

/* Mean over every side x side square, rounded half up; pixels and means: [h, w, 3]; the squares'
   first pixels are those of the means, moved by `before` pixels up and left, ends repeated. */
KERNEL rawback_square_means(const ReadU8 *pixels, int64_t top, int64_t left, int64_t side,
                            const WriteU16 *sums, const WriteU8 *means) {
    const int64_t tall = pixels->size[0], wide = pixels->size[1];
    const int64_t rows = means->size[0], columns = means->size[1];
    REQUIRE(side >= 1 && side <= 8 && tall > 0 && wide > 0);
    REQUIRE(top > -(1 << 24) && left > -(1 << 24) && top < 1 << 24 && left < 1 << 24);
    REQUIRE(pixels->size[2] == 3 && (pixels->stride[1] == 3 || wide == 1));
    REQUIRE(means->size[2] == 3 && (means->stride[1] == 3 || columns < 2));
    REQUIRE(sums->size[0] >= 3 * (columns + side - 1));
    /* Sums are below 2**14: their product with this, cut, is the quotient. */
    const uint32_t reciprocal = (1u << 20) / (uint32_t)(side * side) + 1;
    const int64_t across = columns + side - 1;
    const int64_t before = clamp(-left, 0, across), within = clamp(wide - left, before, across);
    for (int64_t y = 0; y < rows; y++) {
        /* Down each column of the squares, then across. */
        uint16_t *sum = sums->data;
        for (int64_t x = 0; x < 3 * across; x++) sum[x] = 0;
        for (int64_t at = 0; at < side; at++) {
            const uint8_t *row = pixels->data + clamp(top + y + at, 0, tall - 1) * pixels->stride[0];
            for (int64_t x = 0; x < 3 * before; x++) sum[x] += row[x % 3];
            for (int64_t x = 3 * before; x < 3 * within; x++) sum[x] += row[3 * left + x];
            for (int64_t x = 3 * within; x < 3 * across; x++) sum[x] += row[3 * (wide - 1) + x % 3];
        }
        uint8_t *to = means->data + y * means->stride[0];
        for (int64_t x = 0; x < 3 * columns; x++) {
            uint32_t total = (uint32_t)(side * side / 2);
            for (int64_t at = 0; at < side; at++) total += sum[x + 3 * at];
            to[x] = (uint8_t)(total * reciprocal >> 20);
        }
    }
    return 0;
}
