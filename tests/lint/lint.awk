# SPDX-License-Identifier: Apache-2.0
# lint.awk FILE...: see lint.sh.  Prints file:line: what, exits 1 if anything.

BEGIN {
    LINES = 800; COLUMNS = 80; BODY = 70

    # Rooms by level: a room sees itself and the levels below it.
    level["core"] = 0
    level["io"] = level["backend"] = level["mix"] = 1
    level["data"] = level["sampler"] = level["loss"] = level["optim"] = 2
    level["nn"] = 3
    level["eval"] = level["train"] = 4
    level["plot"] = level["study"] = 5

    n = split("printf fprintf vprintf vfprintf puts fputs putchar perror" \
              " exit _exit abort assert", word, " ")
    for (i = 1; i <= n; i++) banned[word[i]] = "the library never prints," \
        " exits or aborts"
    n = split("strcpy strcat sprintf vsprintf gets strncpy strncat scanf" \
              " sscanf fscanf atoi atol atof", word, " ")
    for (i = 1; i <= n; i++) banned[word[i]] = "unbounded or unchecked"
    n = split("strtok rand srand localtime gmtime setlocale", word, " ")
    for (i = 1; i <= n; i++) banned[word[i]] = "keeps hidden state"
    n = split("malloc calloc realloc free strdup strndup alloca" \
              " aligned_alloc posix_memalign", word, " ")
    for (i = 1; i <= n; i++) memory[word[i]] = "memory goes through core/mem.h"
}

function say(line, text) {
    printf "%s:%d: %s\n", FILENAME, line, text
    faults++
}

# The line without comments and without the text of literals.
function code_of(text,    out, c, two, i) {
    out = ""
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        two = substr(text, i, 2)
        if (comment) {
            if (two == "*/") { comment = 0; i++ }
        } else if (quote != "") {
            if (c == "\\") i++
            else if (c == quote) { quote = ""; out = out c }
        } else if (two == "/*") {
            comment = 1; i++
        } else if (two == "//") {
            break
        } else {
            if (c == "\"" || c == "'") quote = c
            out = out c
        }
    }
    quote = "" # a literal does not cross lines
    return out
}

function room_of(path,    part) {
    split(path, part, "/")
    return part[1] == "src" ? part[2] : ""
}

function check_calls(code,    rest, name, before) {
    rest = code
    while (match(rest, /[A-Za-z_][A-Za-z_0-9]* *\(/)) {
        name = substr(rest, RSTART, RLENGTH - 1)
        sub(/ *$/, "", name)
        before = RSTART > 1 ? substr(rest, RSTART - 1, 1) : ""
        rest = substr(rest, RSTART + RLENGTH)
        if (before == "." || before == ">") continue # a member of a table
        if (name in banned)
            say(FNR, name "(): " banned[name])
        if (name in memory && FILENAME != "src/core/mem.c")
            say(FNR, name "(): " memory[name])
    }
}

function check_include(text,    what, to, from) {
    if (!match(text, /[<"][^>"]*[>"]/)) return
    what = substr(text, RSTART + 1, RLENGTH - 2)
    from = room_of(FILENAME)
    to = what
    sub(/\/.*/, "", to)
    if (what ~ /(^|\/)(dnnl|oneapi|cuda|cudnn|cublas|nccl)/ &&
        from != "backend" && top != "tests" && top != "bench")
        say(FNR, what ": vendor headers stay in src/backend")
    if (from != "" && to in level && to != from && level[to] >= level[from])
        say(FNR, from "/ may not include " what)
    if ((top == "cli" || top == "examples" || top == "include") &&
        to in level)
        say(FNR, top "/ sees public headers only, not " what)
}

FNR == 1 {
    comment = 0; quote = ""; fenced = 0; body = 0
    split(FILENAME, part, "/")
    top = part[1]
    if ($0 != "/* SPDX-License-Identifier: Apache-2.0 */")
        say(1, "the first line is not the SPDX line")
}

FNR == LINES + 1 { say(FNR, "more than " LINES " lines in the file") }

/clang-format off/ { fenced = 1 }
/clang-format on/ { fenced = 0 }
!fenced && !/^#pragma/ && length($0) > COLUMNS {
    # Bytes that continue a UTF-8 character take no column.
    wide = $0
    gsub(/[\200-\277]/, "", wide)
    if (length(wide) > COLUMNS) say(FNR, length(wide) " columns")
}
/\t/ { say(FNR, "a tab") }
/[ \t\r]$/ { say(FNR, "blanks at the end of the line") }
/(^|[^A-Za-z])(TODO|FIXME|XXX)([^A-Za-z]|$)/ { say(FNR, "unfinished work") }

{
    code = code_of($0)
    if (code ~ /^ *# *include/) check_include($0)
    else if (top == "src") check_calls(code)
}

/^\{$/ { body = FNR }
/^\}/ && body {
    if (FNR - body - 1 > BODY)
        say(body, "a function of " (FNR - body - 1) " lines")
    body = 0
}

END { exit faults > 0 }
