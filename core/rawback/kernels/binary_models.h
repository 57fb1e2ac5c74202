/* Adaptive models of binary decisions: counters, and logistic mixing of what several of them expect
   (Mahoney, *Adaptive weighing of context models for lossless data compression*, 2005).

   A counter is a probability of 1 in units of 2^-22 above ten bits that count, up to LIMIT, how
   often it was used: its rate falls from 2/3 to 1 / (LIMIT + 1.5). All of it is integer arithmetic. */
#ifndef RAWBACK_BINARY_MODELS_H
#define RAWBACK_BINARY_MODELS_H

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
#define PACE 12

#define INLINE inline __attribute__((always_inline))

/* How many counters are mixed. */
#define MIXED 8

static inline int32_t limited(int32_t value, int32_t low, int32_t high) {
    return value < low ? low : value > high ? high : value;
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

/* Code a bit as `inputs` counters expect it together, weighed with the mean of two sets. What is
   computed for them is computed for MIXED of them, in vectors. */
static INLINE int code_mixed(RangeCoder *coder, int decoding, const Curves *curves, int inputs,
                             uint32_t *const *counters, int32_t *restrict first,
                             int32_t *restrict second, int bit) {
    uint32_t known[MIXED] = {0};
    int32_t odds[MIXED] = {0}, rates[MIXED] = {0}, sum = 0;
    for (int i = 0; i < inputs; i++) known[i] = *counters[i];
    for (int i = 0; i < inputs; i++) odds[i] = curves->stretch[known[i] >> 20];
    for (int i = 0; i < inputs; i++) rates[i] = (int32_t)curves->rate[known[i] & (RATES - 1)];
    for (int i = 0; i < MIXED; i++) sum += ((first[i] + second[i]) >> 3) * odds[i];
    const int32_t mixed = limited(sum >> 14, -FARTHEST, FARTHEST);
    const int32_t one = curves->squash[mixed + 2048];
    bit = code_bit(coder, decoding, (uint32_t)one, bit);
    const int32_t error = ((((int32_t)bit << UNIT_BITS) - one) * PACE) >> 4;
    for (int i = 0; i < MIXED; i++) {
        const int32_t change = (odds[i] * error + (1 << 15)) >> 16;
        first[i] = limited(first[i] + change, -LARGEST_WEIGHT, LARGEST_WEIGHT);
        second[i] = limited(second[i] + change, -LARGEST_WEIGHT, LARGEST_WEIGHT);
    }
    for (int i = 0; i < MIXED; i++) known[i] = learned(known[i], rates[i], bit);
    for (int i = 0; i < inputs; i++) *counters[i] = known[i];
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
