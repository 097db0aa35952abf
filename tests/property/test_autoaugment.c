/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AutoAugment's draws: every sub-policy as often as another, each step with
 * its probability, independent of the other and of the signs; and an image
 * that no step touches stays as it is.
 *
 * Counts are held to five standard deviations of a binomial: with fixed seeds
 * a test that passes once passes always.
 */
#include "near.h"

#include <string.h>

#include "data/autoaugment.h"

enum { DRAWS = 400000 };

static void check_share(int64_t count, int64_t of, double p)
{
    const double n = (double)of;
    assert_true(of > 0);
    assert_near((double)count, n * p, 5 * sqrt(n * p * (1 - p)));
}

typedef struct tally {
    int64_t drawn;
    int64_t fired[2];   /* by step             */
    int64_t both;       /* steps fired         */
    int64_t negative[2];
    int64_t negative_and_fired[2];
} tally;

static void test_shares(void **state)
{
    (void)state;
    tally of[BL_AUTOAUGMENT_POLICIES] = {0};
    for (uint64_t i = 0; i < DRAWS; i++) {
        bl_rng rng = bl_rng_at(771, BL_PURPOSE_TEST, 1, i);
        const bl_autoaugment draw = bl_autoaugment_draw(&rng);
        assert_in_range(draw.policy, 0, BL_AUTOAUGMENT_POLICIES - 1);
        tally *const t = &of[draw.policy];
        t->drawn++;
        t->both += draw.fires[0] && draw.fires[1];
        for (int s = 0; s < 2; s++) {
            t->fired[s] += draw.fires[s];
            t->negative[s] += draw.negative[s];
            t->negative_and_fired[s] += draw.negative[s] && draw.fires[s];
        }
    }
    for (int i = 0; i < BL_AUTOAUGMENT_POLICIES; i++) {
        const bl_autoaugment_step *const step = bl_autoaugment_policies[i];
        const double p[2] = {step[0].probability, step[1].probability};
        check_share(of[i].drawn, DRAWS, 1.0 / BL_AUTOAUGMENT_POLICIES);
        check_share(of[i].both, of[i].drawn, p[0] * p[1]);
        for (int s = 0; s < 2; s++) {
            check_share(of[i].fired[s], of[i].drawn, p[s]);
            check_share(of[i].negative[s], of[i].drawn, 0.5);
            check_share(of[i].negative_and_fired[s], of[i].drawn, 0.5 * p[s]);
        }
    }
}

/* The next user of a stream finds it at one place, whatever fired. */
static void test_the_count_of_draws_is_fixed(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 1000; i++) {
        bl_rng rng = bl_rng_at(9, BL_PURPOSE_TEST, 2, i), by_hand = rng;
        (void)bl_autoaugment_draw(&rng);
        (void)bl_rng_below(&by_hand, BL_AUTOAUGMENT_POLICIES);
        for (int s = 0; s < 2; s++) {
            (void)bl_rng_unit(&by_hand);
            (void)bl_rng_below(&by_hand, 2);
        }
        assert_int_equal(bl_rng_u32(&rng), bl_rng_u32(&by_hand));
    }
}

/* Steps that do not fire leave no trace; those that do are reached alone. */
static void test_steps_alone(void **state)
{
    (void)state;
    static const bl_image_size sizes[] = {{12, 9, 3}, {9, 31, 1}, {1, 1, 3},
                                          {1, 1, 1}, {1, 40, 3}, {40, 1, 1},
                                          {2, 2, 3}};
    uint8_t in[1024], out[1024], scratch[1024], want[1024];
    for (uint32_t i = 0; i < 1024; i++)
        in[i] = (uint8_t)(i * 2654435761u >> 21);
    for (size_t z = 0; z < sizeof sizes / sizeof *sizes; z++) {
        const bl_image_size size = sizes[z];
        const size_t bytes = (size_t)(size.h * size.w * size.c);
        for (int32_t i = 0; i < BL_AUTOAUGMENT_POLICIES; i++) {
            const bl_autoaugment_step *const step = bl_autoaugment_policies[i];
            bl_autoaugment draw = {.policy = i};
            bl_autoaugment_apply(out, in, scratch, size, &draw);
            assert_memory_equal(out, in, bytes);
            for (int s = 0; s < 2; s++) {
                const bl_autoaugment_op *const op = step[s].op;
                const double v = op->base + op->low + (op->high - op->low) *
                                                          step[s].level / 9;
                draw.fires[s] = 1;
                draw.fires[1 - s] = 0;
                bl_autoaugment_apply(out, in, scratch, size, &draw);
                op->apply(want, in, size, v);
                assert_memory_equal(out, want, bytes);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_the_count_of_draws_is_fixed),
        cmocka_unit_test(test_steps_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
