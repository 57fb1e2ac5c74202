/* Grain: noise in place of coefficients that were not coded, see common/grain.py; and where a
   frame is flat, see encoder/flat_patches.py. A tile has 16 bands, coarse to fine, of up to 16
   components each; arrays of a tile hold them one after the other, those of what all components
   share have one. */
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

/* Sums over square blocks of planes, sums[plane, block, 3] of blocks in reading order: of samples; of
   the squares of what is left of each 2x2 samples without mean and slopes; and how many samples are
   clipped, at most 0 or at least white. Blocks that reach beyond the planes are left out. */
KERNEL rawback_flatness(const ReadI16 *planes, int64_t side, int64_t white, const WriteF64 *sums) {
    REQUIRE(side > 0 && side % 2 == 0 && side <= 64);
    const int64_t down = planes->size[1] / side, across = planes->size[2] / side;
    REQUIRE(sums->size[0] == planes->size[0]);
    REQUIRE(sums->size[1] == down * across && sums->size[2] == 3);
    for (int64_t plane = 0; plane < planes->size[0]; plane++)
        for (int64_t block = 0; block < down * across; block++) {
            const int16_t *corner = planes->data + plane * planes->stride[0] +
                                    block / across * side * planes->stride[1] +
                                    block % across * side;
            int64_t total = 0, fine = 0, clipped = 0;
            for (int64_t y = 0; y < side; y += 2) {
                const int16_t *a = corner + y * planes->stride[1], *b = a + planes->stride[1];
                for (int64_t x = 0; x < side; x += 2) {
                    const int64_t turned = (int64_t)a[x] - b[x] - a[x + 1] + b[x + 1];
                    total += a[x] + b[x] + a[x + 1] + b[x + 1];
                    fine += turned * turned;
                }
                for (int64_t x = 0; x < side; x++)
                    clipped += (a[x] <= 0 || a[x] >= white) + (b[x] <= 0 || b[x] >= white);
            }
            double *sum = sums->data + plane * sums->stride[0] + block * sums->stride[1];
            sum[0] = (double)total;
            sum[1] = (double)fine;
            sum[2] = (double)clipped;
        }
    return 0;
}
