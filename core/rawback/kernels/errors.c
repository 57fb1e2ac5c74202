/* How far the samples of two frames are apart. */
#include "kernels.h"

enum { LANES = 8 };

static inline float signal(uint16_t sample, float black, float scale) {
    const float found = ((float)sample - black) / scale;
    return found < 0 ? 0 : found > 1 ? 1 : found;
}

/* sums = squared errors of the signal; the same over the variance of the noise; how many samples
   were looked at; the largest difference.

   Both frames have the same levels: `black` and what lies between black and white, `scale`, of the
   samples of each row that repeats, [period, width]. `noise`: the variance is its first times the
   signal, and its second. `selected`: where it is not 0 samples count; all do if it is empty. */
KERNEL rawback_sample_errors(const ReadU16 *original, const ReadU16 *restored,
                             const ReadF32 *black, const ReadF32 *scale, const ReadF32 *noise,
                             const ReadU8 *selected, const WriteF64 *sums) {
    const int64_t height = original->size[0], width = original->size[1], period = black->size[0];
    REQUIRE(restored->size[0] == height && restored->size[1] == width);
    REQUIRE(period > 0 && black->size[1] == width);
    REQUIRE(scale->size[0] == period && scale->size[1] == width);
    REQUIRE(noise->size[0] == 2 && sums->size[0] == 4);
    const int all = selected->size[0] == 0;
    REQUIRE(all || (selected->size[0] == height && selected->size[1] == width));
    double squares[LANES] = {0}, relative[LANES] = {0};
    int64_t count = 0;
    int32_t worst = 0;
    for (int64_t y = 0; y < height; y++) {
        const uint16_t *a = original->data + y * original->stride[0];
        const uint16_t *b = restored->data + y * restored->stride[0];
        const float *low = black->data + y % period * black->stride[0];
        const float *whole = scale->data + y % period * scale->stride[0];
        const uint8_t *row = all ? 0 : selected->data + y * selected->stride[0];
        for (int64_t start = 0; start < width; start += LANES) {
            const int64_t end = width - start < LANES ? width - start : LANES;
            for (int64_t lane = 0; lane < end; lane++) {
                const int64_t x = start + lane;
                const int32_t apart = a[x] < b[x] ? b[x] - a[x] : a[x] - b[x];
                const float truth = signal(a[x], low[x], whole[x]);
                const float error = signal(b[x], low[x], whole[x]) - truth, square = error * error;
                const int counts = all || row[x] != 0;
                squares[lane] += counts ? square : 0;
                relative[lane] += counts ? square / (noise->data[0] * truth + noise->data[1]) : 0;
                count += counts;
                worst = counts && apart > worst ? apart : worst;
            }
        }
    }
    for (int64_t at = 0; at < 4; at++) sums->data[at] = 0;
    for (int64_t lane = 0; lane < LANES; lane++) {
        sums->data[0] += squares[lane];
        sums->data[1] += relative[lane];
    }
    sums->data[2] = (double)count;
    sums->data[3] = worst;
    return 0;
}
