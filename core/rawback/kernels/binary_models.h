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

static inline void learn(uint32_t *counter, const Curves *curves, int bit) {
    const int64_t probability = *counter >> 10, uses = *counter & 1023;
    const int64_t rate = curves->rate[uses < LIMIT ? uses : LIMIT];
    const int64_t error = ((int64_t)bit << 22) - probability;
    const int64_t changed = clamp(probability + ((error * rate) >> 16), 64, (1 << 22) - 64);
    *counter = (uint32_t)changed << 10 | (uint32_t)(uses < LIMIT ? uses + 1 : uses);
}

/* Code a bit as one counter expects it. */
static inline int code_single(RangeCoder *coder, int decoding, const Curves *curves,
                              uint32_t *counter, int bit) {
    const uint32_t one = *counter >> 16;
    bit = code_bit(coder, decoding, one ? one : 1, bit);
    learn(counter, curves, bit);
    return bit;
}

/* Code a bit as `inputs` counters, at most 8, expect it together, weighed with the mean of two sets. */
static inline int code_mixed(RangeCoder *coder, int decoding, const Curves *curves, int inputs,
                             uint32_t *const *counters, int32_t *first, int32_t *second, int bit) {
    int32_t odds[8], sum = 0;
    for (int i = 0; i < inputs; i++) odds[i] = curves->stretch[*counters[i] >> 20];
    for (int i = 0; i < inputs; i++) sum += ((first[i] + second[i]) >> 3) * odds[i];
    const int32_t mixed = (int32_t)clamp(sum >> 14, -FARTHEST, FARTHEST);
    const int32_t one = curves->squash[mixed + 2048];
    bit = code_bit(coder, decoding, (uint32_t)one, bit);
    const int32_t error = ((((int32_t)bit << UNIT_BITS) - one) * PACE) >> 4;
    for (int i = 0; i < inputs; i++) {
        const int32_t change = (odds[i] * error + (1 << 15)) >> 16;
        first[i] = (int32_t)clamp(first[i] + change, -LARGEST_WEIGHT, LARGEST_WEIGHT);
        second[i] = (int32_t)clamp(second[i] + change, -LARGEST_WEIGHT, LARGEST_WEIGHT);
    }
    for (int i = 0; i < inputs; i++) learn(counters[i], curves, bit);
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
