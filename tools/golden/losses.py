# SPDX-License-Identifier: Apache-2.0
"""The softmax and sigmoid families in double, gradients by autograd.

    L = sum_k (1 / D_k) sum_i lambda_ki w_{y_ki} l_ki

    q = softmax_j( s_j (z_j - [j = y] m_j) + b_j )
    l = (1 - e_y) (1 - q_y)^g -log q_y + e_y mean_j -log q_j

    q_j = sigmoid(+-(s_j z_j + b_j)), + for j = y       with "sigmoid"
    l = sum_j (1 - q_j)^g -log q_j

D_k is n or, with "divide", sum_i w_{y_ki}.  A case "name" is the tensors
name.z, name.y, name.lambda [k] or [k][n], name.g, name.divide, name.sigmoid,
those of name.s, name.m, name.b, name.w, name.e that it uses, and the results
name.loss, name.wrong and name.diff_z.
"""
import math

import numpy as np
import torch

N, C, SEED = 5, 7, 4711
COUNTS = (5000, 1447, 419, 121, 35, 10, 7)


def focal_factor(log_q, g):
    """(1 - q)^g.  Where q rounds to 1 the factor is 0 for every g > 0, and
    so is the gradient of (1 - q)^g log q, whose limit autograd cannot see."""
    if g == 0:
        return torch.ones_like(log_q)
    rest = -torch.expm1(log_q)
    sure = rest <= 0
    return torch.where(sure, 0.0, torch.where(sure, 1.0, rest) ** g)


def softmax_losses(z, y, case):
    """l of every image against the labels y."""
    hot = torch.nn.functional.one_hot(y, z.shape[1]).double()
    t = case["s"] * (z - hot * case["m"]) + case["b"]
    log_q = torch.log_softmax(t, 1)
    of_label = log_q.gather(1, y[:, None])[:, 0]
    e = case["e"][y]
    focal = focal_factor(of_label, case["g"]) * of_label
    return -(1 - e) * focal - e * log_q.mean(1)


def sigmoid_losses(z, y, case):
    """The same; log (1 - q) = log sigmoid(-x) keeps autograd finite."""
    sign = 2 * torch.nn.functional.one_hot(y, z.shape[1]).double() - 1
    x = sign * (case["s"] * z + case["b"])
    log = torch.nn.functional.logsigmoid
    return (torch.exp(case["g"] * log(-x)) * -log(x)).sum(1)


def family(z, case):
    """The loss L of a case with all of s, m, b, w and e filled in."""
    losses = sigmoid_losses if case["sigmoid"] else softmax_losses
    total = torch.zeros((), dtype=torch.float64)
    for y, weight in zip(case["y"], case["lambda"]):
        w = case["w"][y]
        weight = torch.as_tensor(weight, dtype=torch.float64)
        part = (weight * w * losses(z, y, case)).sum()
        total = total + part / (w.sum() if case["divide"] else len(z))
    return total


def wrong(z, y):
    """Images whose first largest logit is not y."""
    return (torch.from_numpy(np.argmax(z.numpy(), 1)) != y).sum().item()


def record(name, z, y, lam=(1.0,), g=0.0, divide=False, sigmoid=False,
           **parts):
    """Tensors of one case; parts are those of s, m, b, w, e in use."""
    case = {"s": 1.0, "m": 0.0, "b": 0.0, "w": 1.0, "e": 0.0}
    case = {k: torch.full((z.shape[1],), v, dtype=torch.float64)
            for k, v in case.items()}
    case.update(parts, y=y, g=g, divide=divide, sigmoid=sigmoid)
    case["lambda"] = lam
    leaf = z.clone().requires_grad_()
    loss = family(leaf, case)
    loss.backward()
    if not torch.isfinite(leaf.grad).all():
        raise ArithmeticError("%s: the gradient is not finite" % name)
    out = {"z": z.numpy(), "y": y.numpy().astype("<i4"),
           "lambda": np.array(lam), "g": np.array([g]),
           "divide": np.array([divide], "<i4"),
           "sigmoid": np.array([sigmoid], "<i4"),
           "loss": np.array([loss.item()]),
           "wrong": np.array([float(wrong(z, t)) for t in y]),
           "diff_z": leaf.grad.numpy()}
    out.update({k: v.numpy() for k, v in parts.items()})
    return {"%s.%s" % (name, k): v for k, v in out.items()}


def priors():
    """Offsets, margins, scales and weights of a long tail."""
    n = torch.tensor(COUNTS, dtype=torch.float64)
    beta = 0.9999
    w = (1 - beta) / (1 - beta ** n)
    margin = n ** -0.25
    return {"log_pi": torch.log(n / n.sum()),
            "w": w * len(n) / w.sum(),
            "m": 0.5 * margin / margin.max(),
            "s": (n / n.max()) ** 0.15,
            "e": 0.05 + 0.25 * torch.sin(math.pi / 2 * (n - n.min()) /
                                         (n.max() - n.min()))}


def extreme_logits():
    """Logits of 1e4 in both signs: targets certain, hopeless and tied."""
    z = torch.zeros(N, C, dtype=torch.float64)
    z[0, 3], z[0, 1] = 1e4, -1e4
    z[1, 2], z[1, 5] = 1e4, -1e4
    z[2] = 1e4
    z[3] = -1e4
    z[4] = torch.linspace(-1e4, 1e4, C)
    y = torch.tensor([[3, 5, 6, 0, 6]])
    return z, y


def build():
    """All cases, one file."""
    generator = torch.Generator().manual_seed(SEED)
    z = 2.385 * torch.randn(N, C, generator=generator, dtype=torch.float64)
    y = torch.randint(C, (3, N), generator=generator)
    y[:, 0] = torch.tensor([6, 0, 6])
    p = priors()
    one, two, lam = y[:1], y[:2], (0.6875, 0.3125)
    scale = torch.full((C,), 30.0, dtype=torch.float64)
    every = {"s": 1.5 * p["s"], "m": p["m"], "b": 1.2 * p["log_pi"],
             "w": p["w"]}
    shares = torch.rand(3, N, generator=generator, dtype=torch.float64)
    shares = (shares / shares.sum(0)).numpy()
    pairs = {"s": 1.5 * p["s"], "b": 1.2 * p["log_pi"], "w": p["w"]}
    far, far_y = extreme_logits()
    cases = (
        record("ce", z, one),
        record("weighted", z, one, w=p["w"]),
        record("weighted_mean", z, one, divide=True, w=p["w"]),
        record("balanced", z, one, b=torch.log(
            torch.tensor(COUNTS, dtype=torch.float64))),
        record("logit_adjusted", z, one, b=1.3 * p["log_pi"]),
        record("ldam", z / 4, one, s=scale, m=p["m"]),
        record("ldam_drw", z / 4, one, divide=True, s=scale, m=p["m"],
               w=p["w"]),
        record("vector_scaling", z, one, s=p["s"], b=1.2 * p["log_pi"],
               w=p["w"]),
        record("focal", z, one, g=2.0),
        record("focal_half", z, one, g=0.5, w=p["w"]),
        record("all", z, one, g=1.37, **every),
        record("all_mean", z, one, g=1.37, divide=True, **every),
        record("mixed", z, two, lam=lam),
        record("mixed_all", z, two, lam=lam, g=1.37, **every),
        record("mixed_all_mean", z, two, lam=lam, g=1.37, divide=True,
               **every),
        record("three_targets", z, y, lam=(0.5, 0.2, 0.3), w=p["w"]),
        record("bbn_end", z, two, lam=(0.0, 1.0)),
        record("extreme", far, far_y),
        record("extreme_mean", far, far_y, divide=True, w=p["w"]),
        record("extreme_focal", far, far_y, g=2.0),
        record("extreme_focal_half", far, far_y, g=0.5),
        record("extreme_all", far, far_y, g=1.37, **every),
        record("cdt", z, one, s=p["s"]),
        record("smoothed", z, one, e=p["e"]),
        record("smoothed_mixed_all_mean", z, two, lam=lam, divide=True,
               e=p["e"], **every),
        record("extreme_smoothed", far, far_y, e=p["e"]),
        record("each_image", z, y, lam=shares),
        record("each_image_all_mean", z, y, lam=shares, g=1.37, divide=True,
               **every),
        record("each_image_smoothed", z, y, lam=shares, e=p["e"], w=p["w"]),
        record("sigmoid", z, one, sigmoid=True),
        record("sigmoid_focal", z, one, g=2.0, sigmoid=True, w=p["w"]),
        record("sigmoid_focal_half", z, two, lam=lam, g=0.5, sigmoid=True,
               divide=True, **pairs),
        record("sigmoid_each_image", z, y, lam=shares, g=1.37, sigmoid=True,
               **pairs),
        record("extreme_sigmoid", far, far_y, sigmoid=True),
        record("extreme_sigmoid_focal", far, far_y, g=0.5, sigmoid=True,
               w=p["w"]),
    )
    tensors = {k: v for case in cases for k, v in case.items()}
    names = [next(iter(case)).split(".")[0] for case in cases]
    return tensors, {"golden.cases": ",".join(names)}


FILES = {"losses": build}


def main():
    tensors, metadata = build()
    for name in metadata["golden.cases"].split(","):
        loss = tensors[name + ".loss"][0]
        print("%-20s L = %.15g" % (name, loss))
        assert math.isfinite(loss)


if __name__ == "__main__":
    main()
