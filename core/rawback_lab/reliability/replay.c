/* Calls recorded kernels again and compares what they give and write, bit for bit: see replay.py.
   Numbers of the record are int64_t, arrays are filled up to a multiple of eight bytes. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

#define MOST 32

typedef struct {
    void *data;
    int64_t size[4], stride[4];
} Array;

typedef int64_t (*Kernel)(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t,
                          int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t,
                          int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t,
                          int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t);

static FILE *record;

static int get(void *to, size_t size) { return fread(to, 1, size, record) == size; }

/* A recorded array's bytes, and how many these are. */
static void *get_bytes(int64_t *size) {
    if (!get(size, sizeof *size)) exit(2);
    const size_t whole = ((size_t)*size + 7) / 8 * 8;
    void *bytes = malloc(whole + 8);
    if (!bytes || !get(bytes, whole)) exit(2);
    return bytes;
}

int main(int count, char **arguments) {
    int64_t head[3]; /* which kernel, how many arguments, what it gave */
    long calls = 0, different = 0;
    record = count > 1 ? fopen(arguments[1], "rb") : 0;
    if (!record) return 2;
    while (get(head, sizeof head)) {
        if (head[1] > MOST) return 2;
        int64_t a[MOST] = {0}, written[MOST];
        Array arrays[MOST];
        int is_array[MOST] = {0}, is_written[MOST] = {0};
        for (int64_t i = 0; i < head[1]; i++) {
            int64_t kind; /* 0: a number, 1: an array that is read, 2: one that is written */
            if (!get(&kind, sizeof kind)) return 2;
            is_array[i] = kind != 0;
            is_written[i] = kind == 2;
            if (!kind) {
                if (!get(a + i, sizeof *a)) return 2;
                continue;
            }
            if (!get(arrays[i].size, 2 * sizeof arrays[i].size)) return 2;
            arrays[i].data = get_bytes(written + i);
            a[i] = (int64_t)(intptr_t)(arrays + i);
        }
        const int64_t given = ((Kernel)kernels[head[0]])(
            a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12], a[13],
            a[14], a[15], a[16], a[17], a[18], a[19], a[20], a[21], a[22], a[23], a[24], a[25],
            a[26], a[27], a[28], a[29], a[30], a[31]);
        int same = given == head[2];
        for (int64_t i = 0; i < head[1]; i++) {
            if (is_written[i]) {
                int64_t size;
                void *expected = get_bytes(&size);
                same &= size == written[i] && !memcmp(expected, arrays[i].data, (size_t)size);
                free(expected);
            }
            if (is_array[i]) free(arrays[i].data);
        }
        calls++;
        different += !same;
        if (!same) printf("%s differs\n", names[head[0]]);
    }
    printf("%ld calls, %ld of them differ\n", calls, different);
    return different != 0;
}
