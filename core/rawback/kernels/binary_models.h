/* Adaptive models of binary decisions: counters, and logistic mixing of what several of them expect
   (Mahoney, *Adaptive weighing of context models for lossless data compression*, 2005).

   A counter is a probability of 1 in units of 2^-22 above ten bits that count, up to LIMIT, how
   often it was used: its rate falls from 2/3 to 1 / (LIMIT + 1.5). All of it is integer arithmetic. */
#ifndef RAWBACK_BINARY_MODELS_H
#define RAWBACK_BINARY_MODELS_H

#include <string.h>

#include "kernels.h"
#include "range_coder.h"

#define LIMIT 511
#define RATES 512
#define CURVE 4096

/* Logarithms of odds are in 1/256, from -2047 to 2047. */
#define FARTHEST 2047

/* The stored tables: log odds of each probability of 12 bits; probability, in units, of log odds
   from -2048 on; rates of counters in 2^-16. */
typedef struct {
    const int16_t *stretch;
    const uint16_t *squash;
    const uint32_t *rate;
} Curves;

/* Weights of mixing have 16 fractional bits and stay below 4. */
#define LARGEST_WEIGHT ((1 << 18) - 1)

/* How fast weights follow, in 1/16. */
#define PACE 22

/* So many counters are mixed, four in a vector of 128 bits, which every machine has. */
#define MIXED 8
#define LANES 4
#define VECTORS (MIXED / LANES)

typedef int32_t Lanes __attribute__((vector_size(4 * LANES)));
typedef uint32_t UnsignedLanes __attribute__((vector_size(4 * LANES)));

/* Compilers take vectors apart whose parts come from, and go to, all over the memory; one after the
   other these are slower. */
#if defined(__x86_64__)
#define KEEP_WHOLE(lanes) __asm__("" : "+x"(lanes))
#elif defined(__aarch64__)
#define KEEP_WHOLE(lanes) __asm__("" : "+w"(lanes))
#else
#define KEEP_WHOLE(lanes)
#endif

static inline int32_t limited(int32_t value, int32_t low, int32_t high) {
    return value < low ? low : value > high ? high : value;
}

static INLINE Lanes lanes_at(const int32_t *values) {
    Lanes lanes;
    memcpy(&lanes, values, sizeof lanes);
    return lanes;
}

static INLINE void put_lanes(int32_t *values, Lanes lanes) { memcpy(values, &lanes, sizeof lanes); }

static INLINE Lanes limited_lanes(Lanes lanes, int32_t low, int32_t high) {
    const Lanes above = lanes > high;
    lanes = (above & high) | (~above & lanes);
    const Lanes below = lanes < low;
    return (below & low) | (~below & lanes);
}

static INLINE Lanes limited_weights(Lanes weights) {
    return limited_lanes(weights, -LARGEST_WEIGHT, LARGEST_WEIGHT);
}

/* A counter after a bit; `rate` is that of its uses. The product has 38 bits, so it is taken in two
   parts. */
static inline uint32_t learned(uint32_t counter, int32_t rate, int bit) {
    const int32_t probability = (int32_t)(counter >> 10), uses = counter & 1023;
    const int32_t error = ((int32_t)bit << 22) - probability;
    const int32_t change =
        (error >> 16) * rate + (int32_t)(((uint32_t)(error & 0xFFFF) * (uint32_t)rate) >> 16);
    const int32_t changed = limited(probability + change, 64, (1 << 22) - 64);
    return (uint32_t)changed << 10 | (uint32_t)(uses < LIMIT ? uses + 1 : LIMIT);
}

typedef float FloatLanes __attribute__((vector_size(4 * LANES)));

/* Rates of counters by their uses: 2^17 / (2 * uses + 3), rounded down. The quotient lies farther from
   a whole number than a float rounds. */
static INLINE Lanes rates_of(Lanes uses) {
    const FloatLanes all = {131072.0f, 131072.0f, 131072.0f, 131072.0f};
    return __builtin_convertvector(all / __builtin_convertvector(2 * uses + 3, FloatLanes), Lanes);
}

/* The same for several. */
static INLINE Lanes learned_lanes(Lanes counters, Lanes rates, int bit) {
    const Lanes probability = (counters >> 10) & ((1 << 22) - 1), uses = counters & 1023;
    const Lanes error = ((int32_t)bit << 22) - probability;
    const UnsignedLanes low = ((UnsignedLanes)(error & 0xFFFF) * (UnsignedLanes)rates) >> 16;
    const Lanes changed = probability + (error >> 16) * rates + (Lanes)low;
    const UnsignedLanes next = (UnsignedLanes)limited_lanes(changed, 64, (1 << 22) - 64) << 10;
    return (Lanes)next | (uses - (uses < LIMIT));
}

static inline void learn(uint32_t *counter, const Curves *curves, int bit) {
    *counter = learned(*counter, (int32_t)curves->rate[*counter & (RATES - 1)], bit);
}

/* Code a bit as one counter expects it. */
static inline int code_single(RangeCoder *coder, int decoding, const Curves *curves,
                              uint32_t *counter, int bit) {
    const uint32_t one = *counter >> 16;
    bit = code_bit(coder, decoding, one ? one : 1, bit);
    learn(counter, curves, bit);
    return bit;
}

/* Code a bit as counters expect it together, weighed with the mean of two sets of weights, which are
   not one. All of them learn from it. */
static INLINE int code_mixed(RangeCoder *coder, int decoding, const Curves *curves,
                             uint32_t *const counters[MIXED], int32_t first[MIXED],
                             int32_t second[MIXED], int bit) {
    const int16_t *stretch = curves->stretch;
    Lanes known[VECTORS], odds[VECTORS], rates[VECTORS], terms = {0};
    for (int v = 0; v < VECTORS; v++) {
        uint32_t *const *from = counters + v * LANES;
        const uint32_t a = *from[0], b = *from[1], c = *from[2], d = *from[3];
        known[v] = (Lanes){(int32_t)a, (int32_t)b, (int32_t)c, (int32_t)d};
        odds[v] = (Lanes){stretch[a >> 20], stretch[b >> 20], stretch[c >> 20], stretch[d >> 20]};
        KEEP_WHOLE(known[v]);
        KEEP_WHOLE(odds[v]);
        rates[v] = rates_of(known[v] & (RATES - 1));
        terms += ((lanes_at(first + v * LANES) + lanes_at(second + v * LANES)) >> 3) * odds[v];
    }
    KEEP_WHOLE(terms);
    const int32_t sum = terms[0] + terms[1] + terms[2] + terms[3];
    const int32_t one = curves->squash[limited(sum >> 14, -FARTHEST, FARTHEST) + CURVE / 2];
    bit = code_bit(coder, decoding, (uint32_t)one, bit);
    const int32_t error = ((((int32_t)bit << UNIT_BITS) - one) * PACE) >> 4;
    for (int v = 0; v < VECTORS; v++) {
        const Lanes step = (odds[v] * error + (1 << 15)) >> 16;
        put_lanes(first + v * LANES, limited_weights(lanes_at(first + v * LANES) + step));
        put_lanes(second + v * LANES, limited_weights(lanes_at(second + v * LANES) + step));
        known[v] = learned_lanes(known[v], rates[v], bit);
        KEEP_WHOLE(known[v]);
        for (int i = 0; i < LANES; i++) *counters[v * LANES + i] = (uint32_t)known[v][i];
    }
    return bit;
}

/* Code a value of at least 0 in the exponential Golomb code (Teuhola, 1978): its length with a
   counter for each position, its other bits evenly. Gives the value, at most 2^17 - 2. */
static inline uint32_t code_golomb(RangeCoder *coder, int decoding, const Curves *curves,
                                   uint32_t *counters, uint32_t value) {
    int length = 0;
    while (length < 16 &&
           code_single(coder, decoding, curves, counters + length, ((value + 1) >> (length + 1)) != 0))
        length++;
    uint32_t found = 1;
    for (int i = length - 1; i >= 0; i--)
        found = found << 1 | (uint32_t)code_bit(coder, decoding, 1u << 15, ((value + 1) >> i) & 1);
    return found - 1;
}

#endif
