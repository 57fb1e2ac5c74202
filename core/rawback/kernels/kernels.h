/* What all kernels share. README.md beside this file says how to add one. */
#ifndef RAWBACK_KERNELS_H
#define RAWBACK_KERNELS_H

#include <stdint.h>
#include <string.h>

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

/* What stands before the name of every kernel. */
#define KERNEL EXPORT int64_t

/* An array of up to four axes as Python hands it over; the innermost axis is contiguous.
   Sizes and strides count elements. Axes that a kernel's declaration does not have are 1 and 0. */
#define ARRAY(type, name) \
    typedef struct { \
        type *data; \
        int64_t size[4]; \
        int64_t stride[4]; \
    } name

ARRAY(const uint8_t, ReadU8);
ARRAY(const uint16_t, ReadU16);
ARRAY(const int16_t, ReadI16);
ARRAY(const uint32_t, ReadU32);
ARRAY(const int32_t, ReadI32);
ARRAY(const int64_t, ReadI64);
ARRAY(const float, ReadF32);
ARRAY(const double, ReadF64);
ARRAY(uint8_t, WriteU8);
ARRAY(uint16_t, WriteU16);
ARRAY(int16_t, WriteI16);
ARRAY(uint32_t, WriteU32);
ARRAY(int32_t, WriteI32);
ARRAY(int64_t, WriteI64);
ARRAY(float, WriteF32);
ARRAY(double, WriteF64);

/* Arguments that do not fit each other are a bug of the caller: Python raises ValueError with the
   line. What a kernel returns otherwise is at least 0. */
#define REQUIRE(condition) \
    do { \
        if (!(condition)) return -(int64_t)__LINE__; \
    } while (0)

/* How large a value is, in quarters of an octave: 0 for 0, then 1 for 1, 5 for 2, 7 for 3, 9 for 4 and
   so on to 96, four times the place of its highest bit and the two bits below it. It is where a float
   has them. */
static inline int32_t quarter_octaves(int32_t value) {
    const float number = (float)(value < (1 << 24) - 1 ? value : (1 << 24) - 1);
    int32_t bits;
    memcpy(&bits, &number, sizeof bits);
    const int32_t found = (bits >> 21) - 507;
    return found < 0 ? 0 : found;
}

static inline int64_t clamp(int64_t value, int64_t low, int64_t high) {
    return value < low ? low : value > high ? high : value;
}

#endif
