/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deviations.c: what each method here does otherwise than its paper or its
 * authors' code, and where it follows one against the other.
 *
 * A line is a sentence or a few about one thing.  The pages under docs/methods
 * say the same words: tests/cli/method_pages.sh compares them.
 */
#include <string.h>

#include "ballast/train.h"

static const struct {
    const char *method, *lines;
} rows[] = {
    {"ce",
     "Unlike the LDAM code, warm-up and milestones scale with --epochs.\n"
     "Random numbers are keyed by (seed, purpose, epoch, index); the "
     "LDAM code's own run is not repeated, only its distribution. The "
     "long-tailed subset is the same, image by image.\n"
     "bf16 where the processor multiplies it natively; --precision fp32 "
     "is the LDAM code's."},
    {"focal",
     "In the LDAM code p comes from the weighted cross-entropy, so that "
     "it is p^w. Here p is the probability, and w stands in front. "
     "Without class weights the two are one.\n"
     "As there the sum is divided by B, also where there are weights; "
     "weighted cross-entropy is divided by the sum of weights.\n"
     "The paper defines the loss on sigmoids; that is focal-sigmoid.\n"
     "The paper's alpha is not here; use --weights."},
    {"focal-sigmoid",
     "No alpha; --weights gives a weight to a class. The paper's alpha "
     "balances positives and negatives instead.\n"
     "gamma = 2, the paper's, as in the code of \"Bag of tricks\"."},
    {"cb-focal",
     "Cui et al. trained in TensorFlow with a recipe of their own; here "
     "it is that of ce.\n"
     "They scale inputs to x / 128 - 1; here channels are normalised.\n"
     "They warm up step by step from 0 to 0.1 over 5 epochs; here epoch "
     "by epoch.\n"
     "They have no weight decay on the bias of the classifier; here it "
     "is on every parameter.\n"
     "The shortcuts of their ResNet average 2x2 pixels; here they take "
     "every second one.\n"
     "As there: the sum over classes, the division by B, b = -log(C - "
     "1), momentum 0.9 without Nesterov, weight decay 2e-4, rate times "
     "0.01 after 160 and 180 epochs.\n"
     "beta and gamma go with the data; the defaults are those of "
     "CIFAR-10 at F = 100. For CIFAR-100 at F = 100: --weights.beta 0.9; "
     "the page's table has the others."},
    {"ldam",
     "s = 30 is the code's; the paper leaves it open.\n"
     "ldam alone is seldom meant: the paper's results are those of "
     "ldam-drw."},
    {"logit-adjustment",
     "Weight decay 2e-4 and rate times 0.01 at 160 and 180 as in ce; the "
     "paper has 1e-4 and times 0.1 (--sgd.weight-decay 1e-4 "
     "--schedule.decay 0.1)."},
    {"balanced-softmax",
     "The paper's second half, a class sampler learnt on a held-out set "
     "(BALMS), is not here.\n"
     "Recipe of ce, not the authors' 13 000 steps of batch 512 with "
     "AutoAugment."},
    {"vs",
     "The paper's class weights are --weights, none by default.\n"
     "Recipe of ce."},
    {"cdt",
     "The authors look for gamma in 0 .. 0.4 on CIFAR-10 and 0 .. 0.2 on "
     "CIFAR-100; the default 0.2 is that of \"Bag of tricks\".\n"
     "Recipe of ce."},
    {"label-aware-smoothing",
     "e_y is spread over all C classes, as in the authors' code. Their "
     "paper spreads it over the C - 1 others.\n"
     "The authors' values go with the data; the defaults are those of "
     "CIFAR-10 at F = 100. For CIFAR-100 at F = 100: --loss.smooth-head "
     "0.4 --loss.smooth-tail 0.1; the page's table has the others."},
    {"rw",
     "The literature scales weights to sum to C; with the weighted mean "
     "the scale is without effect."},
    {"rw-sqrt", ""},
    {"rw-effective",
     "Cui et al. weigh sigmoid and focal losses as well; that is "
     "cb-focal. Their recipe is not followed, see there."},
    {"rs",
     "Some codes draw four images of a class in a row; here every draw "
     "is on its own."},
    {"rs-sqrt", ""},
    {"rs-progressive",
     "The paper counts epochs from 0 to T and divides by T; here epochs "
     "1 .. E reach both ends."},
    {"ce-drw",
     "Three sources, three weights: the LDAM paper 1 / n_c, its code "
     "effective numbers with beta = 0.9999 (here), BBN's code with "
     "0.999999, nearly 1 / n_c. On CIFAR-100 they agree to 2 %; at "
     "CIFAR-10, F = 100 the rarest class weighs 78.9 times the largest, "
     "against 100 times. --weights inverse is the paper's.\n"
     "BBN's table was made with Nesterov momentum; here as in the LDAM "
     "code."},
    {"ce-drs",
     "The LDAM code makes a sampler by effective numbers and never hands "
     "it to the loader (its issue 7), so it cannot be what its paper "
     "measured. Here classes are drawn alike, as BBN describes it."},
    {"ldam-drw",
     "The paper's weights are 1 / n_c, its code's the effective number "
     "with beta = 0.9999; so are these. BBN's code has 0.999999. On "
     "CIFAR-100 the two agree to 2 %, at CIFAR-10, F = 100 the rarest "
     "class weighs 78.9 times the largest instead of 100 times.\n"
     "The switch is after epoch 160, with the learning rate. The code of "
     "\"Bag of tricks\" switches one epoch earlier for LDAM.\n"
     "Plain momentum, as the LDAM code; BBN's code has Nesterov's."},
    {"mixup",
     "alpha = 1, the default of the authors' code. BBN says neither "
     "alpha nor the number of epochs of its row.\n"
     "\"Bag of tricks\" needs 400 epochs for its figures, with the rate "
     "dropping after 320 and 360: --epochs 400 does just that, for "
     "milestones scale."},
    {"manifold-mixup",
     "Soft cross-entropy, where the authors take binary cross-entropy of "
     "softmax outputs; 200 epochs, where they train for 2000.\n"
     "alpha = 1, where the authors have 2. BBN says neither depth nor "
     "alpha; \"Bag of tricks\" mixes behind the pooling, alpha = 1, 400 "
     "epochs: --mix.layer pool --epochs 400."},
    {"manifold-mixup-two-samplers",
     "BBN says no more than \"manifold mixup with two samplers as the "
     "same as ours\". Reversed sampler, places, alpha = 1 and two passes "
     "are a reading of that; the two passes are how BBN's own code "
     "treats two batches.\n"
     "A row \"BBN-style sampling\" of \"Bag of tricks\" (28.38 / 21.89 "
     "and 62.94 / 57.97 at F = 100 / 50) is another thing: by its "
     "configuration 64 images of each sampler form one batch and nothing "
     "is mixed."},
    {"remix",
     "The rule looks at each pair. The code of \"Bag of tricks\" "
     "averages its outcome over the batch, which all but undoes it; its "
     "published figures are with that.\n"
     "kappa = 3, tau = 0.5 are the paper's; alpha = 1.\n"
     "Recipe of ce, 200 epochs."},
    {"cmo",
     "The authors' code mixes where 3 < e < E - 3 for epochs counted "
     "from 0: 5 .. E - 3 counted from 1. So do the two keys for a run of "
     "200; they scale with its length.\n"
     "Its sampler gives each image the weight 1 / n of its class, which "
     "is the balanced sampler.\n"
     "The authors report it with other losses; take it along by --method "
     "ldam-drw --mix cmo --mix.sampler balanced --mix.probability 0.5."},
    {"crt",
     "Kang et al. train 10 epochs (30 on iNaturalist) under a cosine, "
     "with four images of a class in a row. This stage is that of \"Bag "
     "of tricks\" for CIFAR: 30 epochs, warm-up, times 0.1 after 10 and "
     "20, weight decay 5e-4. The cosine: --stage2.epochs 10 "
     "--stage2.schedule cosine --stage2.warmup none.\n"
     "Plain momentum, where \"Bag of tricks\" has Nesterov's."},
    {"lws",
     "Stage 2 is that of \"Bag of tricks\" for CIFAR as in crt, with "
     "plain momentum."},
    {"mislas",
     "First stage: rate times 0.01 at 160 and 180 as in ce; the authors "
     "have times 0.1 (--schedule.decay 0.1) and recommend a weight decay "
     "of 5e-4 (--sgd.weight-decay 5e-4).\n"
     "e_y is spread over all C classes, as in their code; the paper "
     "spreads it over the others.\n"
     "Their loop runs a step or two more than an epoch has, and their "
     "sampler draws n_max C images an epoch; here an epoch is N draws.\n"
     "The authors' values go with the data; the defaults are those of "
     "CIFAR-100 at F = 100. For CIFAR-10 at F = 100: --stage2.norm frozen "
     "--stage2.head-rate 0.5 --loss.smooth-head 0.3 --loss.smooth-tail 0; "
     "the page's table has the others."},
    {"retrain",
     "The paper says neither epochs nor rate nor what batch-norm does. "
     "Stage 2 is that of crt; --stage2.norm frozen is the other reading.\n"
     "RW weighs by 1 / n_c and all of training, as the paper says."},
    {"tau-norm",
     "Kang et al. choose tau on the validation sets that their data "
     "have; CIFAR has none. Here it costs a tenth of the training "
     "images.\n"
     "The mean over classes, because a held-out part is as long-tailed "
     "as what it was cut from.\n"
     "No epoch had the new classifier, so a run has no best error; "
     "best.safetensors is an epoch's network, as trained."},
    {"ncm",
     "Kang et al. have means compared by cosine or by Euclidean "
     "distance. This is the cosine of means of normalised features; "
     "later code (\"cl2n\") first subtracts the mean of all training "
     "features, which is not done here.\n"
     "No epoch had the new classifier, so a run has no best error; "
     "best.safetensors is an epoch's network, as trained."},
    {"logit-adjustment-posthoc",
     "The paper prints tau = 1 and the best of the taus it tried; here "
     "tau comes from a holdout, and the price is a tenth of the images.\n"
     "No epoch had the new bias, so a run has no best error; "
     "best.safetensors is an epoch's network, as trained.\n"
     "Recipe of ce; the paper's weight decay is 1e-4 and its decay 0.1."},
    {"bbn",
     "As in the authors' code and not in the paper: the factor 2 in the "
     "training logits. It gives training at l = 0.5 the logits of "
     "inference; without it the bias weighs twice as much in training as "
     "at test time.\n"
     "As in the code and not in the paper: l is 1 - ((e - 1) / E)^2, not "
     "1 - (e / E)^2. The first epoch has l = 1, the last one 0.009975 at "
     "E = 200, never 0.\n"
     "As in the code: Nesterov's momentum; the paper says SGD with "
     "momentum.\n"
     "Learning rates follow the code under PyTorch 1.0.1, with which the "
     "results were published. Newer versions number epochs differently "
     "and decay one epoch earlier.\n"
     "Unlike the code: x divides by the number of epochs. The code "
     "divides by 100 or 200, whichever is next, so that its 90- and "
     "180-epoch runs end at l of about 0.2.\n"
     "Unlike the code: milestones and warm-up scale with the number of "
     "epochs.\n"
     "Unlike the code, random numbers are keyed by (seed, purpose, "
     "epoch, index). The code does not seed its training; its samples "
     "cannot be repeated."},
};

const char *bl_method_deviations(const bl_method_type *method)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].method, method->name) == 0) return rows[i].lines;
    return NULL;
}
