# SPDX-License-Identifier: Apache-2.0
"""What methods.py does to a network: a case is told in the words of Mix,
Second and Case, and train and rewrite carry it out.

Everything is in the plainest form PyTorch has: images are mixed as written,
a second stage sets requires_grad, a sharpness-aware step goes up and comes
back.
"""
import copy
import dataclasses
import math
import typing

import numpy as np
import torch
import torch.nn.functional as F

import models
import rules
import schedules
import steps

SEED = 46081
HELD_SEED = 25  # with it, no tau chosen lies at an end of its grid
STEPS, BATCH, H, W, C, CLASSES = 5, 6, 6, 5, 3, steps.CLASSES
LR, LR_SECOND = 0.03, 0.02
MOMENTUM = 0.9
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)

# Training images of each class: of the runs whose pixels do not matter, and
# of those that read their training images again to rewrite a classifier.
LARGE = (900, 402, 171, 83, 35, 12, 5)
SMALL = (14, 9, 6, 4, 3, 2, 1)
LENGTHS = (5.0, 4.0, 3.0, 2.5, 1.5, 1.0, 0.75)

FIRST = (3, 160, 161, 162, 200)


# ---- what a case is ---------------------------------------------------------

@dataclasses.dataclass
class Mix:
    """Pairs of images; places and mixed hold for each step."""
    places: tuple = (0, 0, 0, 0, 0)
    mixed: tuple = (1, 1, 1, 1, 1)
    pair: bool = False          # partners from a second sampler, not permuted
    paste: bool = False         # a box of the partner instead of a mean
    share: typing.Callable = lambda n, a, b, lam: lam
    drawn: tuple = (0,)         # places met in a run
    probability: typing.Callable = lambda e: 1.0


@dataclasses.dataclass
class Second:
    """The second stage: what it trains, and how."""
    after: int = 200            # epochs of the first
    epochs: tuple = (201, 211, 230)
    loss: typing.Callable = rules.cross_entropy
    weights: typing.Callable = rules.no_weights
    rate: typing.Callable = schedules.retraining
    sampling: typing.Callable = rules.balanced
    fresh: bool = True          # a new classifier
    head: bool = True           # train the classifier
    scale: bool = False         # train a factor for each class
    head_rate: float = 1.0
    weight_decay: float = 5e-4
    frozen_norm: bool = False


@dataclasses.dataclass
class Case:
    form: str = "plain"
    loss: typing.Callable = rules.cross_entropy
    weights: typing.Callable = rules.no_weights
    weights_after: int = 0      # epochs
    epochs: tuple = FIRST
    rate: typing.Callable = schedules.ldam
    nesterov: bool = False
    rare_bias: bool = False     # first bias -log(C - 1)
    sampling: typing.Callable = rules.permutation
    sampling_late: typing.Callable = None
    partner: typing.Callable = None
    mix: Mix = None
    second: Second = None
    posthoc: str = ""
    tau: float = None           # None: the best on held-out images
    rho: float = 0.0            # of sharpness-aware steps
    branch: str = ""            # whose features a BBN lends
    settings: str = ""          # beyond those of the method's row


# ---- what every case reads --------------------------------------------------

class Inputs:
    """Images of both parts, labels, mixtures and evaluation images."""

    def __init__(self):
        generator = torch.Generator().manual_seed(SEED)

        def normal(*shape):
            return steps.rounded(torch.randn(shape, generator=generator,
                                             dtype=torch.float64))

        def below(limit, *shape):
            return torch.randint(limit, shape, generator=generator)

        self.x = normal(STEPS, 2, BATCH, H, W, C)
        self.y = below(CLASSES, STEPS, 2, BATCH)
        self.lam = torch.tensor((0.7125, 0.3375, 0.86, 0.21, 0.5125),
                                dtype=torch.float64)
        self.perm = torch.stack([torch.randperm(BATCH, generator=generator)
                                 for _ in range(STEPS)])
        # top, left, height, width of what is pasted
        self.box = torch.tensor(((1, 2, 3, 2), (0, 0, 1, 1), (0, 0, 4, 3),
                                 (4, 1, 2, 4), (2, 2, 2, 2)))
        self.eval = below(256, 8, H, W, C)
        self.held = (below(40, 21, H, W, C) + below(216, 21, 1, 1, C))
        generator.manual_seed(HELD_SEED)
        self.held_y = below(CLASSES, 21)
        self.train_y = torch.arange(CLASSES).repeat_interleave(
            torch.tensor(SMALL))
        self.train = below(256, len(self.train_y), H, W, C)
        self.fresh_w = normal(CLASSES, 64) / 8
        self.fresh_b = normal(CLASSES) / 8
        self.fresh_w = steps.rounded(self.fresh_w)
        self.fresh_b = steps.rounded(self.fresh_b)

    def tensors(self):
        return {
            "x": self.x.numpy().astype("<f4"),
            "y": self.y.numpy().astype("<i4"),
            "lambda": self.lam.numpy(),
            "perm": self.perm.numpy().astype("<i4"),
            "box": self.box.numpy().astype("<i4"),
            "eval.pixels": self.eval.numpy().astype("|u1"),
            "held.pixels": self.held.numpy().astype("|u1"),
            "held.labels": self.held_y.numpy().astype("<i4"),
            "train.pixels": self.train.numpy().astype("|u1"),
            "train.labels": self.train_y.numpy().astype("<i4"),
            "counts": np.array(LARGE, "<i4"),
            "mean": np.array(MEAN), "std": np.array(STD),
            "fresh.weight": self.fresh_w.numpy().astype("<f4"),
            "fresh.bias": self.fresh_b.numpy().astype("<f4")}


def normalised(pixels, dtype):
    x = pixels.double() / 255
    return steps.nchw((x - torch.tensor(MEAN).double()) /
                      torch.tensor(STD).double()).to(dtype)


# ---- networks ---------------------------------------------------------------

def plain_of_branch(bbn, branch):
    """A plain network with the trunk and one branch of a BBN; nobody reads
    its classifier."""
    model = models.build(steps.MODEL, "plain", CLASSES, C).double()
    state = model.state_dict()
    state["fc.weight"].zero_()
    state["fc.bias"].zero_()
    last = "layer3.%d." % (models.BLOCKS[steps.MODEL] - 1)
    for name, tensor in bbn.state_dict().items():
        name = name.replace(branch + "_block.", last)
        if name in state:
            state[name].copy_(tensor)
    return model


def start(case):
    """The network a case begins with."""
    form = "bbn" if case.branch else case.form
    model, _ = steps.start("plain" if form == "cosine" else form)
    if case.branch:
        model = plain_of_branch(model, case.branch)
    if case.form == "cosine":
        cosine = models.build(steps.MODEL, "cosine", CLASSES, C).double()
        state = model.state_dict()
        del state["fc.bias"]
        cosine.load_state_dict(state)
        model = cosine
    with torch.no_grad():
        if case.rare_bias:
            model.fc.bias.fill_(-math.log(CLASSES - 1))
            model.fc.bias.copy_(steps.rounded(model.fc.bias))
        if case.posthoc:
            with torch.enable_grad():
                rows = telling_rows(copy.deepcopy(model), case)
            model.fc.weight.copy_(rows)
    return model


def telling_rows(model, case):
    """A classifier [C][D] that will tell the images held out apart, its rows
    as unlike in length as after a long tail."""
    inputs = Inputs()
    train(model, case, inputs, SMALL)
    f = features(model, inputs.held)
    mean = F.normalize(f.mean(0), dim=0)
    rows = f[:3 * CLASSES:3] - f.mean(0)
    rows = F.normalize(rows - (rows @ mean)[:, None] * mean)
    return steps.rounded(rows * torch.tensor(LENGTHS)[:, None].double())


def up_to(model, x, place):
    """The images, a stage's output (1, 2), or the pooled features (3)."""
    if place == 0:
        return x
    t = F.relu(model.bn1(model.conv1(x)))
    for layer in (model.layer1, model.layer2, model.layer3)[:place]:
        t = layer(t)
    return models.pool(t) if place == 3 else t


def from_there(model, t, place):
    """Features of what up_to gave."""
    if place == 0:
        t = F.relu(model.bn1(model.conv1(t)))
    if place == 3:
        return t
    for layer in (model.layer1, model.layer2, model.layer3)[place:]:
        t = layer(t)
    return models.pool(t)


def classify(model, f):
    z = model.fc(f)
    return z * model.fc.scale if hasattr(model.fc, "scale") else z


# ---- one step ---------------------------------------------------------------

class Step:
    """Images and labels of step k, mixed as a case wants."""

    def __init__(self, inputs, case, counts, k, dtype):
        self.x = [steps.nchw(part).to(dtype) for part in inputs.x[k]]
        self.y = list(inputs.y[k])
        self.lam, self.perm = inputs.lam[k].item(), inputs.perm[k]
        mix = case.mix
        self.mixed = bool(mix and mix.mixed[k])
        self.place = mix.places[k] if self.mixed else 0
        self.box = inputs.box[k].tolist()
        if not self.mixed:
            self.lam = 1.0
        elif mix.paste:
            self.lam = 1 - self.box[2] * self.box[3] / (H * W)
        if mix and not mix.pair:
            self.y[1] = self.y[0][self.perm if self.mixed else slice(None)]
        elif mix and not self.mixed:
            self.y[1] = self.y[0]
        self.share = torch.tensor(
            [mix.share(counts, a, b, self.lam) if self.mixed else 1.0
             for a, b in zip(*[y.tolist() for y in self.y])],
            dtype=torch.float64)

    def paste(self):
        top, left, height, width = self.box
        rows, columns = slice(top, top + height), slice(left, left + width)
        x = self.x[0].clone()
        x[:, :, rows, columns] = self.x[1][:, :, rows, columns]
        return x

    def features(self, model, mix):
        """Features of the mixed images; a second part runs by itself."""
        if not self.mixed:
            return from_there(model, self.x[0], 0)
        if mix.paste:
            return from_there(model, self.paste(), 0)
        a = up_to(model, self.x[0], self.place)
        b = up_to(model, self.x[1], self.place) if mix.pair else a[self.perm]
        return from_there(model, self.lam * a + (1 - self.lam) * b,
                          self.place)


def step_loss(model, case, step, epoch, counts):
    """L of a step of the first stage."""
    if case.form == "bbn":
        alpha = 1 - ((epoch - 1) / 200) ** 2
        return models.bbn_loss(model(*step.x, alpha), *step.y, alpha)
    if not case.mix:
        z = classify(model, models.pool(model.trunk(step.x[0])))
        late = epoch > case.weights_after
        w = case.weights(counts) if late else None
        return case.loss(z, step.y[0], w, counts)
    z = classify(model, step.features(model, case.mix))
    parts = [F.cross_entropy(z, y, reduction="none") for y in step.y]
    share = step.share.to(z.dtype)
    return (share * parts[0] + (1 - share) * parts[1]).mean()


def second_loss(model, second, step, counts):
    """L of a step of the second stage: nothing is mixed there."""
    with torch.no_grad():
        f = models.pool(model.trunk(step.x[0]))
    return second.loss(classify(model, f), step.y[0],
                       second.weights(counts), counts)


def hold_statistics(model, hold):
    """Batch norms use their batch, but do not remember it."""
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 0.0 if hold else 0.1


def climb(model, rho, loss):
    """Gradients at w + rho g / |g|; w is as before afterwards."""
    kept = [p.detach().clone() for p in model.parameters()]
    norm = torch.sqrt(sum((p.grad ** 2).sum() for p in model.parameters()))
    with torch.no_grad():
        for p in model.parameters():
            p.add_(p.grad, alpha=rho / norm.item())
    hold_statistics(model, True)
    model.zero_grad()
    loss().backward()
    hold_statistics(model, False)
    with torch.no_grad():
        for p, w in zip(model.parameters(), kept):
            p.copy_(w)


# ---- training ---------------------------------------------------------------

def begin_second(model, second, inputs):
    """Its optimiser: momentum is empty, all but the classifier is fixed."""
    dtype = model.fc.weight.dtype
    for p in model.parameters():
        p.requires_grad_(False)
    if second.fresh:
        with torch.no_grad():
            model.fc.weight.copy_(inputs.fresh_w)
            model.fc.bias.copy_(inputs.fresh_b)
    groups = []
    if second.head:
        groups.append({"params": [model.fc.weight, model.fc.bias],
                       "factor": second.head_rate})
    if second.scale:
        model.fc.scale = torch.nn.Parameter(torch.ones(CLASSES, dtype=dtype))
        groups.append({"params": [model.fc.scale], "factor": 1.0})
    for group in groups:
        for p in group["params"]:
            p.requires_grad_(True)
    model.train(not second.frozen_norm)
    return torch.optim.SGD(groups, lr=1.0, momentum=MOMENTUM,
                           weight_decay=second.weight_decay)


def begin_first(model, case):
    model.train()
    return torch.optim.SGD([{"params": list(model.parameters()),
                             "factor": 1.0}], lr=1.0, momentum=MOMENTUM,
                           weight_decay=2e-4, nesterov=case.nesterov)


def all_epochs(case):
    return case.epochs + (case.second.epochs if case.second else ())


def train(model, case, inputs, counts):
    """Runs all steps; returns losses and rates."""
    losses, rates, dtype = [], [], next(model.parameters()).dtype
    optimiser = begin_first(model, case) if case.epochs else None
    for k, epoch in enumerate(all_epochs(case)):
        second = case.second if k >= len(case.epochs) else None
        step = Step(inputs, case, counts, k, dtype)
        if second and k == len(case.epochs):
            optimiser = begin_second(model, second, inputs)
        rate = (LR_SECOND * second.rate(epoch - second.after) if second
                else LR * case.rate(epoch) / schedules.BASE)
        for group in optimiser.param_groups:
            group["lr"] = rate * group["factor"]

        def loss():
            if second:
                return second_loss(model, second, step, counts)
            return step_loss(model, case, step, epoch, counts)

        model.zero_grad()
        value = loss()
        value.backward()
        if case.rho > 0:
            climb(model, case.rho, loss)
        optimiser.step()
        losses.append(value.item())
        rates.append(rate)
    return losses, rates


# ---- classifiers rewritten --------------------------------------------------

def features(model, pixels):
    model.eval()
    with torch.no_grad():
        x = normalised(pixels, model.fc.weight.dtype)
        return models.pool(model.trunk(x))


def by_tau(kind, head, tau, counts):
    """Weight and bias of a classifier rewritten by tau."""
    w, b = head
    if kind == "tau-norm":
        return w / w.norm(dim=1, keepdim=True) ** tau, torch.zeros_like(b)
    return w, b - tau * rules.log_prior(counts).to(b.dtype)


def mean_class_error(head, f, y):
    wrong = (f @ head[0].T + head[1]).argmax(1) != y
    return np.mean([wrong[y == c].double().mean().item()
                    for c in y.unique().tolist()])


def choose_tau(model, case, inputs):
    """The first of 0, 0.1 ... 2 with the least mean error of a class."""
    if case.tau is not None:
        return case.tau
    head = (model.fc.weight.detach(), model.fc.bias.detach())
    f = features(model, inputs.held)
    errors = [mean_class_error(by_tau(case.posthoc, head, k / 10, SMALL), f,
                               inputs.held_y) for k in range(21)]
    return min(range(21), key=lambda k: errors[k]) / 10


def nearest_mean(model, inputs):
    """Rows of unit length along the mean of f / |f|: cosine similarity."""
    f = F.normalize(features(model, inputs.train))
    rows = [F.normalize(f[inputs.train_y == c].mean(0), dim=0)
            for c in range(CLASSES)]
    return torch.stack(rows), torch.zeros_like(model.fc.bias)


def rewrite(model, case, inputs):
    """Rewrites the classifier; returns tau, -1 without one."""
    tau = -1.0
    if case.posthoc == "ncm":
        head = nearest_mean(model, inputs)
    else:
        tau = choose_tau(model, case, inputs)
        head = by_tau(case.posthoc, (model.fc.weight.detach(),
                                     model.fc.bias.detach()), tau, SMALL)
    with torch.no_grad():
        model.fc.weight.copy_(head[0])
        model.fc.bias.copy_(head[1])
    return tau
