# SPDX-License-Identifier: Apache-2.0
"""The networks of Ballast in PyTorch, written from their description.

CIFAR ResNet-(6 k + 2), He et al. 2016, arXiv:1512.03385, section 4.2: a 3x3
convolution to 16 channels, three stages of k basic blocks at 16, 32 and 64
channels, global average pooling, one linear classifier.  Convolutions have no
bias.  Where a stage halves the image the shortcut is option A: every second
row and column, new channels zero, half of them in front and half behind.

BBN, Zhou et al. 2020, arXiv:1912.02413: the last block of the third stage
exists twice, cb_block for the uniform and rb_block for the reversed sampler,
and one classifier acts on both features side by side.

Module names are those of the files Ballast writes.  Run as a script it checks
the parameter counts.
"""
import torch
import torch.nn.functional as F
from torch import nn

BLOCKS = {"resnet20": 3, "resnet32": 5, "resnet44": 7, "resnet56": 9,
          "resnet110": 18}
FORMS = ("plain", "cosine", "bbn")


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with batch norm around a shortcut."""

    def __init__(self, ic, oc, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(ic, oc, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(oc)
        self.conv2 = nn.Conv2d(oc, oc, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(oc)
        self.stride = stride
        self.front = (oc - ic) // 2
        self.behind = oc - ic - self.front

    def shortcut(self, x):
        if self.stride == 1 and self.front + self.behind == 0:
            return x
        kept = x[:, :, ::self.stride, ::self.stride]
        return F.pad(kept, (0, 0, 0, 0, self.front, self.behind))

    def forward(self, x):
        t = F.relu(self.bn1(self.conv1(x)))
        t = self.bn2(self.conv2(t))
        return F.relu(t + self.shortcut(x))


def stage(ic, oc, blocks, stride):
    """A stage: its first block changes channels and extent."""
    first = [BasicBlock(ic, oc, stride)]
    return nn.Sequential(*first,
                         *(BasicBlock(oc, oc, 1) for _ in range(blocks - 1)))


class Trunk(nn.Module):
    """Stem and three stages; shorten blocks are missing from the third."""

    def __init__(self, k, channels, shorten=0):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = stage(16, 16, k, 1)
        self.layer2 = stage(16, 32, k, 2)
        self.layer3 = stage(32, 64, k - shorten, 2)

    def trunk(self, x):
        t = F.relu(self.bn1(self.conv1(x)))
        return self.layer3(self.layer2(self.layer1(t)))


def pool(t):
    """Global average pooling: [n][c][h][w] to [n][c]."""
    return t.mean((2, 3))


class Plain(Trunk):
    """One linear classifier."""

    def __init__(self, k, channels, classes):
        super().__init__(k, channels)
        self.fc = nn.Linear(64, classes)

    def forward(self, x):
        return self.fc(pool(self.trunk(x)))

    infer = forward


class CosineLinear(nn.Module):
    """z_j = f . w_j / (|f| |w_j|), norms clamped at 1e-12, no bias."""

    def __init__(self, features, classes):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(classes, features))
        nn.init.uniform_(self.weight, -1, 1)
        with torch.no_grad():
            self.weight.copy_(F.normalize(self.weight, eps=1e-12))

    def forward(self, f):
        return F.linear(F.normalize(f, eps=1e-12),
                        F.normalize(self.weight, eps=1e-12))


class Cosine(Plain):
    """A normalised classifier; the loss scales its logits, not the model."""

    def __init__(self, k, channels, classes):
        super().__init__(k, channels, classes)
        self.fc = CosineLinear(64, classes)


class Bbn(Trunk):
    """Two branches and one classifier [C][2 D], uniform branch first."""

    def __init__(self, k, channels, classes):
        super().__init__(k, channels, shorten=1)
        self.cb_block = BasicBlock(64, 64, 1)
        self.rb_block = BasicBlock(64, 64, 1)
        self.classifier = nn.Linear(128, classes)

    def forward(self, x_c, x_r, alpha):
        """z = 2 (alpha W_c f_c + (1 - alpha) W_r f_r) + b, training.

        The trunk runs twice, the uniform batch first: each batch has its own
        statistics and both move the running ones.
        """
        f_c = pool(self.cb_block(self.trunk(x_c)))
        f_r = pool(self.rb_block(self.trunk(x_r)))
        mixed = torch.cat((alpha * f_c, (1 - alpha) * f_r), 1)
        return self.classifier(2 * mixed)

    def infer(self, x):
        """z = W_c f_c + W_r f_r + b: both branches see the same image."""
        t = self.trunk(x)
        both = torch.cat((pool(self.cb_block(t)), pool(self.rb_block(t))), 1)
        return self.classifier(both)


def build(model, form, classes, channels=3):
    """Makes a network by its name in BLOCKS and its form in FORMS."""
    kind = {"plain": Plain, "cosine": Cosine, "bbn": Bbn}[form]
    return kind(BLOCKS[model], channels, classes)


def bbn_loss(z, y_c, y_r, alpha):
    """Both cross-entropies judge the same mixed logits."""
    return (alpha * F.cross_entropy(z, y_c)
            + (1 - alpha) * F.cross_entropy(z, y_r))


def named_tensors(model):
    """The state of a model as Ballast stores it: no batch counters."""
    return {name: tensor for name, tensor in model.state_dict().items()
            if not name.endswith("num_batches_tracked")}


def count(model):
    return sum(p.numel() for p in model.parameters())


PUBLISHED = (("resnet32", "plain", 10, 464154),
             ("resnet32", "plain", 100, 470004),
             ("resnet32", "cosine", 10, 464144),
             ("resnet32", "cosine", 100, 469904),
             ("resnet32", "bbn", 10, 538778),
             ("resnet32", "bbn", 100, 550388))


def main():
    for model, form, classes, wanted in PUBLISHED:
        found = count(build(model, form, classes))
        print("%s %-6s %3d classes: %d parameters"
              % (model, form, classes, found))
        if found != wanted:
            raise SystemExit("wanted %d" % wanted)


if __name__ == "__main__":
    main()
