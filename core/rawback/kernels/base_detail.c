/* The base's own wavelet coefficients, which tell where its residual has large ones. */
#include "kernels.h"

#define MOST_PLANES 16
#define LEVELS 5
#define LARGEST (1 << 16)

/* The lifting steps of residual/wavelet.py, in 1/512. */
static const int32_t LIFTS[4] = {-812, -27, 452, 227};

/* to += (lift * (a + b) + 256) >> 9, which wraps around where made-up input makes it overflow. */
static inline void lift_rows(int32_t *to, const int32_t *a, const int32_t *b, int64_t count,
                             int32_t lift) {
    for (int64_t x = 0; x < count; x++) {
        const uint32_t sum = (uint32_t)a[x] + (uint32_t)b[x];
        to[x] = (int32_t)((uint32_t)to[x] + (uint32_t)((int32_t)((uint32_t)lift * sum + 256) >> 9));
    }
}

/* Split rows in place: even ones become the low half, odd ones the high half. */
static void split_rows(int32_t *rows, int64_t height, int64_t width) {
    const int64_t lows = (height + 1) / 2, highs = height / 2;
    if (!highs) return;
#define LOW(i) (rows + 2 * (i) * width)
#define HIGH(i) (rows + (2 * (i) + 1) * width)
    for (int step = 0; step < 4; step++) {
        if (step % 2 == 0)
            for (int64_t i = 0; i < highs; i++)
                lift_rows(HIGH(i), LOW(i), LOW(i + 1 < lows ? i + 1 : lows - 1), width, LIFTS[step]);
        else
            for (int64_t i = 0; i < lows; i++)
                lift_rows(LOW(i), HIGH(i ? i - 1 : 0), HIGH(i < highs ? i : highs - 1), width,
                          LIFTS[step]);
    }
#undef LOW
#undef HIGH
}

/* Split one row of `count` into its low and high half. */
static void split_row(const int32_t *row, int64_t count, int32_t *low, int32_t *high) {
    const int64_t lows = (count + 1) / 2, highs = count / 2;
    for (int64_t i = 0; i < lows; i++) low[i] = row[2 * i];
    for (int64_t i = 0; i < highs; i++) high[i] = row[2 * i + 1];
    if (!highs) return;
    for (int step = 0; step < 4; step++) {
        if (step % 2 == 0) {
            lift_rows(high, low, low + 1, lows - 1, LIFTS[step]);
            if (lows == highs)
                lift_rows(high + highs - 1, low + lows - 1, low + lows - 1, 1, LIFTS[step]);
        } else {
            lift_rows(low, high, high, 1, LIFTS[step]);
            lift_rows(low + 1, high, high + 1, highs - 1, LIFTS[step]);
            if (lows > highs)
                lift_rows(low + lows - 1, high + highs - 1, high + highs - 1, 1, LIFTS[step]);
        }
    }
}

/* Tell of a row's coefficients how large they are beside the noise, and which are negative. */
static void tell(const int32_t *row, const uint16_t *noise, int64_t count, uint8_t *details) {
    for (int64_t x = 0; x < count; x++) {
        const uint32_t size = (uint32_t)(row[x] < 0 ? -(int64_t)row[x] : row[x]);
        const uint32_t beside =
            (size < 1 << 20 ? size : 1 << 20) * (noise[x] < 1024u ? noise[x] : 1024u);
        details[x] = (uint8_t)(quarter_octaves((int32_t)(beside >> 4)) | (row[x] < 0 ? 128 : 0));
    }
}

/* Coefficients of the components of `planes` ([n, height, width]), band by band, coarse to fine,
   each of n components. `matrix` gives planes from components, in 1/64; components are its
   transpose's. `noise`, its relative deviation at each place of all bands, in 1/256. What is told of a
   coefficient is how large it is beside the noise, in quarters of an octave (see quarter_octaves),
   and 128 where it is negative. `room`: two planes and a row to work in. */
KERNEL rawback_base_detail(const ReadI16 *planes, const ReadI32 *matrix, const ReadU16 *noise,
                           const WriteU8 *details, const WriteI32 *room) {
    const int64_t count = planes->size[0], height = planes->size[1], width = planes->size[2];
    REQUIRE(count > 0 && count <= MOST_PLANES && height > 0 && width > 0);
    REQUIRE(height <= 1 << 15 && width <= 1 << 15);
    REQUIRE(matrix->size[0] == count && matrix->size[1] == count);
    REQUIRE(details->size[0] == count * height * width && noise->size[0] == height * width);
    REQUIRE(room->size[0] >= 2 * height * width + width);
    for (int64_t component = 0; component < count; component++) {
        int32_t *rows = room->data, *next = room->data + height * width, weight[MOST_PLANES];
        int32_t *row = room->data + 2 * height * width;
        for (int64_t plane = 0; plane < count; plane++)
            weight[plane] =
                (int32_t)clamp(matrix->data[plane * matrix->stride[0] + component], -128, 127);
        for (int64_t y = 0; y < height; y++) {
            const int16_t *from = planes->data + y * planes->stride[1];
            for (int64_t x = 0; x < width; x++) {
                int32_t sum = 16;
                for (int64_t plane = 0; plane < count; plane++)
                    sum += weight[plane] * from[plane * planes->stride[0] + x];
                rows[y * width + x] = (int32_t)clamp(sum >> 5, -LARGEST, LARGEST);
            }
        }
        int64_t tall = height, wide = width, end = count * height * width;
        for (int level = 1; level <= LEVELS; level++) {
            const int64_t lows_y = (tall + 1) / 2, highs_y = tall / 2;
            const int64_t lows_x = (wide + 1) / 2, highs_x = wide / 2;
            /* The bands of the level end where those of the finer one begin. */
            const int64_t both = end - count * highs_y * highs_x;
            const int64_t along_y = both - count * highs_y * lows_x;
            const int64_t along_x = along_y - count * lows_y * highs_x;
            const int64_t wide_rows = component * lows_y, short_rows = component * highs_y;
            split_rows(rows, tall, wide);
            for (int64_t i = 0; i < lows_y; i++) {
                split_row(rows + 2 * i * wide, wide, next + i * lows_x, row);
                tell(row, noise->data + along_x / count + i * highs_x, highs_x,
                     details->data + along_x + (wide_rows + i) * highs_x);
                if (level == LEVELS)
                    tell(next + i * lows_x, noise->data + i * lows_x, lows_x,
                         details->data + (wide_rows + i) * lows_x);
            }
            for (int64_t i = 0; i < highs_y; i++) {
                split_row(rows + (2 * i + 1) * wide, wide, row, row + lows_x);
                tell(row, noise->data + along_y / count + i * lows_x, lows_x,
                     details->data + along_y + (short_rows + i) * lows_x);
                tell(row + lows_x, noise->data + both / count + i * highs_x, highs_x,
                     details->data + both + (short_rows + i) * highs_x);
            }
            end = along_x;
            int32_t *other = rows;
            rows = next;
            next = other;
            tall = lows_y;
            wide = lows_x;
        }
    }
    return 0;
}
