/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sampler.c: what each sampler is, apart from its frequencies (those are
 * in property/test_sampler.c).
 */
#include "near.h"

#include <stdlib.h>

#include "ballast/sampler.h"
#include "core/mem.h"
#include "support/sets.h"

static const int64_t ir100[] = {5000, 2997, 1796, 1077, 645,
                                387,  232,  139,  83,   50};
static const int64_t ir50[] = {5000, 3237, 2096, 1357, 878,
                               568,  368,  238,  154,  100};

static bl_sampler *make(const char *name, const bl_split *split,
                        uint64_t seed, uint32_t stream)
{
    bl_sampler *s = NULL;
    assert_int_equal(bl_sampler_create(&s, bl_sampler_find(name),
                                       split->labels, split->n,
                                       split->n_class, seed, stream), BL_OK);
    return s;
}

static void check_p(const char *name, const int64_t *n_c, const double *want,
                    double bound)
{
    double p[10], sum = 0;
    bl_split *split = sets_split(n_c, 10);
    bl_sampler *s = make(name, split, 3, 0);
    bl_sampler_class_p(s, p);
    for (int c = 0; c < 10; c++) {
        assert_near(p[c], want[c], bound);
        sum += p[c];
    }
    assert_near(sum, 1, 1e-14);
    bl_sampler_free(s);
    bl_split_free(split);
}

static void test_class_probabilities(void **state)
{
    (void)state;
    static const double reversed100[] = {.004024, .006713, .011202, .01868,
                                         .031191, .051985, .086717, .144736,
                                         .242389, .402365};
    static const double reversed50[] = {.007134, .011019, .017018, .026286,
                                        .040626, .062799, .096928, .149872,
                                        .231621, .356696};
    static const double root100[] = {.244738, .189478, .146679, .113586,
                                     .087901, .068088, .052718, .040806,
                                     .031532, .024474};
    static const double tenth[] = {.1, .1, .1, .1, .1, .1, .1, .1, .1, .1};
    double natural[10];
    for (int c = 0; c < 10; c++) natural[c] = (double)ir100[c] / 12406;
    check_p("reversed", ir100, reversed100, 5.1e-7);
    check_p("reversed", ir50, reversed50, 5.1e-7);
    check_p("sqrt", ir100, root100, 5.1e-7);
    check_p("balanced", ir100, tenth, 1e-15);
    check_p("uniform", ir100, natural, 1e-15);
    check_p("permutation", ir100, natural, 1e-15);
}

/* p of `progressive` in epoch e of E, against (1 - t) n_c / N + t / C. */
static void check_progress(bl_sampler *s, uint32_t e, double t)
{
    double p[10];
    bl_sampler_begin(s, e);
    bl_sampler_class_p(s, p);
    for (int c = 0; c < 10; c++)
        assert_near(p[c], (1 - t) * (double)ir100[c] / 12406 + t / 10, 1e-14);
}

static void test_progressive_goes_its_way(void **state)
{
    (void)state;
    static const struct {
        uint32_t first, span, epoch;
        double t;
    } rows[] = {
        {0, 200, 1, 0}, {0, 200, 2, 1. / 199}, {0, 200, 61, 60. / 199},
        {0, 200, 199, 198. / 199}, {0, 200, 200, 1}, {0, 200, 201, 1},
        {0, 200, 37, 36. / 199},
        {0, 2, 1, 0}, {0, 2, 2, 1}, {0, 1, 1, 0}, {0, 1, 2, 1}, {0, 0, 1, 0},
        {0, 0, 3, 1}, {200, 30, 3, 0}, {200, 30, 200, 0}, {200, 30, 201, 0},
        {200, 30, 214, 13. / 29}, {200, 30, 230, 1}, {200, 30, 231, 1},
        {200, 1, 201, 0}, {200, 1, 202, 1},
    };
    bl_split *split = sets_split(ir100, 10);
    bl_sampler *s = make("progressive", split, 3, 0);
    check_progress(s, 1, 0); /* without a span: one epoch */
    check_progress(s, 2, 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bl_sampler_span(s, rows[i].first, rows[i].span);
        check_progress(s, rows[i].epoch, rows[i].t);
    }
    bl_sampler_free(s);
    bl_split_free(split);
}

/* Tables made anew are those of a sampler that was never elsewhere, and an
 * epoch takes no memory. */
static void test_moving_is_pure(void **state)
{
    (void)state;
    bl_split *split = sets_split(ir100, 10);
    bl_sampler *a = make("progressive", split, 7, 1);
    bl_sampler *b = make("progressive", split, 7, 1);
    bl_sampler_span(a, 0, 50);
    bl_sampler_span(b, 0, 50);
    bl_sampler_begin(a, 31);
    const int64_t before = bl_mem_count();
    for (uint32_t e = 50; e >= 31; e--) bl_sampler_begin(b, e);
    assert_int_equal(bl_mem_count(), before);
    for (int64_t i = 0; i < 500; i++)
        assert_int_equal(bl_sampler_at(a, i), bl_sampler_at(b, i));
    bl_sampler_free(a);
    bl_sampler_free(b);
    bl_split_free(split);
}

static void test_permutation_permutes(void **state)
{
    (void)state;
    static const int64_t n_c[] = {61, 17, 3};
    bl_split *split = sets_split(n_c, 3);
    bl_sampler *s = make("permutation", split, 23, 0);
    int64_t order[3][81];
    for (uint32_t e = 0; e < 3; e++) {
        int seen[81] = {0};
        bl_sampler_begin(s, e + 1);
        for (int64_t i = 0; i < 81; i++) {
            order[e][i] = bl_sampler_at(s, i);
            seen[order[e][i]]++;
        }
        for (int i = 0; i < 81; i++) assert_int_equal(seen[i], 1);
    }
    assert_memory_not_equal(order[0], order[1], sizeof order[0]);
    assert_memory_not_equal(order[1], order[2], sizeof order[1]);
    bl_sampler_free(s);
    bl_split_free(split);
}

/* The i-th image of an epoch is a function of seed, stream, epoch and i: it
 * does not matter what was asked before. */
static void test_draws_are_pure(void **state)
{
    (void)state;
    bl_split *split = sets_split(ir100, 10);
    for (int64_t t = 0; bl_sampler_types()[t] != NULL; t++) {
        const char *name = bl_sampler_types()[t]->name;
        bl_sampler *a = make(name, split, 7, 1), *b = make(name, split, 7, 1);
        int64_t forward[64];
        bl_sampler_begin(a, 4);
        for (int64_t i = 0; i < 64; i++) forward[i] = bl_sampler_at(a, i);
        for (uint32_t e = 9; e >= 4; e--) bl_sampler_begin(b, e);
        for (int64_t i = 63; i >= 0; i--)
            assert_int_equal(bl_sampler_at(b, i), forward[i]);
        bl_sampler_free(a);
        bl_sampler_free(b);
    }
    bl_split_free(split);
}

/* Another seed, stream or epoch gives another sequence. */
static void test_keys_matter(void **state)
{
    (void)state;
    static const struct {
        uint64_t seed;
        uint32_t stream, epoch;
    } keys[] = {{7, 0, 1}, {8, 0, 1}, {7, 1, 1}, {7, 0, 2}};
    bl_split *split = sets_split(ir100, 10);
    for (int64_t t = 0; bl_sampler_types()[t] != NULL; t++) {
        int64_t drawn[4][32];
        for (int k = 0; k < 4; k++) {
            bl_sampler *s = make(bl_sampler_types()[t]->name, split,
                                 keys[k].seed, keys[k].stream);
            bl_sampler_begin(s, keys[k].epoch);
            for (int64_t i = 0; i < 32; i++)
                drawn[k][i] = bl_sampler_at(s, i);
            bl_sampler_free(s);
        }
        for (int k = 1; k < 4; k++)
            assert_memory_not_equal(drawn[0], drawn[k], sizeof drawn[0]);
    }
    bl_split_free(split);
}

/* A row that gives an empty class no weight is allowed and never draws it. */
static void test_a_class_of_no_weight_is_never_drawn(void **state)
{
    (void)state;
    static const int32_t labels[] = {1, 3, 3, 1, 4, 4, 4};
    bl_sampler *s = NULL;
    double p[6];
    assert_int_equal(bl_sampler_create(&s, bl_sampler_find("sqrt"),
                                       labels, 7, 6, 5, 0), BL_OK);
    bl_sampler_class_p(s, p);
    assert_near(p[0] + p[2] + p[5], 0, 0);
    for (int64_t i = 0; i < 2000; i++) {
        const int64_t at = bl_sampler_at(s, i);
        assert_true(at >= 0 && at < 7);
    }
    bl_sampler_free(s);
}

static void test_create_refuses(void **state)
{
    (void)state;
    static const int32_t good[] = {0, 2, 0}, high[] = {0, 3, 0},
                         low[] = {0, -1, 0};
    static const struct {
        const char *type;
        const int32_t *labels;
        int64_t n;
        int32_t n_class;
        uint32_t stream;
        const char *said;
    } rows[] = {
        {"balanced", good, 3, 3, 0, "class 1 has no image"},
        {"reversed", good, 3, 3, 0, "class 1 has no image"},
        {"progressive", good, 3, 3, 0, "class 1 has no image"},
        {"uniform", good, 0, 3, 0, "0 images"},
        {"uniform", good, 3, 0, 0, "0 classes"},
        {"uniform", high, 3, 3, 0, "label 1 is 3, wanted [0, 2]"},
        {"uniform", low, 3, 3, 0, "label 1 is -1, wanted [0, 2]"},
        {"uniform", good, 3, 3, 256, "stream 256"},
        {"no such row", good, 3, 3, 0, "without a type"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bl_sampler *s = NULL;
        assert_int_equal(bl_sampler_create(&s, bl_sampler_find(rows[i].type),
                                           rows[i].labels, rows[i].n,
                                           rows[i].n_class, 1,
                                           rows[i].stream), BL_EINVAL);
        if (strstr(bl_error_last()->message, rows[i].said) == NULL)
            fail_msg("'%s' lacks '%s'", bl_error_last()->message,
                     rows[i].said);
        assert_null(s);
    }
    bl_sampler_free(NULL);
}

static void test_rows_are_complete(void **state)
{
    (void)state;
    static const char *const names[] = {"permutation", "uniform", "balanced",
                                        "reversed", "sqrt", "progressive"};
    for (int i = 0; i < 6; i++) {
        const bl_sampler_type *row = bl_sampler_types()[i];
        assert_string_equal(row->name, names[i]);
        assert_ptr_equal(row, bl_sampler_find(names[i]));
        assert_true(strlen(row->summary) > 0 && strlen(row->summary) <= 60);
        assert_non_null(row->paper);
    }
    assert_null(bl_sampler_types()[6]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_class_probabilities),
        cmocka_unit_test(test_progressive_goes_its_way),
        cmocka_unit_test(test_moving_is_pure),
        cmocka_unit_test(test_permutation_permutes),
        cmocka_unit_test(test_draws_are_pure),
        cmocka_unit_test(test_keys_matter),
        cmocka_unit_test(test_a_class_of_no_weight_is_never_drawn),
        cmocka_unit_test(test_create_refuses),
        cmocka_unit_test(test_rows_are_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
