# SPDX-License-Identifier: Apache-2.0
"""Ten training steps of ResNet-20, plain and BBN, in double precision.

Everything a step does is in the file: two trunk passes, batch norm and its
running statistics, the mixed logits, momentum and weight decay.  Weights are
drawn in double, rounded to F32 and widened again, so a reader of the F32
tensors starts from exactly the same numbers.  Norms start from random scales
and statistics, not from 1 and 0, and the images are 12 x 10: a swapped axis
or a forgotten gamma shows.  Rates and seed are such that no ReLU changes its
mind between single and double precision, so that an F32 implementation can be
held to the same numbers; run as a script, this prints how close it should
come.
"""
import numpy as np
import torch
import torch.nn.functional as F

import models

SEED = 20387
MODEL, CLASSES, BATCH, H, W, C = "resnet20", 7, 6, 12, 10, 3
MOMENTUM, WEIGHT_DECAY = 0.9, 2e-4
LR = (0.0033, 0.0111, 0.015, 0.0129, 0.0087, 0.0061, 0.0038, 0.0024, 0.0014,
      0.0009)
ALPHA = (0.83, 1.0, 0.7175, 0.5, 0.31, 0.0, 0.64, 0.9271, 0.17, 0.0625)
STEPS = len(LR)

# First gradients left out of the BBN file for its size: the 64-channel
# convolutions of the trunk.  The final weights check them.
LARGE = 36864


def rounded(tensor):
    """The nearest F32 values, as doubles."""
    return tensor.float().double()


def draw_state(model, generator):
    """Fills every tensor of a double model with F32-representable values."""
    for name, tensor in models.named_tensors(model).items():
        normal = torch.randn(tensor.shape, generator=generator,
                             dtype=torch.float64)
        unit = torch.rand(tensor.shape, generator=generator,
                          dtype=torch.float64)
        if tensor.dim() == 4:
            fan_in = tensor[0].numel()
            value = normal * (2 / fan_in) ** 0.5
        elif tensor.dim() == 2:
            value = (2 * unit - 1) / tensor.shape[1] ** 0.5
        elif name.endswith("running_var") or name.endswith(".weight"):
            value = 0.5 + unit
        else:
            value = 0.1 * normal
        tensor.copy_(rounded(value))


class Batches:
    """Inputs of all steps; images NHWC as Ballast keeps them."""

    def __init__(self, generator, streams):
        def images(*lead):
            return rounded(torch.randn((*lead, H, W, C), generator=generator,
                                       dtype=torch.float64))

        def labels():
            return torch.randint(CLASSES, (STEPS, BATCH), generator=generator)

        self.x = [images(STEPS, BATCH) for _ in range(streams)]
        self.y = [labels() for _ in range(streams)]
        self.eval_x = images(BATCH)


def nchw(x):
    return x.permute(0, 3, 1, 2).contiguous()


def step_loss(model, batches, step):
    """Logits and loss of one step."""
    x = [nchw(x[step]) for x in batches.x]
    y = [y[step] for y in batches.y]
    if isinstance(model, models.Bbn):
        z = model(*x, ALPHA[step])
        return z, models.bbn_loss(z, *y, ALPHA[step])
    z = model(*x)
    return z, F.cross_entropy(z, *y)


def train(model, batches, nesterov):
    """Runs all steps; returns losses, first logits and first gradients."""
    model.train()
    sgd = torch.optim.SGD(model.parameters(), lr=LR[0], momentum=MOMENTUM,
                          weight_decay=WEIGHT_DECAY, nesterov=nesterov)
    losses, first = [], None
    for step in range(STEPS):
        sgd.param_groups[0]["lr"] = LR[step]
        sgd.zero_grad()
        z, loss = step_loss(model, batches, step)
        loss.backward()
        if first is None:
            first = (z.detach().clone(),
                     {name: p.grad.clone()
                      for name, p in model.named_parameters()})
        sgd.step()
        losses.append(loss.item())
    return losses, first[0], first[1]


def infer(model, batches):
    model.eval()
    with torch.no_grad():
        return model.infer(nchw(batches.eval_x))


def start(form):
    """A double model and its batches, from the fixed seed."""
    generator = torch.Generator().manual_seed(SEED)
    model = models.build(MODEL, form, CLASSES, C).double()
    with torch.no_grad():
        draw_state(model, generator)
    return model, Batches(generator, 2 if form == "bbn" else 1)


def prefixed(prefix, tensors):
    return {prefix + name: tensor.numpy().astype("<f4")
            for name, tensor in tensors.items()}


def inputs(batches):
    """Images F32 [STEPS][BATCH][H][W][C], labels I32 [STEPS][BATCH]."""
    names = ("",) if len(batches.x) == 1 else ("_c", "_r")
    out = {"eval.x": batches.eval_x.numpy().astype("<f4")}
    for name, x, y in zip(names, batches.x, batches.y):
        out["x" + name] = x.numpy().astype("<f4")
        out["y" + name] = y.numpy().astype("<i4")
    return out


def metadata(form, nesterov):
    return {"ballast.model": MODEL, "ballast.form": form,
            "ballast.classes": str(CLASSES),
            "ballast.input": "%dx%dx%d" % (H, W, C),
            "golden.momentum": repr(MOMENTUM),
            "golden.weight_decay": repr(WEIGHT_DECAY),
            "golden.flavour": "nesterov" if nesterov else "plain"}


def build(form):
    """Tensors and metadata of one file."""
    bbn = form == "bbn"
    model, batches = start(form)
    tensors = prefixed("init.", models.named_tensors(model))
    losses, z, grads = train(model, batches, nesterov=bbn)
    if bbn:
        grads = {n: g for n, g in grads.items()
                 if not (n.startswith("layer3.") and g.numel() >= LARGE)}
        tensors["alpha"] = np.array(ALPHA, "<f8")
    tensors.update(prefixed("grad.", grads))
    tensors.update(prefixed("final.", models.named_tensors(model)))
    tensors.update(inputs(batches))
    tensors["lr"] = np.array(LR, "<f8")
    tensors["loss"] = np.array(losses, "<f8")
    tensors["first.logits"] = z.numpy()
    tensors["eval.logits"] = infer(model, batches).numpy()
    return tensors, metadata(form, bbn)


def build_ce():
    return build("plain")


def build_bbn():
    return build("bbn")


FILES = {"ce_resnet20": build_ce, "bbn_resnet20": build_bbn}


def float_distance(form):
    """Largest differences of the same run in single precision: relative to
    the loss, and absolute of the last logits."""
    model, batches = start(form)
    wanted, _, _ = train(model, batches, nesterov=form == "bbn")
    wanted_z = infer(model, batches)
    model, batches = start(form)
    model.float()
    batches.x = [x.float() for x in batches.x]
    batches.eval_x = batches.eval_x.float()
    found, _, _ = train(model, batches, nesterov=form == "bbn")
    found_z = infer(model, batches)
    loss = max(abs(a / b - 1) for a, b in zip(found, wanted))
    return loss, (found_z.double() - wanted_z).abs().max().item()


def main():
    torch.set_num_threads(1)
    for form in ("plain", "bbn"):
        print("%-5s in single precision: loss %.1e relative, logits %.1e"
              % (form, *float_distance(form)))


if __name__ == "__main__":
    main()
