/* A range coder (Martin, 1979) with a range of 32 bits that lets carries run: intervals to bytes and
   back. Past the end of its bytes a decoder reads zeros, so trailing zeros need not be stored. */
#ifndef RAWBACK_RANGE_CODER_H
#define RAWBACK_RANGE_CODER_H

#include <stddef.h>
#include <stdint.h>

/* Probabilities and frequencies are in units of 2^-16. */
#define UNIT_BITS 16

#define LEAST_RANGE (1u << 24)

/* What is called for every bit, with a coder that then stays in registers. */
#define INLINE inline __attribute__((always_inline))

typedef struct {
    uint8_t *bytes; /* written when encoding, only read when decoding */
    int64_t size;   /* how many there are */
    int64_t at;     /* how many were written or read; may pass `size`, the bytes then go nowhere */
    uint64_t low;   /* encoding: lower end of the interval, with a carry in bit 32 */
    uint32_t range; /* width of the interval */
    uint32_t code;  /* decoding: the coded number less the lower end */
    int64_t run;    /* encoding: bytes 0xFF that a carry would still change */
    int32_t held;   /* encoding: the byte before them; -1 before the first */
} RangeCoder;

static inline RangeCoder range_encoder(uint8_t *bytes, int64_t size) {
    return (RangeCoder){bytes, size, 0, 0, 0xFFFFFFFFu, 0, 0, -1};
}

static INLINE uint32_t next_byte(RangeCoder *coder) {
    const int64_t at = coder->at++;
    return at < coder->size ? coder->bytes[at] : 0;
}

static inline RangeCoder range_decoder(const uint8_t *bytes, int64_t size) {
    RangeCoder coder = {(uint8_t *)bytes, size, 0, 0, 0xFFFFFFFFu, 0, 0, -1};
    for (int i = 0; i < 4; i++) coder.code = coder.code << 8 | next_byte(&coder);
    return coder;
}

static INLINE void put_byte(RangeCoder *coder, uint32_t byte) {
    const int64_t at = coder->at++;
    if (at < coder->size) coder->bytes[at] = (uint8_t)byte;
}

/* Write the highest byte of `low`, or wait where a carry may still change it. */
static INLINE void shift_low(RangeCoder *coder) {
    const uint32_t carry = (uint32_t)(coder->low >> 32);
    if (carry || coder->low < 0xFF000000u) {
        if (coder->held >= 0) put_byte(coder, (uint32_t)coder->held + carry);
        for (; coder->run; coder->run--) put_byte(coder, 0xFF + carry);
        coder->held = (int32_t)(coder->low >> 24 & 0xFF);
    } else {
        coder->run++;
    }
    coder->low = (coder->low & 0x00FFFFFF) << 8;
}

static INLINE void widen(RangeCoder *coder, int decoding) {
    while (coder->range < LEAST_RANGE) {
        coder->range <<= 8;
        if (decoding)
            coder->code = coder->code << 8 | next_byte(coder);
        else
            shift_low(coder);
    }
}

/* Narrow the interval to `width` units from `start` units on; the units' width as it was before. */
static inline void narrow(RangeCoder *coder, int decoding, uint32_t unit, uint32_t start,
                          uint32_t width) {
    if (decoding)
        coder->code -= unit * start;
    else
        coder->low += (uint64_t)unit * start;
    coder->range = unit * width;
    widen(coder, decoding);
}

/* Code a bit that is 1 with the probability `one`, 1 to 65535 units. Gives the bit. */
static INLINE int code_bit(RangeCoder *coder, int decoding, uint32_t one, int bit) {
    const uint32_t bound = (coder->range >> UNIT_BITS) * one;
    if (decoding) bit = coder->code < bound;
    /* Bits are hard to foretell, so nothing branches by them. */
    const uint32_t zero = (uint32_t)bit - 1u, below = bound & zero;
    if (decoding)
        coder->code -= below;
    else
        coder->low += below;
    coder->range = (bound & ~zero) + ((coder->range - bound) & zero);
    widen(coder, decoding);
    return bit;
}

/* Code a value of 1 to 16 bits that are as likely 0 as 1. */
static INLINE uint32_t code_even(RangeCoder *coder, int decoding, int bits, uint32_t value) {
    const uint32_t width = coder->range >> bits, last = (1u << bits) - 1;
    if (decoding) {
        value = coder->code / width;
        value = value < last ? value : last;
        coder->code -= value * width;
    } else {
        coder->low += (uint64_t)width * (value & last);
    }
    coder->range = width;
    widen(coder, decoding);
    return value;
}

/* Code a value below `count`, 1 to 65536, of which each is as likely. */
static INLINE uint32_t code_equal(RangeCoder *coder, int decoding, uint32_t count, uint32_t value) {
    const uint32_t width = coder->range / count;
    if (decoding) {
        value = coder->code / width;
        value = value < count ? value : count - 1;
        coder->code -= value * width;
    } else {
        coder->low += (uint64_t)width * value;
    }
    coder->range = width;
    widen(coder, decoding);
    return value;
}

/* End an encoder: of the numbers in its interval write the one with most trailing zeros, less
   these. Gives the number of bytes; more than `size` where they did not fit. */
static inline int64_t finish(RangeCoder *coder) {
    for (int zeros = 32; zeros >= 0; zeros--) {
        const uint64_t mask = ((uint64_t)1 << zeros) - 1;
        const uint64_t number = (coder->low + mask) & ~mask;
        if (number - coder->low < coder->range) {
            coder->low = number;
            break;
        }
    }
    for (int i = 0; i < 5; i++) shift_low(coder);
    if (coder->at > coder->size) return coder->at;
    int64_t size = coder->at;
    while (size && coder->bytes[size - 1] == 0) size--;
    return size;
}

#endif
