/* Grain: noise in place of coefficients that were not coded, see common/grain.py, and how much of it
   is missing, see encoder/grain.py. A tile has 16 bands, coarse to fine, of up to 16 components each;
   arrays of a tile hold them one after the other, those of what all components share have one. */
#include "kernels.h"

#define BANDS 16
#define MOST 16

/* The finaliser of splitmix64 (Steele, Lea and Flood, OOPSLA 2014). */
static inline uint64_t mixed(uint64_t value) {
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
    value = (value ^ value >> 27) * 0x94d049bb133111ebu;
    return value ^ value >> 31;
}

/* About normal: the sum of eight even bytes less its mean; its deviation is 209. */
static inline int32_t normal(uint64_t bits) {
    /* Sums of pairs, then of fours, then of all. */
    bits = (bits & 0x00ff00ff00ff00ffu) + (bits >> 8 & 0x00ff00ff00ff00ffu);
    bits = (bits & 0x0000ffff0000ffffu) + (bits >> 16 & 0x0000ffff0000ffffu);
    return (int32_t)((bits & 0xffffffffu) + (bits >> 32)) - 1020;
}

/* rows, columns   of the tile, in cells; top, left: where it lies in the frame
   seed            of the frame
   indices         of all bands
   classes, noise  of all bands: the class of the region, the relative deviation of the noise, 1/256
   last_class      regions of higher classes get no grain
   amplitudes      of each band and component, 2^-20 of a coefficient unit */
KERNEL rawback_grain(int64_t rows, int64_t columns, int64_t top, int64_t left, int64_t seed,
                     const ReadI32 *indices, const ReadU8 *classes, const ReadU16 *noise,
                     int64_t last_class, const ReadI32 *amplitudes, const WriteI32 *found) {
    REQUIRE(rows > 0 && columns > 0 && rows < 1 << 15 && columns < 1 << 15);
    REQUIRE(top >= 0 && left >= 0 && top < 1 << 15 && left < 1 << 15);
    const int64_t area = rows * columns;
    const int64_t count = amplitudes->size[1];
    REQUIRE(amplitudes->size[0] == BANDS && count > 0 && count <= MOST);
    REQUIRE(indices->size[0] == count * area && found->size[0] == count * area);
    REQUIRE(classes->size[0] == area && noise->size[0] == area);
    int64_t start = 0;
    for (int64_t band = 0; band < BANDS; band++) {
        const int64_t part = band ? (band - 1) % 3 : -1, level = band ? 5 - (band - 1) / 3 : 5;
        int64_t height = rows, width = columns;
        for (int64_t l = 1; l < level; l++) {
            height = (height + 1) / 2;
            width = (width + 1) / 2;
        }
        height = part >= 1 ? height / 2 : (height + 1) / 2;
        width = part == 0 || part == 2 ? width / 2 : (width + 1) / 2;
        REQUIRE((start + height * width) * count <= indices->size[0]);
        for (int64_t component = 0; component < count; component++) {
            const int32_t amplitude = (int32_t)clamp(
                amplitudes->data[band * amplitudes->stride[0] + component], 0, 1 << 20);
            for (int64_t y = 0; y < height; y++) {
                const int64_t at = count * start + (component * height + y) * width;
                const int64_t shared = start + y * width;
                const uint64_t row = mixed((uint64_t)seed + (uint64_t)(band * MOST + component)) +
                                     ((uint64_t)((top >> level) + y) << 32);
                for (int64_t x = 0; x < width; x++) {
                    int32_t value = 0;
                    if (!indices->data[at + x] && classes->data[shared + x] <= last_class) {
                        const uint64_t bits = mixed(row + (uint64_t)((left >> level) + x));
                        const int64_t scale = (int64_t)amplitude * noise->data[shared + x];
                        value = (int32_t)((normal(bits) * scale + (1 << 19)) >> 20);
                    }
                    found->data[at + x] = value;
                }
            }
        }
        start += height * width;
    }
    return 0;
}

/* Sums over the blocks of a band, of coefficients in regions up to a class, each divided by the
   relative deviation of the noise: their number, and the power of the original's; and for each
   layer, coarse to fine, of those that it left at 0: their number, and by how much less power the
   base has than the original.

   coefficients    of the residual; indices: of the last layer; base: the base's own
   classes, noise  as above
   side            of a block; those at the ends may be smaller
   sums            of each component and block, row by row: the sums */
KERNEL rawback_grain_power(const ReadF32 *coefficients, const ReadI32 *indices, const ReadI32 *base,
                           const ReadU8 *classes, const ReadU16 *noise, int64_t last_class,
                           int64_t side, const WriteF32 *sums) {
    const int64_t rows = classes->size[0], columns = classes->size[1];
    const int64_t count = coefficients->size[0];
    REQUIRE(side > 0 && count > 0 && count <= MOST);
    const int64_t across = (columns + side - 1) / side, down = (rows + side - 1) / side;
    REQUIRE(coefficients->size[1] == rows && coefficients->size[2] == columns);
    REQUIRE(indices->size[0] == count && indices->size[1] == rows);
    REQUIRE(indices->size[2] == columns && base->size[0] == count);
    REQUIRE(base->size[1] == rows && base->size[2] == columns);
    REQUIRE(noise->size[0] == rows && noise->size[1] == columns);
    REQUIRE(sums->size[0] == count && sums->size[1] == down * across);
    REQUIRE(sums->size[2] >= 2 && sums->size[2] % 2 == 0);
    const int layers = (int)(sums->size[2] / 2) - 1;
    for (int64_t component = 0; component < count; component++)
        for (int64_t y = 0; y < rows; y++) {
            const float *left = coefficients->data + component * coefficients->stride[0] +
                                y * coefficients->stride[1];
            const int32_t *index =
                indices->data + component * indices->stride[0] + y * indices->stride[1];
            const int32_t *kept = base->data + component * base->stride[0] + y * base->stride[1];
            const uint8_t *class = classes->data + y * classes->stride[0];
            const uint16_t *deviation = noise->data + y * noise->stride[0];
            for (int64_t block = 0; block < across; block++) {
                float *sum = sums->data + component * sums->stride[0] +
                             (y / side * across + block) * sums->stride[1];
                const int64_t end = (block + 1) * side < columns ? (block + 1) * side : columns;
                for (int64_t x = block * side; x < end; x++) {
                    if (class[x] > last_class || !deviation[x]) continue;
                    const float own = (float)kept[x], all = own + 256 * left[x] / deviation[x];
                    sum[0] += 1;
                    sum[1] += all * all;
                    /* An index is halved from each layer to the coarser one before. */
                    const int64_t magnitude = index[x] < 0 ? -(int64_t)index[x] : index[x];
                    for (int layer = 0; layer < layers && !(magnitude >> (layers - 1 - layer)); layer++) {
                        sum[2 + 2 * layer] += 1;
                        sum[3 + 2 * layer] += all * all - own * own;
                    }
                }
            }
        }
    return 0;
}
