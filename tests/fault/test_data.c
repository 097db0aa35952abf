/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_data.c: every allocation of opening, cutting and loading data fails
 * once.
 */
#include "near.h"

#include "data/loader.h"
#include "support/fault.h"
#include "support/sets.h"

static bl_status open_and_free(void *payload)
{
    bl_dataset *data = NULL;
    const bl_status status = bl_dataset_open(&data, payload, NULL);
    bl_dataset_free(data);
    return status;
}

static bl_status search(void *payload)
{
    bl_dataset *data = NULL;
    const bl_status status = bl_dataset_open(&data, "cifar10", payload);
    bl_dataset_free(data);
    return status == BL_EIO ? BL_OK : status; /* found nothing, as it should */
}

static bl_status cut_and_free(void *payload)
{
    int64_t *index = NULL, *ordinals = NULL, *kept = NULL, *cut = NULL;
    int64_t n, n_kept, n_cut;
    bl_split *part = NULL;
    bl_status status = bl_longtail(&index, &ordinals, &n, payload, "exp", 7);
    if (status == BL_OK) status = bl_split_subset(&part, payload, index, n);
    if (status == BL_OK)
        status = bl_holdout(&kept, &n_kept, &cut, &n_cut, part, 0.3, 1);
    bl_split_free(part);
    bl_free(index);
    bl_free(ordinals);
    bl_free(kept);
    bl_free(cut);
    return status;
}

static bl_status create_and_free(void *payload)
{
    const bl_split *split = payload;
    bl_split *train = NULL, *test = NULL;
    bl_dataset *data = NULL;
    static const int64_t index[] = {2, 0, 1};
    bl_status status = bl_split_subset(&train, split, index, 3);
    if (status == BL_OK) status = bl_split_subset(&test, split, index, 2);
    if (status == BL_OK)
        status = bl_dataset_create(&data, "three", train, test, NULL);
    if (data == NULL) {
        bl_split_free(train);
        bl_split_free(test);
    }
    bl_dataset_free(data);
    return status;
}

static bl_status load_and_free(void *payload)
{
    const bl_split *split = payload;
    bl_sampler *sampler = NULL;
    bl_loader *loader = NULL;
    bl_status status =
        bl_sampler_create(&sampler, bl_sampler_find("reversed"),
                          split->labels, split->n, split->n_class, 1, 0);
    const bl_mix_spec mix = {
        .type = bl_mix_find("mixup"), .alpha = 1, .probability = 1,
        .epochs = 1, .n_class = split->n_class, .h = split->h, .w = split->w,
        .c = split->c};
    const bl_loader_spec spec = {
        .split = split, .mix = &mix, .samplers = &sampler, .streams = 1,
        .batch = 4, .steps = 2, .seed = 1, .threads = 2, .ahead = 2,
        .normalization = {.c = 1, .mean = {.3}, .std = {.2}}};
    if (status == BL_OK) status = bl_loader_create(&loader, &spec);
    if (status == BL_OK) status = bl_loader_begin(loader, 1, 0);
    bl_loader_free(loader);
    bl_sampler_free(sampler);
    return status;
}

static void test_open(void **state)
{
    (void)state;
    scratch s;
    scratch_make(&s);
    sets_make_idx(s.folder);
    assert_true(fault_run(open_and_free, s.folder, 1000) > 20);
    scratch_clear(s.folder);
    sets_make_cifar100(s.folder);
    assert_true(fault_run(open_and_free, s.folder, 1000) > 100);
    scratch_remove(&s);
}

static void test_search(void **state)
{
    (void)state;
    scratch s;
    scratch_make(&s);
    assert_int_equal(setenv("BALLAST_DATA", s.folder, 1), 0);
    assert_int_equal(setenv("XDG_CACHE_HOME", s.folder, 1), 0);
    assert_true(fault_run(search, s.folder, 1000) > 10);
    scratch_remove(&s);
}

static void test_splits(void **state)
{
    (void)state;
    static const int64_t n_c[] = {21, 21, 21};
    bl_split *split = sets_split(n_c, 3);
    assert_true(fault_run(cut_and_free, split, 1000) > 12);
    assert_true(fault_run(create_and_free, split, 1000) > 8);
    assert_true(fault_run(load_and_free, split, 1000) > 12);
    bl_split_free(split);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_search),
        cmocka_unit_test(test_splits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
