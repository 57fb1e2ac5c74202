/* One quality layer of a tile: wavelet indices to bytes and back. FORMAT.md describes it.

   A tile has 16 bands, coarse to fine, of up to 16 planes each; arrays of a tile hold them one after
   the other. Indices are coded band by band, plane by plane, row by row, block by block. */
#include "neighbourhood.h"

#define UNARY 14 /* magnitudes told by one decision each */
#define DEPTHS 6

/* Where the counters of each kind of decision begin, context after context. */
enum {
    SILENT = 0,
    QUIET = SILENT + PLACES * 2 * REGIONS * 8 * 4,
    FIRST = QUIET + PLACES * 2 * REGIONS * 8 * 4,
    EMPTY = FIRST + BLOCK * 8 * 2,
    GOLOMB = EMPTY + 5 * 2,
    SIGNIFICANT_0 = GOLOMB + 16,
    SIGNIFICANT_1 = SIGNIFICANT_0 + CLASSES * REGIONS * 2,
    SIGNIFICANT_2 = SIGNIFICANT_1 + SIZES * SIZES * SIZES * KINDS,
    SIGNIFICANT_3 = SIGNIFICANT_2 + SIZES * SIZES * SIZES * KINDS,
    SIGNIFICANT_4 = SIGNIFICANT_3 + PLANES * SIZES * SIZES * SIZES,
    SIGNIFICANT_5 = SIGNIFICANT_4 + PLACES * PLANES * NOISES * REGIONS,
    SIGNIFICANT_6 = SIGNIFICANT_5 + DETAILS * CLASSES / 2 * KINDS,
    SIGNIFICANT_7 = SIGNIFICANT_6 + SIZES * SIZES * SIZES,
    SIGN_0 = SIGNIFICANT_7 + DETAILS * DETAILS * KINDS,
    SIGN_1 = SIGN_0 + DETAILS * PLACES * 2,
    SIGN_2 = SIGN_1 + 81 * KINDS,
    SIGN_3 = SIGN_2 + 27 * KINDS,
    SIGN_4 = SIGN_3 + PLANES * 27 * 3,
    SIGN_5 = SIGN_4 + 81 * KINDS,
    SIGN_6 = SIGN_5 + 81 * 3,
    SIGN_7 = SIGN_6 + 9 * DETAILS * 3,
    SIZE_0 = SIGN_7 + REGIONS * DETAILS * PLANES,
    SIZE_1 = SIZE_0 + UNARY * CLASSES,
    SIZE_2 = SIZE_1 + DEPTHS * SIZES * SIZES,
    SIZE_3 = SIZE_2 + DEPTHS * SIZES * SIZES,
    SIZE_4 = SIZE_3 + DEPTHS * PLANES * SIZES * SIZES,
    SIZE_5 = SIZE_4 + DEPTHS * PLACES * REGIONS,
    SIZE_6 = SIZE_5 + DEPTHS * DETAILS * KINDS,
    SIZE_7 = SIZE_6 + DEPTHS * SIZES * SIZES,
    COUNTERS = SIZE_7 + DEPTHS * PLACES * NOISES
};

/* Rows of weights: for each kind of decision two families of sets. */
enum {
    SIGNIFICANT_BY_PLACE = 0,
    SIGNIFICANT_BY_CLASS = SIGNIFICANT_BY_PLACE + PLACES * 2,
    SIGN_BY_PLACE = SIGNIFICANT_BY_CLASS + CLASSES / 2,
    SIGN_BY_DETAIL = SIGN_BY_PLACE + PLACES * 2,
    SIZE_BY_DEPTH = SIGN_BY_DETAIL + DETAILS,
    SIZE_BY_CLASS = SIZE_BY_DEPTH + DEPTHS,
    WEIGHT_SETS = SIZE_BY_CLASS + CLASSES / 2
};

static inline int32_t *weights_of(const Layer *layer, int set) {
    return layer->weights + (int64_t)set * MIXED;
}

/* A decision that counters expect together, with two sets of weights. */
static INLINE int decide(Layer *layer, int decoding, const int contexts[MIXED], int first_set,
                         int second_set, int bit) {
    uint32_t *counters[MIXED];
    for (int i = 0; i < MIXED; i++) counters[i] = layer->counters + contexts[i];
    return code_mixed(&layer->coder, decoding, &layer->curves, counters,
                      weights_of(layer, first_set), weights_of(layer, second_set), bit);
}

/* Whether an index that was 0 so far is not 0. */
static inline int code_significance(Layer *layer, int decoding, const Context *c, const Ahead *a,
                                    int64_t x, int bit) {
    const int contexts[MIXED] = {
        SIGNIFICANT_0 + (c->class * REGIONS + c->region) * 2 + (c->plane > 0),
        SIGNIFICANT_1 + ((size_of(c->west) * SIZES + a->north[x]) * SIZES + a->diagonal[x]) * KINDS +
            c->kind,
        SIGNIFICANT_2 + a->by_parent[x],
        SIGNIFICANT_3 + a->by_planes[x],
        SIGNIFICANT_4 + a->by_noise[x],
        SIGNIFICANT_5 + (c->detail * (CLASSES / 2) + c->class / 2) * KINDS + c->kind,
        SIGNIFICANT_6 + (a->ahead[x] * SIZES + size_of(c->second)) * SIZES +
            size_of((c->west + a->above[x]) / 2),
        SIGNIFICANT_7 + a->by_detail[x],
    };
    return decide(layer, decoding, contexts, SIGNIFICANT_BY_PLACE + c->place * 2 + (c->plane > 0),
                  SIGNIFICANT_BY_CLASS + c->class / 2, bit);
}

/* A sign as it looks where the base's coefficient is taken for positive. */
static inline int turned(int sign, int turn) { return turn && sign ? 3 - sign : sign; }

/* 0 where a coefficient or its base's is zero, 1 where they have one sign, else 2. */
static inline int agreement(const Layer *layer, int64_t at) {
    const int sign = layer->signs[at], detail = layer->details[at];
    return !sign || !(detail & 127) ? 0 : (sign == 2) == (detail >> 7) ? 1 : 2;
}

/* Whether an index is negative. */
static inline int code_sign(Layer *layer, int decoding, const Context *c, const Position *p,
                            int bit) {
    const int64_t at = p->at, down = p->pitch;
    const int turn = (layer->details[at] >> 7) & (c->detail > 0);
    const uint8_t *signs = layer->signs;
#define SIGN(where) turned(signs[where], turn)
    const int west = SIGN(at - 1), north = SIGN(at - down);
    const int parent = p->parent < 0 ? 0 : SIGN(p->parent);
    const int first = p->sibling[0] < 0 ? 0 : SIGN(p->sibling[0]);
    const int second = p->sibling[1] < 0 ? 0 : SIGN(p->sibling[1]);
    const int east = layer->refining ? SIGN(at + 1) : 0;
    const int south = layer->refining ? SIGN(at + down) : 0;
    int planes = 0;
    for (int i = 0; i < 3; i++)
        planes = planes * 3 + (i < c->number ? SIGN(at - (c->number - i) * p->plane) : 0);
    const int diagonals = (SIGN(at - down - 1) * 3 + SIGN(at - down + 1)) * 9 + SIGN(at - 2) * 3 +
                          SIGN(at - 2 * down);
#undef SIGN
    const int agree_west = agreement(layer, at - 1), agree_north = agreement(layer, at - down);
    const int coarse = c->detail == 0 ? 0 : c->detail < 4 ? 1 : 2;
    const int contexts[MIXED] = {
        SIGN_0 + (c->detail * PLACES + c->place) * 2 + (c->plane > 0),
        SIGN_1 + (((west * 3 + north) * 3 + coarse) * 3 +
                  (agree_west == agree_north ? agree_west : 0)) * KINDS + c->kind,
        SIGN_2 + ((parent * 3 + first) * 3 + second) * KINDS + c->kind,
        SIGN_3 + (c->plane * 27 + planes) * 3 + coarse,
        SIGN_4 + diagonals * KINDS + c->kind,
        SIGN_5 + (((east * 3 + south) * 3 + west) * 3 + north) * 3 + coarse,
        SIGN_6 + ((agree_west * 3 + agree_north) * DETAILS + c->detail) * 3 +
            (c->sum < 8 ? 0 : c->sum < 32 ? 1 : 2),
        SIGN_7 + (c->region * DETAILS + c->detail) * PLANES + c->plane,
    };
    return turn ^ decide(layer, decoding, contexts, SIGN_BY_PLACE + c->place * 2 + (c->plane > 0),
                  SIGN_BY_DETAIL + c->detail, turn ^ bit);
}

/* Whether an index of at least `size` is larger; or, refining one of `size`, its new bit. */
static inline int code_size(Layer *layer, int decoding, const Context *c, const Ahead *a, int64_t x,
                            uint32_t size, int bit) {
    const int depth = (int)(size < DEPTHS ? size : DEPTHS) - 1;
    const int deep = (int)(size < UNARY ? size : UNARY) - 1;
    const int other = layer->refining ? a->ahead[x] : size_of(c->second);
    const int contexts[MIXED] = {
        SIZE_0 + deep * CLASSES + c->class,
        SIZE_1 + (depth * SIZES + size_of(c->west)) * SIZES + a->north[x],
        SIZE_2 + (depth * SIZES + a->parent[x]) * SIZES + a->siblings[x],
        SIZE_3 + ((depth * PLANES + c->plane) * SIZES + a->first_plane[x]) * SIZES + a->planes[x],
        SIZE_4 + (depth * PLACES + c->place) * REGIONS + c->region,
        SIZE_5 + (depth * DETAILS + c->detail) * KINDS + c->kind,
        SIZE_6 + (depth * SIZES + a->diagonal[x]) * SIZES + other,
        SIZE_7 + (depth * PLACES + c->place) * NOISES + a->noise_class[x],
    };
    return decide(layer, decoding, contexts, SIZE_BY_DEPTH + depth,
                  SIZE_BY_CLASS + c->class / 2, bit);
}

/* Which of four classes noise is of where nothing else is known. */
static inline int quiet_noise(uint32_t noise) {
    return noise < 64 ? 0 : noise < 128 ? 1 : noise < 256 ? 2 : 3;
}

/* What is known where all around is 0, without the noise. */
static inline int quiet_context(const Context *c, int detail, uint32_t noise) {
    const int quarter = (c->place * 2 + (c->plane > 0)) * REGIONS + c->region;
    return (quarter * 8 + (detail < 7 ? detail : 7)) * 4 + quiet_noise(noise);
}

static inline uint32_t half_steps_of(uint32_t magnitude) {
    return magnitude ? 2 * (magnitude < 255 ? magnitude : 255) + 1 : 0;
}

/* Code one index, `x` of those that were looked ahead at: its magnitude was `before` in the layer
   before, and is `wanted`, which counts when encoding alone. One of the `left` from this one on is not
   0, if that is known. Gives the index. */
static inline int32_t code_index(Layer *layer, int decoding, Context *c, const Position *p,
                                 const Ahead *a, int64_t x, uint32_t before, int64_t left,
                                 int32_t wanted) {
    const uint32_t target = (uint32_t)(wanted < 0 ? -wanted : wanted), noise = a->noise[x];
    const uint16_t *here = layer->sizes + p->at;
    c->sum = (uint32_t)a->sum[x] + here[-1] + here[-2];
    const int silent = before == 0 && c->sum == 0;
    if (silent && left != 1) {
        const int context = left ? FIRST + (int)((left - 1) * 8 + (c->detail < 7 ? c->detail : 7)) * 2 +
                                       (c->plane > 0)
                                 : SILENT + quiet_context(c, c->detail, noise);
        if (!code_single(&layer->coder, decoding, &layer->curves, layer->counters + context,
                         target != 0))
            return 0;
    }
    c->west = here[-1];
    c->second = (uint32_t)here[-2] + a->second[x];
    c->class = class_of(a->expected[x] + WEST * (uint32_t)here[-1] + SECOND * (uint32_t)here[-2]);
    uint32_t size = before ? before : 1;
    if (!before && !silent && !code_significance(layer, decoding, c, a, x, target != 0)) {
        layer->sizes[p->at] = 0;
        return 0;
    }
    if (!before) layer->signs[p->at] = (uint8_t)(1 + code_sign(layer, decoding, c, p, wanted < 0));
    if (before) {
        size = 2 * before + (uint32_t)code_size(layer, decoding, c, a, x, before, target & 1);
    } else if (!layer->refining) {
        while (size <= UNARY && code_size(layer, decoding, c, a, x, size, target > size)) size++;
        if (size > UNARY)
            size += code_golomb(&layer->coder, decoding, &layer->curves, layer->counters + GOLOMB,
                                target - size);
    }
    if (size > 65535) size = 65535;
    layer->sizes[p->at] = (uint16_t)half_steps_of(size);
    return layer->signs[p->at] == 2 ? -(int32_t)size : (int32_t)size;
}

/* Up to BLOCK indices of a row. */
static INLINE void code_block(Layer *layer, int decoding, Context *context, Position *p, Ahead *ahead,
                              int64_t count, const uint8_t *regions, const uint16_t *noise,
                              uint32_t level, int32_t *indices) {
    int quiet = is_quiet(layer, p, context->number, count);
    if (quiet) {
        int detail = 0, filled = 0;
        for (int64_t x = 0; x < count; x++) {
            const int own = layer->details[p->at + x] & 127;
            detail = own > detail ? own : detail;
        }
        for (int64_t x = 0; x < count && !decoding; x++) filled |= indices[x] != 0;
        context->region = (int)clamp(regions[count / 2], 0, REGIONS - 1);
        const int where = quiet_context(context, detail, (noise[count / 2] * level) >> 8);
        if (!code_single(&layer->coder, decoding, &layer->curves, layer->counters + QUIET + where,
                         filled))
            return;
    }
    look_ahead(layer, p, context, count, regions, noise, level, ahead);
    const int64_t parent = p->parent, sibling[2] = {p->sibling[0], p->sibling[1]}, at = p->at;
    for (int64_t x = 0; x < count; x++) {
        p->at = at + x;
        if (parent >= 0) p->parent = parent + x / 2;
        for (int i = 0; i < 2; i++) p->sibling[i] = sibling[i] < 0 ? -1 : sibling[i] + x;
        const uint32_t magnitude = (uint32_t)(indices[x] < 0 ? -indices[x] : indices[x]);
        const uint32_t before = !layer->refining ? 0 : decoding ? magnitude : magnitude >> 1;
        context->region = (int)clamp(regions[x], 0, REGIONS - 1);
        context->detail = layer->details[p->at] & 127;
        const int32_t found = code_index(layer, decoding, context, p, ahead, x, before,
                                         quiet ? count - x : 0, decoding ? 0 : indices[x]);
        if (found) quiet = 0;
        if (decoding) indices[x] = found;
    }
}

static int any_size(const Layer *layer, const BandPlace *band, int plane) {
    const uint16_t *sizes = layer->sizes + band->bordered + plane * band->plane;
    for (int64_t i = 0; i < band->plane; i += band->pitch)
        if (any_of(sizes + i, band->pitch)) return 1;
    return 0;
}

static int any_index(const int32_t *indices, const BandPlace *band) {
    for (int64_t y = 0; y < band->rows; y++, indices += band->columns) {
        int32_t any = 0;
        for (int64_t x = 0; x < band->columns; x++) any |= indices[x];
        if (any) return 1;
    }
    return 0;
}

/* One plane of a band. */
static inline void code_plane(Layer *layer, int decoding, int number, int plane, int64_t level) {
    const BandPlace *band = layer->bands + number;
    const BandPlace *parent = number > 3 ? band - 3 : 0;
    const int64_t area = band->rows * band->columns;
    int32_t *indices = layer->indices + band->start + plane * area;
    if (!layer->refining || !any_size(layer, band, plane)) {
        const int full = parent ? any_size(layer, parent, plane) : 1;
        const int filled = !decoding && any_index(indices, band);
        if (!code_single(&layer->coder, decoding, &layer->curves,
                         layer->counters + EMPTY + (band->level - 1) * 2 + full, filled))
            return;
    }
    Context context = {.number = plane, .plane = plane < PLANES ? plane : PLANES - 1,
                       .kind = band->kind, .place = band->place};
    Ahead ahead;
    Position p = {.pitch = band->pitch, .plane = band->plane, .parent = -1, .sibling = {-1, -1}};
    for (int64_t y = 0; y < band->rows; y++) {
        const int64_t row = band->bordered + plane * band->plane + (y + BORDER) * p.pitch + BORDER;
        const uint8_t *regions = layer->regions + band->start / layer->planes + y * band->columns;
        const uint16_t *noises = layer->noise + band->start / layer->planes + y * band->columns;
        int64_t siblings[2] = {-1, -1}, parents = -1;
        for (int i = 0; number && i < (number - 1) % 3; i++) {
            const BandPlace *other = band - 1 - i;
            siblings[i] = other->bordered + plane * other->plane +
                          (clamp(y, 0, other->rows - 1) + BORDER) * other->pitch + BORDER;
        }
        if (parent) {
            p.parent_pitch = parent->pitch;
            parents = parent->bordered + plane * parent->plane +
                      (clamp(y / 2, 0, parent->rows) + BORDER) * parent->pitch + BORDER;
        }
        for (int64_t x = 0; x < band->columns; x += BLOCK) {
            p.at = row + x;
            if (parent) p.parent = parents + x / 2;
            for (int i = 0; i < 2; i++) p.sibling[i] = siblings[i] < 0 ? -1 : siblings[i] + x;
            int32_t *block = indices + y * band->columns + x;
            if (band->columns - x >= BLOCK)
                code_block(layer, decoding, &context, &p, &ahead, BLOCK, regions + x, noises + x,
                           (uint32_t)level, block);
            else
                code_block(layer, decoding, &context, &p, &ahead, band->columns - x, regions + x,
                           noises + x, (uint32_t)level, block);
        }
    }
}

static inline int64_t code_layer(Layer *layer, int decoding, const ReadI32 *noise_levels) {
    for (int number = 0; number < BANDS; number++)
        for (int plane = 0; plane < layer->planes; plane++)
            code_plane(layer, decoding, number, plane,
                       clamp(noise_levels->data[number * noise_levels->stride[0] + plane], 0,
                             1 << 14));
    return decoding ? 0 : finish(&layer->coder);
}

/* Code the next layer of a tile of `height` x `width` cells.

   decoding      0: write `indices`, as they are in this layer; 1: read, and replace those of the
                 layer before
   refining      whether there is a layer before
   bytes         the section
   indices       of all bands; their magnitudes at most 65535
   regions       class of each place of all bands, one plane
   noise         relative deviation of the noise there, in 1/256
   base          the base's own wavelet coefficients, like `indices`
   steps         quantiser step of each band and plane; one to 16 planes
   noise_levels  mean magnitude of noise of deviation 1 in each band and plane, half steps / 256
   stretch, squash, rate   the stored curves
   counters, weights       as stored for this layer's step; they learn
   sizes, signs, details   room to work in, see rawback_layer_room

   Returns the bytes written, more than there are where they do not fit; 0 when decoding. */
KERNEL rawback_code_layer(int64_t decoding, int64_t refining, int64_t height, int64_t width,
                          const WriteU8 *bytes, const WriteI32 *indices, const ReadU8 *regions,
                          const ReadU16 *noise, const ReadU8 *base, const ReadI32 *steps,
                          const ReadI32 *noise_levels, const ReadI16 *stretch,
                          const ReadU16 *squash, const ReadU32 *rate, const WriteU32 *counters,
                          const WriteI32 *weights, const WriteU16 *sizes, const WriteU8 *signs,
                          const WriteU8 *details) {
    REQUIRE(height > 0 && width > 0 && height <= 1 << 15 && width <= 1 << 15);
    const int64_t planes = steps->size[1];
    REQUIRE(steps->size[0] == BANDS && planes > 0 && planes <= MOST_PLANES);
    Layer layer = {.planes = planes, .refining = refining != 0};
    place_bands(planes, height, width, layer.bands);
    const int64_t size = all_indices(planes, layer.bands);
    const int64_t room = all_bordered(planes, layer.bands);
    REQUIRE(indices->size[0] == size && base->size[0] == size);
    REQUIRE(regions->size[0] == size / planes && noise->size[0] == size / planes);
    REQUIRE(noise_levels->size[0] == BANDS && noise_levels->size[1] == planes);
    REQUIRE(stretch->size[0] == CURVE && squash->size[0] == CURVE && rate->size[0] == RATES);
    REQUIRE(counters->size[0] == COUNTERS);
    REQUIRE(weights->size[0] == WEIGHT_SETS && weights->size[1] == MIXED &&
            weights->stride[0] == MIXED);
    REQUIRE(sizes->size[0] >= room && signs->size[0] >= room && details->size[0] >= room);
    layer.curves = (Curves){stretch->data, squash->data, rate->data};
    layer.indices = indices->data;
    layer.regions = regions->data;
    layer.noise = noise->data;
    layer.counters = counters->data;
    layer.weights = weights->data;
    layer.sizes = sizes->data;
    layer.signs = signs->data;
    layer.details = details->data;
    lay_out(&layer, decoding != 0, base->data, steps);
    if (decoding) {
        layer.coder = range_decoder(bytes->data, bytes->size[0]);
        return code_layer(&layer, 1, noise_levels);
    }
    layer.coder = range_encoder(bytes->data, bytes->size[0]);
    return code_layer(&layer, 0, noise_levels);
}

/* Elements that a layer of a tile needs to work in. */
KERNEL rawback_layer_room(int64_t planes, int64_t height, int64_t width) {
    REQUIRE(planes > 0 && planes <= MOST_PLANES);
    REQUIRE(height > 0 && width > 0 && height <= 1 << 15 && width <= 1 << 15);
    BandPlace bands[BANDS];
    place_bands(planes, height, width, bands);
    return all_bordered(planes, bands);
}

/* How many counters (0) or sets of weights (1) a layer has. */
KERNEL rawback_layer_model(int64_t what) { return what ? WEIGHT_SETS : COUNTERS; }
