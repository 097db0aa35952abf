# SPDX-License-Identifier: Apache-2.0
# Pages of methods say what the program says: there is a page for every
# method and none besides; its table "Parameters" has the keys that the method
# reads and what its row changes against ce, each with the value that holds
# unless told otherwise; "Deviations" are those that the program describes; its
# command is one that the program takes; comparison and results have a row for
# it, and the page says what the latter found.
docs=$SOURCE/docs

# Prints "fact TAB item" for each item of a description in lines.
facts() {
    awk '/^[^ ]/ { fact = $1 } { print fact "\t" substr($0, 25) }'
}

# Prints "key=value" of the table below the heading "Parameters" of a page.
table() {
    awk '/^## / { on = $2 == "Parameters" }
         on && /^\| `[a-z]/ {
             if (split($0, cell, "`") < 4) next
             print cell[2] "=" cell[4] }' "$1"
}

# Prints the points below the heading "Deviations" of a page, a line each,
# without Markdown.
deviations() {
    awk '/^## / { on = $2 == "Deviations"; next }
         !on { next }
         /^\* / { if (point) print point; point = substr($0, 3); next }
         /^  / { sub(/^ +/, ""); point = point " " $0 }
         END { if (point) print point }' "$1" |
        sed -e 's/\[\([^]]*\)\]([^)]*)/\1/g' -e 's/`//g'
}

# Prints the words of the first command of a page that trains.
first_command() {
    awk '/^    ballast train/ { on = 1; sub("ballast ", "") }
         on { more = sub(/\\$/, ""); printf "%s ", $0; if (!more) exit }' "$1"
}

ballast list methods | awk '{ print $1 }' | sort >names
for page in "$docs"/methods/*.md; do basename "$page" .md; done | sort >pages
diff names pages

ballast describe method ce | facts | awk -F '\t' '$1 == "settings" {
    print $2 }' >recipe

while read -r name; do
    page=$docs/methods/$name.md
    ballast describe method "$name" | facts >"$name.facts"
    table "$page" >"$name.table"
    # Values of "parameters" are canonical; the row may write 2e-4.
    awk -v name="$name" '
        function same(a, b) {
            return a == b || (a ~ /^[-0-9.e]+$/ && b ~ /^[-0-9.e]+$/ &&
                              a + 0 == b + 0)
        }
        FILENAME == "recipe" { common[$0] = 1; next }
        FILENAME ~ /facts$/ {
            split($0, part, "\t")
            if (part[1] != "settings" && part[1] != "parameters") next
            at = index(part[2], "=")
            if (!at) next
            key = substr(part[2], 1, at - 1)
            value[key] = substr(part[2], at + 1)
            if (part[1] == "parameters" || name == "ce" ||
                !(part[2] in common)) wanted[key] = 1
            next
        }
        {
            at = index($0, "=")
            key = substr($0, 1, at - 1)
            if (!(key in value))
                print name ".md: " key " is not of this method"
            else if (!same(value[key], substr($0, at + 1)))
                print name ".md: " $0 ", wanted " value[key]
            found[key] = 1
        }
        END {
            for (key in wanted)
                if (!(key in found)) print name ".md: lacks " key
        }' recipe "$name.facts" "$name.table"
    first_command "$page" >"$name.command"
    grep -q -e "--method $name " "$name.command" ||
        echo "$name.md: no command that trains it"
    # shellcheck disable=SC2046  # words of a command
    ballast $(cat "$name.command") --print-config >"$name.config"
    grep -q -e "(methods/$name\.md)" "$docs/comparison.md" ||
        echo "comparison.md: lacks $name"
    grep -q -e "| \[$name\]" "$docs/results.md" ||
        echo "results.md: lacks $name"
    awk -F '|' -v name="[$name]" 'index($2, name) {
        if ($3 + 0 == 0) { print "none of 200 epochs yet"; exit }
        printf "last %.2f, best %.2f%s\n", $3, $4,
            $3 ~ /\*/ ? ", not made from the start" : ""; exit }' \
        "$docs/results.md" >own
    grep -q -F -f own "$page" || echo "$name.md: lacks $(cat own)"
    awk -F '\t' '$1 == "deviations" && $2 != "-" { print $2 }' \
        "$name.facts" >said
    deviations "$page" | diff said - ||
        echo "$name: deviations of the program, then of its page"
    page_said=$(awk -F '\t' '$1 == "page" { print $2 }' "$name.facts")
    [ -f "$SOURCE/$page_said" ] || echo "$name: no $page_said"
done <names
