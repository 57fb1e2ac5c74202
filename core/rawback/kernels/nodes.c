/* Equations for the nodes of a grid between which samples are interpolated: encoder only.

   Sample s is the sum of its weights times the nodes first[s] + steps[0..]. Of the symmetric matrix
   of its normal equations, as of any other here, the diagonals from the main one upwards are kept:
   entry i of the one at offset d couples nodes i and i + d. */
#include "kernels.h"

enum { MOST_CORNERS = 8, LANES = 8 };

/* diagonals += what the samples' squares add. `which` ([corners, corners], the upper triangle): the
   diagonal that couples two corners. */
KERNEL rawback_add_squares(const ReadI32 *first, const ReadI32 *steps, const ReadF64 *weights,
                           const ReadI32 *which, const WriteF64 *diagonals) {
    const int64_t samples = first->size[0], corners = steps->size[0];
    const int64_t kept = diagonals->size[0], nodes = diagonals->size[1];
    REQUIRE(corners > 0 && corners <= MOST_CORNERS && kept > 0 && nodes > 0);
    REQUIRE(weights->size[0] == samples && weights->size[1] == corners);
    REQUIRE(which->size[0] == corners && which->size[1] == corners);
    double *places[MOST_CORNERS][MOST_CORNERS];
    for (int64_t i = 0; i < corners; i++)
        for (int64_t j = i; j < corners; j++)
            places[i][j] =
                diagonals->data + diagonals->stride[0] *
                                      clamp(which->data[i * which->stride[0] + j], 0, kept - 1);
    for (int64_t sample = 0; sample < samples; sample++) {
        const double *weight = weights->data + sample * weights->stride[0];
        for (int64_t i = 0; i < corners; i++) {
            const int64_t node =
                clamp((int64_t)first->data[sample] + steps->data[i], 0, nodes - 1);
            for (int64_t j = i; j < corners; j++) places[i][j][node] += weight[i] * weight[j];
        }
    }
    return 0;
}

/* moments += the samples' weights times their values. */
KERNEL rawback_add_moments(const ReadI32 *first, const ReadI32 *steps, const ReadF64 *weights,
                           const ReadF64 *values, const WriteF64 *moments) {
    const int64_t samples = first->size[0], corners = steps->size[0], nodes = moments->size[0];
    REQUIRE(nodes > 0 && values->size[0] == samples);
    REQUIRE(weights->size[0] == samples && weights->size[1] == corners);
    for (int64_t sample = 0; sample < samples; sample++) {
        const double *weight = weights->data + sample * weights->stride[0];
        for (int64_t i = 0; i < corners; i++) {
            const int64_t node =
                clamp((int64_t)first->data[sample] + steps->data[i], 0, nodes - 1);
            moments->data[node] += weight[i] * values->data[sample];
        }
    }
    return 0;
}

/* Sums in a fixed order that processors can take several of at a time. */
static double product(const double *a, const double *b, int64_t count) {
    double lanes[LANES] = {0}, sum = 0;
    int64_t at = 0;
    for (; at + LANES <= count; at += LANES)
        for (int64_t lane = 0; lane < LANES; lane++) lanes[lane] += a[at + lane] * b[at + lane];
    for (; at < count; at++) sum += a[at] * b[at];
    for (int64_t lane = 0; lane < LANES; lane++) sum += lanes[lane];
    return sum;
}

/* found = matrix times vector. */
static void multiplied(const ReadF64 *diagonals, const ReadI32 *offsets, const double *vector,
                       double *found) {
    const int64_t nodes = diagonals->size[1];
    for (int64_t at = 0; at < nodes; at++) found[at] = 0;
    for (int64_t kept = 0; kept < diagonals->size[0]; kept++) {
        const double *diagonal = diagonals->data + kept * diagonals->stride[0];
        const int64_t offset = clamp(offsets->data[kept], 0, nodes);
        const double *right = vector + offset;
        double *below = found + offset;
        for (int64_t at = 0; at < nodes - offset; at++) found[at] += diagonal[at] * right[at];
        if (offset)
            for (int64_t at = 0; at < nodes - offset; at++) below[at] += diagonal[at] * vector[at];
    }
}

/* Solve a positive definite system by conjugate gradients, scaled by its main diagonal, which is
   the first: from what `nodes` holds until the residual's length is 10^-digits of the target's, at
   most so many rounds. `room`: [4, nodes]. Returns the rounds it took. */
KERNEL rawback_solve_nodes(const ReadF64 *diagonals, const ReadI32 *offsets, const ReadF64 *target,
                           int64_t digits, int64_t rounds, const WriteF64 *nodes,
                           const WriteF64 *room) {
    const int64_t count = diagonals->size[1];
    REQUIRE(diagonals->size[0] > 0 && offsets->size[0] == diagonals->size[0]);
    REQUIRE(offsets->data[0] == 0);
    REQUIRE(target->size[0] == count && nodes->size[0] == count);
    REQUIRE(room->size[0] == 4 && room->size[1] == count);
    double *residual = room->data, *scaled = residual + room->stride[0];
    double *direction = scaled + room->stride[0], *image = direction + room->stride[0];
    double least = product(target->data, target->data, count), before = 0;
    for (int64_t digit = 0; digit < clamp(digits, 0, 15); digit++) least *= 0.01;
    multiplied(diagonals, offsets, nodes->data, image);
    for (int64_t at = 0; at < count; at++) {
        residual[at] = target->data[at] - image[at];
        direction[at] = 0;
    }
    int64_t round = 0;
    while (round < rounds && product(residual, residual, count) > least) {
        for (int64_t at = 0; at < count; at++) scaled[at] = residual[at] / diagonals->data[at];
        const double now = product(residual, scaled, count);
        const double kept = round++ ? now / before : 0;
        for (int64_t at = 0; at < count; at++)
            direction[at] = scaled[at] + kept * direction[at];
        multiplied(diagonals, offsets, direction, image);
        const double along = product(direction, image, count);
        if (!(along > 0)) break;
        const double step = now / along;
        for (int64_t at = 0; at < count; at++) {
            nodes->data[at] += step * direction[at];
            residual[at] -= step * image[at];
        }
        before = now;
    }
    return round;
}
