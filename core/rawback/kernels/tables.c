/* Look-ups in the tables of the noise-normalised domain. */
#include "kernels.h"

/* found[i] = table[values[i] - first], the index clamped to the table. */
KERNEL rawback_look_up(const ReadI32 *values, int64_t first, const ReadU16 *table,
                       const WriteU16 *found) {
    const int64_t rows = values->size[0], columns = values->size[1];
    REQUIRE(found->size[0] == rows && found->size[1] == columns && table->size[0] > 0);
    for (int64_t y = 0; y < rows; y++) {
        const int32_t *from = values->data + y * values->stride[0];
        uint16_t *to = found->data + y * found->stride[0];
        for (int64_t x = 0; x < columns; x++)
            to[x] = table->data[clamp(from[x] - first, 0, table->size[0] - 1)];
    }
    return 0;
}
