/* What is known around the indices of a block before they are coded, in its own band and plane and in
   those coded before: magnitudes in half steps, of this layer where it is coded already, of the layer
   before elsewhere. All that nothing to the left counts in is found for the block at once. */
#ifndef RAWBACK_NEIGHBOURHOOD_H
#define RAWBACK_NEIGHBOURHOOD_H

#include "layer.h"

#define BLOCK 32 /* indices of a row that are looked at together; even */
#define PLANES 4  /* that contexts tell apart: later ones count as the last of them */
#define REGIONS 5
#define SIZES 8 /* classes of a magnitude */
#define NOISES 8
#define CLASSES 40 /* of the magnitude expected, thirds of an octave */

/* How the magnitudes around weigh in the one expected, in 1/256. */
enum {
    WEST = 30, NORTH = 30, DIAGONAL = 12, SECOND = 6, AHEAD = 12, AHEAD_DIAGONAL = 6, PARENT = 14,
    PARENT_AROUND = 3, SIBLINGS = 12, PLANES_BEFORE = 24, PLANES_AROUND = 5, NOISE = 40
};

static int floor_log2(uint64_t value) { return 63 - __builtin_clzll(value | 1); }

/* Class of a magnitude in half steps, below SIZES. */
static inline int size_of(uint32_t half_steps) {
    static const uint8_t classes[101] = {0, [1 ... 3] = 1, [4 ... 6] = 2, [7 ... 11] = 3,
                                         [12 ... 20] = 4, [21 ... 40] = 5, [41 ... 99] = 6, 7};
    return classes[half_steps < 100 ? half_steps : 100];
}

/* Class of the magnitude expected, in half steps / 256: three to an octave from 4 on. */
static inline int class_of(uint32_t expected) {
    if (expected < 4) return 0;
    const int octave = floor_log2(expected);
    const uint32_t eighths = ((uint64_t)expected << 1 >> (octave - 2)) & 7;
    const int found = 3 * (octave - 2) + 1 + (eighths >= 2) + (eighths >= 5);
    return found < CLASSES ? found : CLASSES - 1;
}

/* What contexts of all decisions about one index are made of. */
typedef struct {
    int number, plane, kind, place, region, class, detail; /* plane: its number, capped */
    uint32_t west, second, sum; /* sum: of all around */
} Context;

/* Where the indices of a row lie in the arrays with borders, and what is around them; -1 where a band
   has none. */
typedef struct {
    int64_t at, pitch, plane; /* its own, and to the next row and plane */
    int64_t parent, parent_pitch, sibling[2];
} Position;

/* What is known of BLOCK indices of a row before those left of them are coded: sums of magnitudes
   around, classes of them, and contexts that nothing to the left counts in. */
typedef struct {
    uint32_t expected[BLOCK];
    uint16_t sum[BLOCK], above[BLOCK], second[BLOCK], noise[BLOCK]; /* sum: of all around */
    uint16_t north[BLOCK], diagonal[BLOCK], parent[BLOCK], siblings[BLOCK], first_plane[BLOCK],
        planes[BLOCK], ahead[BLOCK], noise_class[BLOCK]; /* classes */
    uint16_t by_parent[BLOCK], by_planes[BLOCK], by_noise[BLOCK], by_detail[BLOCK];
} Ahead;

/* Class of a magnitude in half steps, below SIZES; for many at once. */
static inline uint16_t class_of_size(int16_t size) {
    return (uint16_t)((size >= 1) + (size >= 4) + (size >= 7) + (size >= 12) + (size >= 21) +
                      (size >= 41) + (size >= 100));
}

/* Sums of magnitudes around the indices of a block, but for those in the rows above them. */
typedef struct {
    uint16_t ahead[BLOCK], ahead_diagonal[BLOCK], parent[BLOCK], parent_around[BLOCK],
        siblings[BLOCK], first_plane[BLOCK], planes[BLOCK], planes_around[BLOCK];
} Sums;

static INLINE void add_up(const Layer *layer, const Position *p, int plane, int64_t count,
                          Sums *restrict s) {
    const uint16_t *here = layer->sizes + p->at;
    const int64_t down = p->pitch;
    memset(s, 0, sizeof *s);
    for (int64_t x = 0; x < count && layer->refining; x++) {
        const uint16_t *below = here + x + down;
        s->ahead[x] = (uint16_t)(here[x + 1] + below[0]);
        s->ahead_diagonal[x] = (uint16_t)(below[-1] + below[1]);
    }
    for (int64_t x = 0; x < (count + 1) / 2 && p->parent >= 0; x++) {
        const uint16_t *parent = layer->sizes + p->parent + x;
        s->parent[2 * x] = s->parent[2 * x + 1] = parent[0];
        s->parent_around[2 * x] = s->parent_around[2 * x + 1] = (uint16_t)(
            parent[-1] + parent[1] + parent[-p->parent_pitch] + parent[p->parent_pitch]);
    }
    for (int i = 0; i < 2 && p->sibling[i] >= 0; i++) {
        const uint16_t *sibling = layer->sizes + p->sibling[i];
        for (int64_t x = 0; x < count; x++)
            s->siblings[x] = (uint16_t)(s->siblings[x] + sibling[x]);
    }
    /* The first plane, and up to two that precede this one. */
    for (int i = 0; i < plane; i = i || plane < 4 ? i + 1 : plane - 2) {
        const uint16_t *there = here - (plane - i) * p->plane;
        uint16_t *sums = i ? s->planes : s->first_plane;
        for (int64_t x = 0; x < count; x++) {
            const int around = there[x - 1] + there[x + 1] + there[x - down] + there[x + down];
            sums[x] = (uint16_t)(sums[x] + there[x]);
            s->planes_around[x] = (uint16_t)(s->planes_around[x] + around);
        }
    }
}

/* Find what is known of `count` indices; each loop is one that compilers turn into vectors. */
static INLINE void look_ahead(const Layer *layer, const Position *p, const Context *c, int64_t count,
                              const uint8_t *regions, const uint16_t *noise, uint32_t level,
                              Ahead *restrict a) {
    const uint16_t *here = layer->sizes + p->at;
    const int64_t down = p->pitch;
    Sums s;
    add_up(layer, p, c->number, count, &s);
    for (int64_t x = 0; x < count; x++) {
        const uint16_t *above = here + x - down;
        const uint16_t north = above[0], diagonal = (uint16_t)(above[-1] + above[1]);
        a->above[x] = (uint16_t)(north + diagonal / 2);
        a->second[x] = above[-down];
        a->sum[x] = (uint16_t)(north + diagonal + above[-down] + s.ahead[x] + s.ahead_diagonal[x] +
                               s.parent[x] + s.parent_around[x] + s.siblings[x] + s.first_plane[x] +
                               s.planes[x] + s.planes_around[x]);
        a->north[x] = class_of_size((int16_t)north);
        a->diagonal[x] = class_of_size((int16_t)((diagonal + 1) / 2));
        a->ahead[x] = class_of_size((int16_t)(s.ahead[x] + s.ahead_diagonal[x] / 2));
    }
    for (int64_t x = 0; x < count; x++) {
        const uint16_t *above = here + x - down;
        const uint32_t expected =
            (uint32_t)NORTH * above[0] + (uint32_t)DIAGONAL * ((uint32_t)above[-1] + above[1]) +
            (uint32_t)SECOND * above[-down] + (uint32_t)AHEAD * s.ahead[x] +
            (uint32_t)AHEAD_DIAGONAL * s.ahead_diagonal[x] + (uint32_t)PARENT * s.parent[x] +
            (uint32_t)PARENT_AROUND * s.parent_around[x] + (uint32_t)SIBLINGS * s.siblings[x] +
            (uint32_t)PLANES_BEFORE * (uint32_t)(s.first_plane[x] + s.planes[x]) +
            (uint32_t)PLANES_AROUND * s.planes_around[x];
        const uint32_t noises = (noise[x] * level) >> 8;
        a->noise[x] = (uint16_t)(noises < 4095 ? noises : 4095);
        a->expected[x] = expected + ((NOISE * noises) >> 8);
    }
    const uint8_t *details = layer->details + p->at;
    const uint16_t kind = (uint16_t)c->kind, of_plane = (uint16_t)c->plane;
    const uint16_t of_place = (uint16_t)(c->place * PLANES + c->plane);
    for (int64_t x = 0; x < count; x++) {
        a->parent[x] = class_of_size((int16_t)s.parent[x]);
        a->siblings[x] = class_of_size((int16_t)s.siblings[x]);
        const uint16_t around = class_of_size((int16_t)(s.parent_around[x] / 2));
        a->by_parent[x] =
            (uint16_t)(((a->parent[x] * SIZES + a->siblings[x]) * SIZES + around) * KINDS + kind);
    }
    for (int64_t x = 0; x < count; x++) {
        a->first_plane[x] = class_of_size((int16_t)s.first_plane[x]);
        a->planes[x] = class_of_size((int16_t)s.planes[x]);
        const uint16_t around = class_of_size((int16_t)(s.planes_around[x] / 2));
        a->by_planes[x] = (uint16_t)(
            ((of_plane * SIZES + a->first_plane[x]) * SIZES + a->planes[x]) * SIZES + around);
    }
    for (int64_t x = 0; x < count; x++) {
        const int16_t noises = (int16_t)a->noise[x];
        a->noise_class[x] = (uint16_t)((noises >= 32) + (noises >= 64) + (noises >= 128) +
                                       (noises >= 256) + (noises >= 512) + (noises >= 1024) +
                                       (noises >= 2048));
        const uint16_t region = regions[x] < REGIONS ? regions[x] : REGIONS - 1;
        a->by_noise[x] = (uint16_t)((of_place * NOISES + a->noise_class[x]) * REGIONS + region);
    }
    for (int64_t x = 0; x < count; x++) {
        const uint16_t beside = (uint16_t)((details[x - 1] & 127) + (details[x + 1] & 127) +
                                           (details[x - down] & 127) + (details[x + down] & 127));
        a->by_detail[x] =
            (uint16_t)(((details[x] & 127) * DETAILS + (beside + 2) / 4) * KINDS + kind);
    }
}

/* 0 if all of them are. */
static inline uint32_t any_of(const uint16_t *sizes, int64_t count) {
    uint32_t any = 0;
    for (int64_t x = 0; x < count; x++) any |= sizes[x];
    return any;
}

/* Whether `count` indices and all around them that is known before they are coded is 0. */
static inline int is_quiet(const Layer *layer, const Position *p, int plane, int64_t count) {
    const uint16_t *here = layer->sizes + p->at;
    const int64_t down = p->pitch;
    uint32_t any = here[-2] | here[-1] | any_of(here - down - 1, count + 2) |
                   any_of(here - 2 * down, count);
    if (layer->refining) any |= any_of(here, count + 1) | any_of(here + down - 1, count + 2);
    if (p->parent >= 0) {
        const uint16_t *parent = layer->sizes + p->parent;
        const int64_t parents = (count + 1) / 2;
        any |= any_of(parent - 1, parents + 2) | any_of(parent - p->parent_pitch, parents) |
               any_of(parent + p->parent_pitch, parents);
    }
    for (int i = 0; i < 2 && p->sibling[i] >= 0; i++)
        any |= any_of(layer->sizes + p->sibling[i], count);
    for (int i = 0; i < plane; i = i || plane < 4 ? i + 1 : plane - 2) {
        const uint16_t *there = here - (plane - i) * p->plane;
        any |= any_of(there - 1, count + 2) | any_of(there - down, count) |
               any_of(there + down, count);
    }
    return !any;
}

#endif
