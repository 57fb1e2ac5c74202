/* Grain: noise in place of coefficients that were not coded, see common/grain.py. A tile has 16
   bands, coarse to fine, of four components each; arrays of a tile hold them one after the other,
   those of what all components share a fourth of them. */
#include "kernels.h"

#define BANDS 16
#define COMPONENTS 4

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

/* rows, columns   of the tile, in quads; top, left: where it lies in the frame
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
    REQUIRE(indices->size[0] == COMPONENTS * area && found->size[0] == COMPONENTS * area);
    REQUIRE(classes->size[0] == area && noise->size[0] == area);
    REQUIRE(amplitudes->size[0] == BANDS && amplitudes->size[1] == COMPONENTS);
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
        REQUIRE((start + height * width) * COMPONENTS <= indices->size[0]);
        for (int64_t component = 0; component < COMPONENTS; component++) {
            const int32_t amplitude = (int32_t)clamp(
                amplitudes->data[band * amplitudes->stride[0] + component], 0, 1 << 20);
            for (int64_t y = 0; y < height; y++) {
                const int64_t at = COMPONENTS * start + (component * height + y) * width;
                const int64_t shared = start + y * width;
                const uint64_t row = mixed((uint64_t)seed + (uint64_t)(band * COMPONENTS + component)) +
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
