# SPDX-License-Identifier: Apache-2.0
"""A few training steps of every method, in double precision.

Each case trains ResNet-20 from the weights of steps.py on the same six
images a step: some steps before and some after the epoch at which the method
changes its weights or its stage.  Losses, samplers, mixtures, second stages
and rewritten classifiers are written in rules.py and method_steps.py from
their papers; nothing is shared with losses.py, which checks the kernels.

A case is named METHOD or METHOD/VARIANT.  Its tensors are those of README.md.
Run as a script this prints how far the same steps stray in single precision.
"""
import copy

import numpy as np
import torch

import method_steps as run
import models
import rules
import schedules
import steps
from method_steps import Case, Mix, Second

LATE = (181, 185, 190, 195, 200)
RATES = "lr=%r,stage2.lr=%r" % (run.LR, run.LR_SECOND)


# ---- the methods --------------------------------------------------------------

MISLAS = Second(epochs=(201, 206, 210), loss=rules.label_aware(0.4, 0.1),
                rate=schedules.cosine_of_ten, fresh=False, scale=True,
                head_rate=0.2, weight_decay=2e-4)


def deferred(**more):
    return Case(weights=rules.effective(0.9999), weights_after=160, **more)


def retrain(**more):
    """A second stage alone, on the weights of another run."""
    return Second(after=0, epochs=(1, 3, 6, 11, 30), **more)


CASES = {
    "ce": Case(),
    "ce/sam": Case(rho=0.05, settings="sam.rho=0.05"),
    "focal": Case(loss=rules.focal(1)),
    "focal-sigmoid": Case(loss=rules.sigmoid_focal(2), rare_bias=True),
    "cb-focal": Case(loss=rules.sigmoid_focal(1), rare_bias=True,
                     weights=rules.effective(0.9999)),
    "ldam": Case(form="cosine", loss=rules.ldam(0.5, 30)),
    "logit-adjustment": Case(loss=rules.vector_scaling(0, 1)),
    "logit-adjustment/tau": Case(loss=rules.vector_scaling(0, 1.7),
                                 settings="loss.tau=1.7"),
    "balanced-softmax": Case(loss=rules.balanced_softmax),
    "vs": Case(loss=rules.vector_scaling(0.15, 1.25)),
    "cdt": Case(loss=rules.vector_scaling(0.2, 0)),
    "label-aware-smoothing": Case(loss=rules.label_aware(0.3, 0.0)),
    "label-aware-smoothing/tail": Case(
        loss=rules.label_aware(0.4, 0.1),
        settings="loss.smooth-head=0.4,loss.smooth-tail=0.1"),
    "rw": Case(weights=rules.power(1)),
    "rw-sqrt": Case(weights=rules.power(0.5)),
    "rw-effective": Case(weights=rules.effective(0.9999)),
    "rs": Case(sampling=rules.balanced),
    "rs-sqrt": Case(sampling=rules.root),
    "rs-progressive": Case(sampling=rules.progressive),
    "ce-drw": deferred(),
    "ce-drs": Case(sampling_late=rules.balanced),
    "ldam-drw": deferred(form="cosine", loss=rules.ldam(0.5, 30)),
    "mixup": Case(mix=Mix()),
    "manifold-mixup": Case(mix=Mix(places=(1, 0, 2, 1, 2), drawn=(0, 1, 2))),
    "manifold-mixup/pool": Case(
        mix=Mix(places=(3, 3, 3, 3, 3), drawn=(3,)),
        settings="mix.layer=pool"),
    "manifold-mixup-two-samplers": Case(
        mix=Mix(places=(2, 0, 1, 2, 1), drawn=(0, 1, 2), pair=True),
        partner=rules.reversed_),
    "remix": Case(mix=Mix(share=rules.remix_share(3, 0.5))),
    "cmo": Case(mix=Mix(mixed=(1, 0, 1, 1, 0), pair=True, paste=True,
                        probability=rules.cmo_probability),
                partner=rules.balanced),
    "crt": Case(epochs=(3, 160), second=Second()),
    "crt/frozen": Case(epochs=(3, 160), second=Second(frozen_norm=True),
                       settings="stage2.norm=frozen"),
    "lws": Case(epochs=(3, 160),
                second=Second(fresh=False, head=False, scale=True)),
    "mislas": Case(epochs=(3, 160), mix=Mix(), second=MISLAS),
    "retrain": Case(epochs=(), second=retrain()),
    "retrain/cb": Case(epochs=(), branch="cb", second=retrain()),
    "retrain/rb": Case(
        epochs=(), branch="rb",
        second=retrain(weights=rules.power(1), sampling=rules.permutation),
        settings="init.branch=rb,stage2.weights=inverse,"
                 "stage2.sampler=permutation"),
    "tau-norm": Case(epochs=LATE, posthoc="tau-norm"),
    "tau-norm/given": Case(epochs=LATE, posthoc="tau-norm", tau=0.7,
                           settings="posthoc.tau=0.7"),
    "ncm": Case(epochs=LATE, posthoc="ncm"),
    "logit-adjustment-posthoc": Case(epochs=LATE, posthoc="logit-adjustment"),
    "bbn": Case(form="bbn", epochs=(3, 120, 121, 161, 200),
                rate=schedules.bbn, nesterov=True,
                partner=rules.reversed_),
    "bbn/sam": Case(form="bbn", epochs=(3, 120, 121, 161, 200),
                    rate=schedules.bbn, nesterov=True,
                    partner=rules.reversed_, rho=0.05,
                    settings="sam.rho=0.05"),
}


# ---- files ------------------------------------------------------------------

def tensor_names(form):
    """Names that CASE.moved goes by: all but the classifier's."""
    model = models.build(steps.MODEL, form, run.CLASSES, run.C)
    return [name for name in models.named_tensors(model)
            if not name.startswith(("fc.", "classifier."))]


def moved(before, after, names):
    """How far each tensor went."""
    return np.array([(after[name] - before[name]).norm().item()
                     for name in names])


def head_of(model):
    return model.classifier if hasattr(model, "classifier") else model.fc


def logits(model, inputs):
    model.eval()
    with torch.no_grad():
        dtype = head_of(model).weight.dtype
        x = run.normalised(inputs.eval, dtype)
        if hasattr(model, "classifier"):
            return model.infer(x)
        return run.classify(model, models.pool(model.trunk(x)))


def outcome(case, inputs, dtype=torch.float64):
    """Runs a case; returns its tensors, in F64 or F32."""
    model = run.start(case).to(dtype)
    before = copy.deepcopy(models.named_tensors(model))
    counts = run.SMALL if case.posthoc else run.LARGE
    losses, rates = run.train(model, case, inputs, counts)
    out = {"epochs": np.array(run.all_epochs(case), "<i4"),
           "loss": np.array(losses), "lr": np.array(rates)}
    if case.posthoc:
        out["tau"] = np.array([run.rewrite(model, case, inputs)])
    head = head_of(model)
    for name, p in head.named_parameters():
        out["head." + name] = p.detach().numpy().astype("<f4")
    if case.rare_bias:
        out["init.bias"] = before["fc.bias"].numpy().astype("<f4")
    names = tensor_names("bbn" if case.form == "bbn" else "plain")
    if case.posthoc:
        out["init.weight"] = before["fc.weight"].numpy().astype("<f4")
    out["moved"] = moved(before, models.named_tensors(model), names)
    out["logits"] = logits(model, inputs).double().numpy()
    return out


def sampling(case):
    """Epochs looked at, and the classes' probabilities in each."""
    stages = [(case, (1, 80, 160, 161, 200))] if case.epochs else []
    if case.second:
        stages = [(case, (1,))] if case.epochs else []
        stages.append((case.second, (case.second.after + 1,)))
    counts = np.array(run.SMALL if case.posthoc else run.LARGE, float)
    epochs, p, once = [], [], []
    for stage, some in stages:
        for e in some:
            late = getattr(stage, "sampling_late", None)
            draw = late if late and e > 160 else stage.sampling
            epochs.append(e)
            p.append(draw(counts, e))
            once.append(draw is rules.permutation)
    out = {"p.epochs": np.array(epochs, "<i4"), "p": np.array(p),
           "p.once": np.array(once, "<i4")}
    if case.partner:
        out["p.partner"] = np.array([case.partner(counts, e) for e in epochs])
    return out


def mixing(case, inputs):
    """Labels' shares of each step, and how often batches are mixed."""
    n = len(case.epochs)
    every = [run.Step(inputs, case, run.LARGE, k, torch.float64)
             for k in range(n)]
    shares = torch.stack([s.share for s in every]).numpy()
    epochs = (1, 4, 5, 80, 197, 198, 200)
    return {"mix.place": np.array([s.place for s in every], "<i4"),
            "mix.mixed": np.array([s.mixed for s in every], "<i4"),
            "mix.lambda": np.array([s.lam for s in every]),
            "mix.share": np.stack((shares, 1 - shares), 1),
            "mix.epochs": np.array(epochs, "<i4"),
            "mix.probability": np.array([case.mix.probability(e)
                                         for e in epochs]),
            "mix.drawn": np.array([float(k in case.mix.drawn) /
                                   len(case.mix.drawn) for k in range(4)])}


def build():
    """All cases, one file."""
    inputs = run.Inputs()
    tensors = inputs.tensors()
    metadata = {"golden.cases": ",".join(CASES), "golden.settings": RATES,
                "golden.tensors.plain": ",".join(tensor_names("plain")),
                "golden.tensors.bbn": ",".join(tensor_names("bbn"))}
    for name, case in CASES.items():
        out = {**outcome(case, inputs), **sampling(case)}
        if case.mix:
            out.update(mixing(case, inputs))
        tensors.update({"%s.%s" % (name, k): v for k, v in out.items()})
        if case.settings:
            metadata["golden.settings." + name] = case.settings
        if case.branch:
            metadata["golden.branch." + name] = case.branch
    return tensors, metadata


FILES = {"methods": build}


def distance(found, wanted, key):
    """Largest difference over 1 + |wanted|; of moved, over the larger."""
    if key == "moved":
        return max(abs(a - b) / max(abs(a), abs(b), 1e-6)
                   for a, b in zip(found[key], wanted[key]))
    return np.max(np.abs(found[key] - wanted[key]) /
                  (1 + np.abs(wanted[key])))


def main():
    torch.set_num_threads(1)
    inputs = run.Inputs()
    for name, case in CASES.items():
        wanted = outcome(case, inputs)
        found = outcome(case, inputs, torch.float32)
        print("%-28s %s  " % (name, " ".join("%.5f" % x
                                             for x in wanted["loss"])),
              " ".join("%s %.1e" % (key, distance(found, wanted, key))
                       for key in ("loss", "moved", "logits")),
              "tau %s %s" % (found["tau"], wanted["tau"])
              if case.posthoc else "")


if __name__ == "__main__":
    main()
