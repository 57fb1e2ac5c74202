/* Lossless JPEG: samples to the entropy-coded segments of one scan, and back (ITU-T T.81, annex H).

   Samples are rows of interleaved components. What is coded is each sample's difference, modulo
   2^16, to a prediction from its neighbours in the same component: a Huffman code for its category,
   the number of bits of its magnitude, and these bits. */
#include <string.h>

#include "kernels.h"

enum { CATEGORIES = 17, MOST_COMPONENTS = 4, LOOKED_UP = 12 };

/* The prediction from the samples to the left (a), above (b) and above left (c): T.81, table H.1.
   Sums of two differences are halved rounding down. */
static inline int32_t predicted(int64_t predictor, int32_t a, int32_t b, int32_t c) {
    switch (predictor) {
    case 1: return a;
    case 2: return b;
    case 3: return c;
    case 4: return a + b - c;
    case 5: return a + ((b - c) >> 1);
    case 6: return b + ((a - c) >> 1);
    default: return (a + b) >> 1;
    }
}

/* How the rows of a scan are predicted; the same for both directions. */
typedef struct {
    int64_t columns;      /* samples in a row, all components */
    int64_t components;
    int64_t predictor;    /* 1 to 7 */
    int32_t first;        /* what the first samples after each start are predicted as */
    int64_t restart_rows; /* rows between restarts, 0 for none */
} Scan;

static int is_start(const Scan *scan, int64_t y) {
    return y == 0 || (scan->restart_rows > 0 && y % scan->restart_rows == 0);
}

/* Whether any of four bytes is 0xFF, behind which a zero is stuffed. */
static inline int has_ff(uint32_t word) {
    return ((~word - 0x01010101u) & word & 0x80808080u) != 0;
}

/* No code is longer than 16 bits. */
static int are_codes(const ReadU32 *codes) {
    if (codes->size[0] < 1 || codes->size[0] > MOST_COMPONENTS || codes->size[1] != CATEGORIES)
        return 0;
    for (int64_t component = 0; component < codes->size[0]; component++)
        for (int category = 0; category < CATEGORIES; category++)
            if (codes->data[component * codes->stride[0] + category] >> 16 > 16) return 0;
    return 1;
}

static int is_sound(const Scan *scan, int64_t rows, int64_t first) {
    return rows >= 1 && scan->components >= 1 && scan->columns >= 1 &&
           scan->columns % scan->components == 0 && scan->predictor >= 1 && scan->predictor <= 7 &&
           first >= 0 && first <= 0xFFFF && scan->restart_rows >= 0;
}

/* ---- Reading ---- */

typedef struct {
    const uint8_t *start, *next, *end;
    uint64_t bits; /* the next ones, from the top; 0 below */
    int count;     /* how many of them there are */
} Reader;

static void refill(Reader *reader) {
    if (reader->count <= 32 && reader->end - reader->next >= 4) {
        const uint8_t *from = reader->next;
        const uint32_t word = (uint32_t)from[0] << 24 | from[1] << 16 | from[2] << 8 | from[3];
        if (!has_ff(word)) {
            reader->bits |= (uint64_t)word << (32 - reader->count);
            reader->count += 32;
            reader->next += 4;
            return;
        }
    }
    while (reader->count <= 56) {
        if (reader->next == reader->end) return;
        const uint8_t byte = *reader->next;
        if (byte == 0xFF) {
            /* A marker ends the segment; a zero behind is stuffed. */
            if (reader->end - reader->next < 2 || reader->next[1] != 0) return;
            reader->next++;
        }
        reader->next++;
        reader->bits |= (uint64_t)byte << (56 - reader->count);
        reader->count += 8;
    }
}

/* Give back the whole bytes that were read ahead, and forget the rest of the last one. */
static void align(Reader *reader) {
    for (int whole = reader->count >> 3; whole > 0; whole--) {
        reader->next--;
        if (reader->next[0] == 0 && reader->next > reader->start && reader->next[-1] == 0xFF)
            reader->next--;
    }
    reader->bits = 0;
    reader->count = 0;
}

/* Categories by the next bits of the stream: length << 8 | category, 0 where the code is longer. */
typedef struct {
    uint16_t entries[MOST_COMPONENTS][1 << LOOKED_UP];
} LookUp;

static void make_look_up(const ReadU32 *codes, LookUp *table) {
    memset(table, 0, sizeof *table);
    for (int64_t component = 0; component < codes->size[0]; component++)
        for (int category = 0; category < CATEGORIES; category++) {
            const uint32_t entry = codes->data[component * codes->stride[0] + category];
            const int length = entry >> 16, spare = LOOKED_UP - length;
            if (length == 0 || spare < 0) continue;
            const uint32_t start = (entry & 0xFFFF) << spare;
            for (uint32_t k = 0; k < 1u << spare; k++)
                table->entries[component][(start + k) & ((1 << LOOKED_UP) - 1)] =
                    (uint16_t)(length << 8 | category);
        }
}

/* The category whose code comes next, its length added as above; 0 if there is none. */
static uint32_t searched(const uint32_t *codes, uint64_t bits) {
    for (uint32_t category = 0; category < CATEGORIES; category++) {
        const uint32_t length = codes[category] >> 16;
        if (length > LOOKED_UP && bits >> (64 - length) == (codes[category] & 0xFFFF))
            return length << 8 | category;
    }
    return 0;
}

/* The next difference, in its low 16 bits; -1 where the stream is none or ends. */
static inline int32_t difference(Reader *reader, const uint16_t *entries, const uint32_t *codes,
                                 int64_t wide) {
    if (reader->count < 32) refill(reader);
    uint32_t entry = entries[reader->bits >> (64 - LOOKED_UP)];
    if (entry == 0 && (entry = searched(codes, reader->bits)) == 0) return -1;
    const int length = entry >> 8, category = entry & 0xFF;
    reader->bits <<= length;
    reader->count -= length;
    if (category == 0) return reader->count < 0 ? -1 : 0;
    if (category == 16 && !wide) return reader->count < 0 ? -1 : 0x8000;
    int32_t value = (int32_t)(reader->bits >> (64 - category));
    reader->bits <<= category;
    reader->count -= category;
    if (reader->count < 0) return -1;
    /* Values without their top bit stand for negative ones. */
    if (value < 1 << (category - 1)) value -= (1 << category) - 1;
    return value & 0xFFFF;
}

static inline int decode_row(const Scan *scan, Reader *reader, const LookUp *table,
                             const ReadU32 *codes, int64_t wide, int64_t predictor, uint16_t *row,
                             const uint16_t *above) {
    const int64_t n = scan->components;
    for (int64_t x = 0; x < scan->columns; x += n)
        for (int64_t k = 0; k < n; k++) {
            const int32_t step =
                difference(reader, table->entries[k], codes->data + k * codes->stride[0], wide);
            if (step < 0) return 0;
            int32_t base;
            if (x == 0)
                base = above ? above[k] : scan->first;
            else if (!above)
                base = row[x + k - n];
            else
                base = predicted(predictor, row[x + k - n], above[x + k], above[x + k - n]);
            row[x + k] = (uint16_t)(base + step);
        }
    return 1;
}

/* Skip the restart marker of a number, as written before a row. */
static int pass_restart(Reader *reader, int64_t number) {
    align(reader);
    if (reader->end - reader->next < 2) return 0;
    if (reader->next[0] != 0xFF || reader->next[1] != 0xD0 + (number & 7)) return 0;
    reader->next += 2;
    return 1;
}

/* Decodes one scan.

   codes[component][category] is length << 16 | code, 0 where the category has none. With wide,
   category 16 is followed by 16 bits. Returns how many bytes the scan takes, 0 if it is damaged. */
KERNEL rawback_ljpeg_decode(const ReadU8 *coded, const ReadU32 *codes, int64_t predictor,
                            int64_t first, int64_t restart_rows, int64_t wide,
                            const WriteU16 *samples) {
    const int64_t rows = samples->size[0];
    const Scan scan = {samples->size[1], codes->size[0], predictor, (int32_t)first, restart_rows};
    REQUIRE(are_codes(codes));
    REQUIRE(is_sound(&scan, rows, first));
    LookUp table;
    make_look_up(codes, &table);
    Reader reader = {coded->data, coded->data, coded->data + coded->size[0], 0, 0};
    for (int64_t y = 0; y < rows; y++) {
        uint16_t *row = samples->data + y * samples->stride[0];
        const uint16_t *above = is_start(&scan, y) ? NULL : row - samples->stride[0];
        if (y > 0 && !above && !pass_restart(&reader, y / restart_rows - 1)) return 0;
        int whole;
        /* The commonest predictor gets code of its own. */
        if (predictor == 1)
            whole = decode_row(&scan, &reader, &table, codes, wide, 1, row, above);
        else
            whole = decode_row(&scan, &reader, &table, codes, wide, predictor, row, above);
        if (!whole) return 0;
    }
    align(&reader);
    return reader.next - coded->data;
}

/* ---- Writing ---- */

typedef struct {
    uint8_t *next, *end;
    uint64_t bits; /* those not written yet, the last ones lowest */
    int count;     /* how many of them there are, below 32 between samples */
} Writer;

static inline int put_byte(Writer *writer, uint8_t byte) {
    if (writer->end - writer->next < (byte == 0xFF ? 2 : 1)) return 0;
    *writer->next++ = byte;
    if (byte == 0xFF) *writer->next++ = 0;
    return 1;
}

static inline int put(Writer *writer, uint32_t bits, int count) {
    writer->bits = writer->bits << count | bits;
    writer->count += count;
    if (writer->count < 32) return 1;
    writer->count -= 32;
    const uint32_t word = (uint32_t)(writer->bits >> writer->count);
    if (!has_ff(word) && writer->end - writer->next >= 4) {
        for (int k = 0; k < 4; k++) writer->next[k] = (uint8_t)(word >> (24 - 8 * k));
        writer->next += 4;
        return 1;
    }
    for (int k = 0; k < 4; k++)
        if (!put_byte(writer, (uint8_t)(word >> (24 - 8 * k)))) return 0;
    return 1;
}

/* Fill the last byte up with the bit `pad`. */
static int flush(Writer *writer, int64_t pad) {
    const int spare = -writer->count & 7;
    const uint64_t filled = writer->bits << spare | (pad ? (1u << spare) - 1 : 0);
    for (int left = writer->count + spare; left > 0; left -= 8)
        if (!put_byte(writer, (uint8_t)(filled >> (left - 8)))) return 0;
    writer->bits = 0;
    writer->count = 0;
    return 1;
}

/* A difference's category: the number of bits of its magnitude, 16 for 2^15 alone. */
static inline int category_of(uint16_t difference) {
    const int32_t value = (int16_t)difference;
    return value == 0 ? 0 : 32 - __builtin_clz((uint32_t)(value < 0 ? -value : value));
}

static inline uint16_t difference_at(const Scan *scan, int64_t predictor, const uint16_t *row,
                                     const uint16_t *above, int64_t at) {
    const int64_t n = scan->components;
    int32_t base;
    if (at < n)
        base = above ? above[at] : scan->first;
    else if (!above)
        base = row[at - n];
    else
        base = predicted(predictor, row[at - n], above[at], above[at - n]);
    return (uint16_t)(row[at] - base);
}

static inline int encode_row(const Scan *scan, Writer *writer, const ReadU32 *codes, int64_t wide,
                             int64_t predictor, const uint16_t *row, const uint16_t *above) {
    const int64_t n = scan->components;
    for (int64_t x = 0; x < scan->columns; x += n)
        for (int64_t k = 0; k < n; k++) {
            const uint16_t step = difference_at(scan, predictor, row, above, x + k);
            const int category = category_of(step);
            const uint32_t code = codes->data[k * codes->stride[0] + category];
            const int length = code >> 16;
            if (length == 0) return 0;
            /* Negative values stand one lower, so that their top bit is 0. */
            const int more = category == 16 && !wide ? 0 : category;
            const uint32_t value = (uint32_t)(step - (step >> 15)) & ((1u << more) - 1);
            if (!put(writer, (code & 0xFFFF) << more | value, length + more)) return 0;
        }
    return 1;
}

/* Encodes one scan; see rawback_ljpeg_decode. The last byte before a marker is filled up with bits
   `pad`. Returns how many bytes it takes, 0 if it does not fit or needs a code that is not there. */
KERNEL rawback_ljpeg_encode(const ReadU16 *samples, const ReadU32 *codes, int64_t predictor,
                            int64_t first, int64_t restart_rows, int64_t wide, int64_t pad,
                            const WriteU8 *coded) {
    const int64_t rows = samples->size[0];
    const Scan scan = {samples->size[1], codes->size[0], predictor, (int32_t)first, restart_rows};
    REQUIRE(are_codes(codes));
    REQUIRE(is_sound(&scan, rows, first));
    Writer writer = {coded->data, coded->data + coded->size[0], 0, 0};
    for (int64_t y = 0; y < rows; y++) {
        const uint16_t *row = samples->data + y * samples->stride[0];
        const uint16_t *above = is_start(&scan, y) ? NULL : row - samples->stride[0];
        if (y > 0 && !above) {
            if (!flush(&writer, pad) || writer.end - writer.next < 2) return 0;
            *writer.next++ = 0xFF;
            *writer.next++ = (uint8_t)(0xD0 + ((y / restart_rows - 1) & 7));
        }
        int whole;
        if (predictor == 1)
            whole = encode_row(&scan, &writer, codes, wide, 1, row, above);
        else
            whole = encode_row(&scan, &writer, codes, wide, predictor, row, above);
        if (!whole) return 0;
    }
    return flush(&writer, pad) ? writer.next - coded->data : 0;
}

/* Counts the categories of all differences: counts[component][category], added to. */
KERNEL rawback_ljpeg_count(const ReadU16 *samples, int64_t predictor, int64_t first,
                           int64_t restart_rows, const WriteI64 *counts) {
    const int64_t rows = samples->size[0];
    const Scan scan = {samples->size[1], counts->size[0], predictor, (int32_t)first, restart_rows};
    REQUIRE(counts->size[1] == CATEGORIES);
    REQUIRE(is_sound(&scan, rows, first));
    for (int64_t y = 0; y < rows; y++) {
        const uint16_t *row = samples->data + y * samples->stride[0];
        const uint16_t *above = is_start(&scan, y) ? NULL : row - samples->stride[0];
        for (int64_t x = 0; x < scan.columns; x += scan.components)
            for (int64_t k = 0; k < scan.components; k++) {
                const uint16_t step = difference_at(&scan, predictor, row, above, x + k);
                counts->data[k * counts->stride[0] + category_of(step)]++;
            }
    }
    return 0;
}
