/* What the codes of floating point samples leave out: `residual/remainders.py` says how. */
#include "binary_models.h"

#define CODES (1 << 16)
#define MOST_LISTED (1 << 16)
#define MOST_BITS 32

/* Whether the samples beside and above are of the list. */
#define CONTEXTS 4

typedef struct {
    Curves curves;
    const ReadI32 *starts;
    const ReadU32 *listed;
    const ReadU8 *bits;
    int shift;
} Known;

/* The place of a remainder among the sorted ones of its code; -1 if it is none of them. */
static inline int64_t place_of(const uint32_t *listed, int64_t count, uint32_t remainder) {
    int64_t first = 0, beyond = count;
    while (beyond - first > 1) {
        const int64_t middle = (first + beyond) / 2;
        if (listed[middle] <= remainder)
            first = middle;
        else
            beyond = middle;
    }
    return count && listed[first] == remainder ? first : -1;
}

/* Code so many bits, which are as likely 0 as 1, highest first. */
static inline uint32_t code_bits(RangeCoder *coder, int decoding, int bits, uint32_t value) {
    uint32_t found = 0;
    while (bits > 0) {
        const int some = bits < 16 ? bits : 16;
        bits -= some;
        found = found << some | code_even(coder, decoding, some, value >> bits);
    }
    return found;
}

static INLINE void code_remainders_of(RangeCoder *given, int decoding, const Known *k,
                                      const ReadU16 *codes, const WriteU32 *remainders,
                                      const WriteU8 *marks) {
    uint32_t counters[CONTEXTS];
    for (int i = 0; i < CONTEXTS; i++) counters[i] = 1u << 31;
    RangeCoder coder = *given; /* in registers meanwhile */
    for (int64_t y = 0; y < codes->size[0]; y++) {
        const uint16_t *row = codes->data + y * codes->stride[0];
        uint32_t *line = remainders->data + y * remainders->stride[0];
        int beside = 0;
        for (int64_t x = 0; x < codes->size[1]; x++) {
            const int64_t start = clamp(k->starts->data[row[x]], 0, k->listed->size[0]);
            const int64_t end = clamp(k->starts->data[row[x] + 1], start, k->listed->size[0]);
            const int64_t count = end - start < MOST_LISTED ? end - start : MOST_LISTED;
            int other = 1;
            if (count) {
                const uint32_t *listed = k->listed->data + start;
                const int64_t place = decoding ? 0 : place_of(listed, count, line[x]);
                uint32_t *counter = counters + 2 * (marks->data[x] != 0) + beside;
                other = code_single(&coder, decoding, &k->curves, counter, place < 0);
                if (!other) {
                    const uint32_t found =
                        code_equal(&coder, decoding, (uint32_t)count, (uint32_t)place);
                    if (decoding) line[x] = listed[found];
                }
            }
            if (other) {
                const int bits = (int)clamp(k->bits->data[row[x]] - k->shift, 0, MOST_BITS);
                const uint32_t found = code_bits(&coder, decoding, bits, line[x] >> k->shift);
                if (decoding) line[x] = found << k->shift;
            }
            marks->data[x] = (uint8_t)(beside = other);
        }
    }
    *given = coder;
}

/* Code the remainders of a tile's samples.

   decoding   0: write `remainders`; 1: read them
   bytes      the section
   codes      [rows, columns]: of the samples
   remainders [rows, columns]
   starts     [65537]: where in `listed` those of each code begin
   listed     [n]: remainders that occur often, ascending for each code
   bits       [65536]: of the remainders of each code
   shift      lowest bits of remainders that are 0
   stretch, squash, rate   the stored curves
   marks      [columns]: room to work in

   Returns the bytes written, more than there are where they do not fit; 0 when decoding. */
KERNEL rawback_code_remainders(int64_t decoding, const WriteU8 *bytes, const ReadU16 *codes,
                               const WriteU32 *remainders, const ReadI32 *starts,
                               const ReadU32 *listed, const ReadU8 *bits, int64_t shift,
                               const ReadI16 *stretch, const ReadU16 *squash, const ReadU32 *rate,
                               const WriteU8 *marks) {
    REQUIRE(remainders->size[0] == codes->size[0] && remainders->size[1] == codes->size[1]);
    REQUIRE(starts->size[0] == CODES + 1 && bits->size[0] == CODES);
    REQUIRE(stretch->size[0] == CURVE && squash->size[0] == CURVE && rate->size[0] == RATES);
    REQUIRE(shift >= 0 && shift < MOST_BITS && marks->size[0] >= codes->size[1]);
    memset(marks->data, 0, (size_t)codes->size[1]);
    const Known known = {.curves = {stretch->data, squash->data, rate->data},
                         .starts = starts, .listed = listed, .bits = bits, .shift = (int)shift};
    RangeCoder coder = decoding ? range_decoder(bytes->data, bytes->size[0])
                                : range_encoder(bytes->data, bytes->size[0]);
    if (decoding)
        code_remainders_of(&coder, 1, &known, codes, remainders, marks);
    else
        code_remainders_of(&coder, 0, &known, codes, remainders, marks);
    return decoding ? 0 : finish(&coder);
}
