/* Sums that least-squares fits need. */
#include "kernels.h"

enum { MOST_COLUMNS = 128, ROWS = 4 };

/* sums += rows' rows: [m, m] of [n, m], in double precision, row after row: so machines agree, and
   sums of integers are exact. Only the upper triangle is added to. */
KERNEL rawback_gram(const ReadF32 *rows, const WriteF64 *sums) {
    const int64_t count = rows->size[0], columns = rows->size[1];
    REQUIRE(columns <= MOST_COLUMNS);
    REQUIRE(sums->size[0] == columns && sums->size[1] == columns);
    double block[ROWS][MOST_COLUMNS];
    for (int64_t first = 0; first < count; first += ROWS) {
        for (int64_t i = 0; i < ROWS; i++)
            for (int64_t at = 0; at < columns; at++)
                block[i][at] =
                    first + i < count ? rows->data[(first + i) * rows->stride[0] + at] : 0;
        for (int64_t i = 0; i < columns; i++) {
            double *sum = sums->data + i * sums->stride[0];
            for (int64_t j = i; j < columns; j++)
                sum[j] = sum[j] + block[0][i] * block[0][j] + block[1][i] * block[1][j] +
                         block[2][i] * block[2][j] + block[3][i] * block[3][j];
        }
    }
    return 0;
}
