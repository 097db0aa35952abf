# SPDX-License-Identifier: Apache-2.0
"""One training step in PyTorch: the opponent of `ballast bench step`.

The networks are those of tools/golden/models.py, the step is what a good
PyTorch user would write: batch already in memory in the chosen layout,
forward, loss, backward, SGD with momentum and weight decay.  bf16 is
autocast over fp32 weights.  --compile hands forward and loss to
torch.compile.  Prints one JSON object; a BBN sample is a pair.

With --serve it warms up, prints {"ready": ...}, and then measures once for
every line on standard input, so that several configurations can take turns.
"""
import argparse
import contextlib
import json
import pathlib
import statistics
import sys
import time

import torch
import torch.nn.functional as F

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools" / "golden"))
import models  # noqa: E402  (found through the line above)

ALPHA = 0.64
H, W, C = 32, 32, 3


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--method", choices=("ce", "bbn"), default="bbn")
    parser.add_argument("--model", choices=sorted(models.BLOCKS),
                        default="resnet32")
    parser.add_argument("--precision", choices=("fp32", "bf16"),
                        default="fp32")
    parser.add_argument("--layout", choices=("contiguous", "channels_last"),
                        default="channels_last")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--steps", type=int, default=20,
                        help="timed steps a measurement (default 20)")
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0,
                        help="0: PyTorch's own choice")
    parser.add_argument("--serve", action="store_true")
    args = parser.parse_args()
    if args.steps < 1 or args.batch < 2 or args.warmup < 0:
        parser.error("--steps wants >= 1, --batch >= 2, --warmup >= 0")
    return args


def random_batch(args):
    layout = (torch.channels_last if args.layout == "channels_last"
              else torch.contiguous_format)
    x = torch.randn(args.batch, C, H, W).contiguous(memory_format=layout)
    return x, torch.randint(args.classes, (args.batch,))


def make_loss(args, model):
    """A function without arguments that gives the loss of one step."""
    x_c, y_c = random_batch(args)
    if args.method == "bbn":
        x_r, y_r = random_batch(args)

        def loss():
            z = model(x_c, x_r, ALPHA)
            return models.bbn_loss(z.float(), y_c, y_r, ALPHA)
    else:
        def loss():
            return F.cross_entropy(model(x_c).float(), y_c)
    return torch.compile(loss) if args.compile else loss


def make_step(args):
    """Builds everything once; returns the step and the parameter count."""
    torch.manual_seed(0)
    form = "bbn" if args.method == "bbn" else "plain"
    model = models.build(args.model, form, args.classes, C).train()
    if args.layout == "channels_last":
        model = model.to(memory_format=torch.channels_last)
    sgd = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9,
                          weight_decay=2e-4, nesterov=args.method == "bbn",
                          fused=True)
    loss = make_loss(args, model)
    bf16 = args.precision == "bf16"

    def step():
        sgd.zero_grad(set_to_none=True)
        with (torch.autocast("cpu", torch.bfloat16) if bf16
              else contextlib.nullcontext()):
            value = loss()
        value.backward()
        sgd.step()
        return value
    return step, models.count(model)


def measure(step, n):
    """Seconds of each of n steps."""
    seconds = []
    for _ in range(n):
        begin = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - begin)
    return seconds


def report(args, parameters, seconds):
    median = statistics.median(seconds)
    return {"samples_per_second": args.batch / median,
            "seconds_per_step": median,
            "seconds_best": min(seconds), "seconds_worst": max(seconds),
            "steps": len(seconds), "batch": args.batch,
            "method": args.method, "model": args.model,
            "parameters": parameters, "precision": args.precision,
            "layout": args.layout, "compile": args.compile,
            "threads": torch.get_num_threads(),
            "torch": torch.__version__}


def main():
    args = arguments()
    if args.threads > 0:
        torch.set_num_threads(args.threads)
    step, parameters = make_step(args)
    begin = time.perf_counter()
    for _ in range(args.warmup + 1):
        value = step()
    if not torch.isfinite(value):
        raise SystemExit("the loss is %g" % value.item())
    warm = time.perf_counter() - begin
    if args.serve:
        print(json.dumps({"ready": warm, "torch": torch.__version__}),
              flush=True)
    for _ in (sys.stdin if args.serve else (None,)):
        print(json.dumps(report(args, parameters,
                                measure(step, args.steps))), flush=True)


if __name__ == "__main__":
    main()
