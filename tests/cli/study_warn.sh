# SPDX-License-Identifier: Apache-2.0
# What a cell warns of is said with its number, by one process and by several;
# a loss that a cell chooses has the exponent of its own row.
mkdir tiny
tiny_set tiny 20 2
cat >own.yaml <<'END'
base: {data: tiny, model: resnet20, epochs: 1, batch: 64}
grid: {method: [ce, ce-drw], loss: [ce, cdt]}
END
for jobs in 1 2; do
    ballast study own.yaml --out dir$jobs --jobs $jobs --threads 1 --quiet \
        --set mix.alpha=3 >out 2>said
    sort said
    grep -h '^loss.gamma' dir$jobs/cells/*/run.yaml | sort
done
