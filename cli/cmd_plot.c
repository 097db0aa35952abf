/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_plot.c: pictures of a run or a study.
 *
 * The library writes the scripts; here gnuplot is started on each, without a
 * shell, with the script as its input and the picture as its output.  So no
 * path ever stands in a script, and no name in a command line.  A picture is
 * made aside and renamed, and what gnuplot says is kept for the message.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"

static const char *const formats[] = {"svg", "png", NULL};

static const bl_param options[] = {
    {"out", BL_PARAM_STRING, "", 0, 0, NULL, "DIR",
     "folder for pictures and scripts; if not given, RUN/plots"},
    {"format", BL_PARAM_CHOICE, "svg", 0, 0, formats, "svg|png",
     "of the pictures; a PNG has twice the pixels of an SVG"},
    CLI_END,
};

enum { NOT_INSTALLED = 127, WORDS = 4096 };

/** Reads what comes through a pipe until it ends; keeps the first bytes. */
static void read_words(int file, char words[WORDS])
{
    size_t kept = 0;
    char bytes[512];
    ssize_t n;
    while ((n = read(file, bytes, sizeof bytes)) != 0) {
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) break;
        const size_t room = WORDS - 1 - kept;
        const size_t more = (size_t)n < room ? (size_t)n : room;
        memcpy(words + kept, bytes, more);
        kept += more;
    }
    words[kept] = '\0';
}

/** The last line that is not empty, without blanks around it. */
static const char *last_line(char *words)
{
    char *end = words + strlen(words);
    while (end > words && strchr(" \t\r\n", end[-1])) end--;
    *end = '\0';
    const char *line = strrchr(words, '\n');
    line = line ? line + 1 : words;
    return line + strspn(line, " \t");
}

/** Starts gnuplot; gives 0 or what the system says. */
static int start(pid_t *pid, const char *script, const char *picture,
                 const int channel[2])
{
    char name[] = "gnuplot", defaults[] = "-d";
    char *const words[] = {name, defaults, NULL};
    const cli_child how = {.argv = words, .in = script, .out = picture,
                           .err = channel[1]};
    for (int i = 0; i < 2; i++)
        (void)fcntl(channel[i], F_SETFD, FD_CLOEXEC);
    return cli_spawn(pid, &how);
}

/** Runs gnuplot to its end.  Gives its exit status, or 128 + a signal; words
 *  get what it said, or what the system did. */
static int run_gnuplot(const char *script, const char *picture,
                       char words[WORDS])
{
    int channel[2], status = 0;
    pid_t child = -1;
    words[0] = '\0';
    int code = pipe(channel) == 0 ? 0 : errno;
    if (code == 0) {
        code = start(&child, script, picture, channel);
        (void)close(channel[1]);
        if (code == 0) read_words(channel[0], words);
        (void)close(channel[0]);
    }
    if (code != 0)
        (void)snprintf(words, WORDS, "%s", strerror(code));
    if (code == ENOENT) return NOT_INSTALLED;
    if (code != 0) return CLI_FAILED;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int make_picture(const cli_args *args, const bl_picture *p)
{
    char aside[4096], words[WORDS];
    if (snprintf(aside, sizeof aside, "%s.tmp-%ld", p->file,
                 (long)getpid()) >= (int)sizeof aside)
        return cli_say(args, CLI_FAILED, "%s: the name is too long", p->file);
    const int code = run_gnuplot(p->script, aside, words);
    if (code == 0 && rename(aside, p->file) == 0) {
        printf("%s   %s\n", p->file, p->about);
        return CLI_DONE;
    }
    const int failed = errno;
    (void)unlink(aside);
    if (code == NOT_INSTALLED)
        return cli_say(args, CLI_FAILED,
                       "gnuplot is not installed; Debian's package is "
                       "gnuplot-nox; the scripts are written, %s the first",
                       p->script);
    if (code == 0)
        return cli_say(args, CLI_FAILED, "%s: cannot rename: %s", p->file,
                       strerror(failed));
    if (code > 128)
        return cli_say(args, CLI_FAILED, "gnuplot on %s was ended by signal "
                       "%d", p->script, code - 128);
    const char *line = last_line(words);
    return cli_say(args, CLI_FAILED, "gnuplot on %s failed (%d): %s",
                   p->script, code, line[0] ? line : "it says nothing");
}

/** --out, or the folder plots in the run. */
static char *folder_for(const cli_args *args)
{
    const char *given = bl_config_string(args->own, "out");
    const size_t bytes = strlen(args->operands[0]) + strlen(given) + 8;
    char *into = malloc(bytes);
    if (into && given[0])
        (void)snprintf(into, bytes, "%s", given);
    else if (into)
        (void)snprintf(into, bytes, "%s/plots", args->operands[0]);
    return into;
}

static int run(cli_args *args)
{
    bl_pictures *pictures = NULL;
    char *into = folder_for(args);
    int code = CLI_DONE;
    if (!into)
        code = cli_say(args, CLI_FAILED, "out of memory");
    else if (bl_plot(&pictures, args->operands[0], into,
                     bl_config_string(args->own, "format")) < 0)
        code = cli_fail(args, CLI_FAILED);
    for (int32_t i = 0; pictures && i < pictures->n && code == CLI_DONE; i++)
        code = make_picture(args, &pictures->picture[i]);
    bl_pictures_free(pictures);
    free(into);
    return code;
}

static const char *const usage[] = {"RUN [options]", "STUDY [options]", NULL};

static const char *const examples[] = {
    "everything there is to see of a run, into runs/bbn-1/plots",
    "ballast plot runs/bbn-1",
    "the tables of a study, for a text processor",
    "ballast plot studies/two-stage --out figures --format png",
    NULL};

const cli_command cli_plot = {
    .name = "plot",
    .summary = "draw a run or a study",
    .usage = usage,
    .about =
        "Draws loss, errors, learning rate and BBN's alpha by epoch; of a "
        "finished run also the error of each class, the confusion matrix, the "
        "reliability diagram, the classifier's weights and how closely "
        "classes gather; of a study its tables.  gnuplot makes the pictures "
        "(package gnuplot-nox); its scripts, with the data in them, stay "
        "beside them.",
    .examples = examples,
    .operands = {"RUN|STUDY"},
    .n_needed = 1,
    .options = options,
    .run = run,
};
