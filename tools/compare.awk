# SPDX-License-Identifier: Apache-2.0
# compare.awk RESULT.json...: the errors of several runs side by side, in per
# cent.  Reads what Ballast writes: pretty-printed, one key a line.

function text_of(line) {
    sub(/^[^:]*: */, "", line)
    sub(/,? *$/, "", line)
    gsub(/^"|"$/, "", line)
    return line
}

function per_cent(value) {
    return value == "" || value == "null" ? "-" : sprintf("%.1f", 100 * value)
}

function row(label, count, key,    i, line) {
    line = sprintf("%-16s %7s", label, count)
    for (i = 1; i <= runs; i++)
        line = line sprintf(" %8s", per_cent(value[i, key]))
    print line
}

FNR == 1 { runs++; class = 0; in_classes = 0 }

/^ *"per_class":/ { in_classes = 1; next }
in_classes && /^ *\]/ { in_classes = 0 }

in_classes && /"name":/ { class++; name[class] = text_of($0) }
in_classes && /"train_count":/ { count[class] = text_of($0) }
in_classes && /"error":/ { value[runs, "class" class] = text_of($0) }
in_classes { if (class > classes) classes = class; next }

/^ *"(method|data|imbalance|epochs|test_error_last|many|medium|few)":/ {
    key = $0
    sub(/^ *"/, "", key)
    sub(/".*/, "", key)
    value[runs, key] = text_of($0)
}

END {
    if (runs == 0 || classes == 0) {
        print "compare: no result to read" > "/dev/stderr"
        exit 1
    }
    for (i = 1; i <= classes; i++) total += count[i]
    printf "Test error in %% after the last epoch: %s, imbalance %s," \
           " epochs: %s\n\n", value[1, "data"], value[1, "imbalance"],
           value[1, "epochs"]
    line = sprintf("%-16s %7s", "", "images")
    for (i = 1; i <= runs; i++)
        line = line sprintf(" %8s", value[i, "method"])
    print line
    row("all", total, "test_error_last")
    row("many (> 100)", "", "many")
    row("medium (20-100)", "", "medium")
    row("few (< 20)", "", "few")
    for (i = 1; i <= classes; i++) row("  " name[i], count[i], "class" i)
}
