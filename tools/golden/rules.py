# SPDX-License-Identifier: Apache-2.0
"""Losses, class weights, samplers and mixtures for long-tailed training,
each in one function and in the form of its paper.

n are the training images of each class, C of them, N in all; z [B][C] are
logits, y [B] labels, w [C] class weights or None.  A loss is called as
loss(z, y, w, n) and returns L.  With class weights cross-entropy is the
weighted mean, sum w l / sum w, and focal losses are divided by B: so their
papers' programs do it.
"""
import math

import numpy as np
import torch
import torch.nn.functional as F


def as_tensor(n, like):
    return torch.as_tensor(n, dtype=like.dtype)


def log_prior(n):
    n = torch.as_tensor(n, dtype=torch.float64)
    return torch.log(n / n.sum())


# ---- losses -----------------------------------------------------------------

def cross_entropy(z, y, w, n):
    return F.cross_entropy(z, y, None if w is None else as_tensor(w, z))


def focal(gamma):
    """Lin et al. 2017 with softmax, as Cao et al. 2019 ran it."""
    def loss(z, y, w, n):
        assert w is None
        p = torch.softmax(z, 1)[torch.arange(len(y)), y]
        return (-(1 - p) ** gamma * torch.log(p)).mean()
    return loss


def sigmoid_focal(gamma):
    """Lin et al. 2017: C detectors; summed over them, divided by B."""
    def loss(z, y, w, n):
        hot = F.one_hot(y, z.shape[1]).to(z.dtype)
        p = torch.sigmoid(z)
        p_t = hot * p + (1 - hot) * (1 - p)
        bce = F.binary_cross_entropy(p, hot, reduction="none")
        each = ((1 - p_t) ** gamma * bce).sum(1)
        if w is not None:
            each = each * as_tensor(w, z)[y]
        return each.sum() / len(y)
    return loss


def ldam(largest, scale):
    """Cao et al. 2019, equation 13: margins on cosines."""
    def loss(z, y, w, n):
        margin = as_tensor(n, z) ** -0.25
        margin = largest * margin / margin.max()
        hot = F.one_hot(y, z.shape[1]).to(z.dtype)
        return cross_entropy(scale * (z - hot * margin), y, w, n)
    return loss


def vector_scaling(gamma, tau):
    """Kini et al. 2021: z_j / (n_max / n_j)^gamma + tau log pi_j.  gamma 0
    is logit adjustment (Menon et al. 2021), tau 0 is CDT (Ye et al. 2020)."""
    def loss(z, y, w, n):
        counts = as_tensor(n, z)
        divisor = (counts.max() / counts) ** gamma
        return cross_entropy(z / divisor + tau * log_prior(n).to(z.dtype), y,
                             w, n)
    return loss


def balanced_softmax(z, y, w, n):
    """Ren et al. 2020, equation 4: n_y e^z_y / sum_j n_j e^z_j."""
    assert w is None
    e = as_tensor(n, z) * torch.exp(z)
    return -torch.log(e[torch.arange(len(y)), y] / e.sum(1)).mean()


def label_aware(head, tail):
    """Zhong et al. 2021, equation 3; eps is spread over all classes."""
    def loss(z, y, w, n):
        assert w is None
        n_1, n_K = max(n), min(n)
        log_p = torch.log_softmax(z, 1)
        total = 0
        for row, label in zip(log_p, y.tolist()):
            eps = tail + (head - tail) * math.sin(
                math.pi * (n[label] - n_K) / (2 * (n_1 - n_K)))
            total = total - (1 - eps) * row[label] - eps * row.mean()
        return total / len(y)
    return loss


# ---- class weights, summing to C --------------------------------------------

def no_weights(n):
    return None


def power(q):
    """n^-q."""
    def weights(n):
        w = np.array(n, float) ** -q
        return w / w.sum() * len(w)
    return weights


def effective(beta):
    """Cui et al. 2019: one over the effective number of samples."""
    def weights(n):
        w = np.array([1 / sum(beta ** k for k in range(m)) for m in n])
        return w / w.sum() * len(w)
    return weights


# ---- probabilities of classes in epoch e ------------------------------------

def permutation(n, e):
    """Each image once."""
    return n / n.sum()


def balanced(n, e):
    return np.full(len(n), 1 / len(n))


def root(n, e):
    return np.sqrt(n) / np.sqrt(n).sum()


def reversed_(n, e):
    """Zhou et al. 2020: inverse frequency."""
    return (n.max() / n) / (n.max() / n).sum()


def progressive(n, e):
    """Kang et al. 2020: from natural in the first epoch to balanced in the
    last of 200."""
    t = (e - 1) / 199
    return (1 - t) * permutation(n, e) + t * balanced(n, e)


# ---- mixtures ---------------------------------------------------------------

def remix_share(kappa, tau):
    """Chou et al. 2020, equation 7: share of label a, mixed lam : 1 - lam."""
    def share(n, a, b, lam):
        if n[a] / n[b] >= kappa and lam < tau:
            return 0.0
        if n[a] / n[b] <= 1 / kappa and 1 - lam < tau:
            return 1.0
        return lam
    return share


def cmo_probability(e):
    """Park et al. 2022: half of the batches; epochs 4 .. 196 of 0 .. 199."""
    return 0.5 if 4 <= e - 1 <= 196 else 0.0
