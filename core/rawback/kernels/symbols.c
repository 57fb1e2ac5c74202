/* Symbols under fixed tables of frequencies. */
#include "kernels.h"
#include "range_coder.h"

/* Encode intervals: each `starts` units from 0 on, `widths` units wide, at least 1, of 2^16.
   Returns the number of bytes; more than there are where they do not fit. */
KERNEL rawback_encode_intervals(const ReadU16 *starts, const ReadU16 *widths, const WriteU8 *bytes) {
    REQUIRE(starts->size[0] == widths->size[0]);
    RangeCoder coder = range_encoder(bytes->data, bytes->size[0]);
    for (int64_t i = 0; i < starts->size[0]; i++) {
        const uint32_t start = starts->data[i], width = widths->data[i];
        REQUIRE(width && start + width <= 1u << UNIT_BITS);
        narrow(&coder, 0, coder.range >> UNIT_BITS, start, width);
    }
    return finish(&coder);
}

/* Decode a symbol for each of `rows`, indices of rows of `starts` ([tables, symbols]: where each
   symbol's interval starts, the first at 0, increasing). `state` is where the decoder stands:
   bytes read, range, code; all 0 before the first call. */
KERNEL rawback_decode_symbols(const ReadU8 *bytes, const WriteI64 *state, const ReadU16 *starts,
                              const ReadI32 *rows, const WriteI32 *symbols) {
    REQUIRE(state->size[0] == 3 && symbols->size[0] == rows->size[0]);
    const int64_t tables = starts->size[0], count = starts->size[1];
    REQUIRE(tables > 0 && count > 0);
    RangeCoder coder = range_decoder(bytes->data, bytes->size[0]);
    if (state->data[0]) {
        coder.at = state->data[0];
        coder.range = (uint32_t)state->data[1];
        coder.code = (uint32_t)state->data[2];
        REQUIRE(coder.at >= 4 && coder.range >= LEAST_RANGE);
    }
    for (int64_t i = 0; i < rows->size[0]; i++) {
        const int64_t row = clamp(rows->data[i], 0, tables - 1);
        const uint16_t *start = starts->data + row * starts->stride[0];
        const uint32_t unit = coder.range >> UNIT_BITS;
        const uint32_t wanted = coder.code / unit;
        int64_t symbol = 0, beyond = count;
        while (beyond - symbol > 1) {
            const int64_t middle = (symbol + beyond) / 2;
            if (start[middle] <= wanted)
                symbol = middle;
            else
                beyond = middle;
        }
        const uint32_t next = beyond < count ? start[beyond] : 1u << UNIT_BITS;
        REQUIRE(next > start[symbol]);
        narrow(&coder, 1, unit, start[symbol], next - start[symbol]);
        symbols->data[i] = (int32_t)symbol;
    }
    state->data[0] = coder.at;
    state->data[1] = coder.range;
    state->data[2] = coder.code;
    return 0;
}
