/* SPDX-License-Identifier: Apache-2.0 */
/*
 * study_jobs.c: trains several cells at once, each by "ballast train" in a
 * process of its own.
 *
 * A cell of its own process cannot take the others with it, and the threads
 * of one do not wait for those of another.  Children stand in process groups
 * of their own, so that Ctrl-C reaches this process alone and each child gets
 * the signal once (a second would end it before its checkpoint).  What a
 * child says on standard error goes to a file without a name; its warnings are
 * passed on when it ends, and when it fails, the last line is the reason.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "study.h"

enum { PAUSE_MS = 20, LINE = 1024 };

/** A process at work. */
typedef struct child {
    pid_t pid;  /* 0: free */
    int64_t i;
    FILE *said;
} child;

typedef struct pool {
    study_job *j;
    child *children;        /* [j->jobs]                 */
    unsigned char *running; /* [n] cells that a child has */
    int n;                  /* children at work          */
    int told;               /* signal passed on, 0: none */
} pool;

/* ---- one child ---------------------------------------------------------- */

/** Words of a call, each in memory of its own. */
typedef struct words {
    char **text; /* [n], then NULL */
    int n, room, failed;
} words;

/** Adds "a", "a=b" where there is a b. */
static void add_word(words *w, const char *a, const char *b)
{
    const size_t bytes = strlen(a) + (b ? strlen(b) : 0) + 2;
    if (w->n + 2 > w->room) {
        const int room = 2 * w->room + 16;
        char **text = realloc(w->text, (size_t)room * sizeof *text);
        if (!text) {
            w->failed = 1;
            return;
        }
        w->text = text;
        w->room = room;
    }
    char *word = malloc(bytes);
    w->failed |= !word;
    if (word)
        (void)snprintf(word, bytes, "%s%s%s", a, b ? "=" : "", b ? b : "");
    w->text[w->n++] = word;
    w->text[w->n] = NULL;
}

static void free_words(words *w)
{
    for (int i = 0; i < w->n; i++) free(w->text[i]);
    free(w->text);
}

int64_t study_share(const study_job *j)
{
    const bl_compute all = {.threads = 0};
    int32_t cores;
    if (bl_compute_threads(&cores, &all) < 0) cores = 1;
    return cores > j->jobs ? cores / j->jobs : 1;
}

/** "--key=value" of whatever is no default, or --resume.  A run that is made
 *  anew has nothing to lose but its run.yaml, and only then is replaced. */
static bl_status make_words(words *w, const study_job *j, int64_t i)
{
    const bl_cell *cell = bl_study_cell_at(j->study, i);
    const int resume = cell->state == BL_CELL_BEGUN && !cell->anew;
    char text[96];
    bl_config *config = NULL;
    const bl_status status = bl_study_config(&config, j->study, i);
    if (status < 0) return status;
    add_word(w, "ballast", NULL);
    add_word(w, "train", NULL);
    add_word(w, "--quiet", NULL);
    add_word(w, resume ? "--resume" : "--out", cell->folder);
    if (cell->anew) add_word(w, "--overwrite-begun", NULL);
    for (const bl_param *p = bl_train_params(); p->name; p++) {
        const bl_origin origin = bl_config_origin(config, p->name);
        if (origin != BL_ORIGIN_FILE && origin != BL_ORIGIN_OPTION) continue;
        if (resume && strcmp(p->name, "data-dir") != 0) continue;
        (void)snprintf(text, sizeof text, "--%s", p->name);
        add_word(w, text, bl_config_text(config, p->name));
    }
    if (!resume && bl_config_integer(config, "threads") == 0) {
        (void)snprintf(text, sizeof text, "%lld", (long long)study_share(j));
        add_word(w, "--threads", text);
    }
    bl_config_free(config);
    return BL_OK;
}

/** Starts a child with its standard error in said; gives errno's number. */
static int start(pid_t *pid, char *const *argv, FILE *said)
{
    static const char nothing[] = "/dev/null";
    const cli_child how = {.argv = argv, .path = "/proc/self/exe",
                           .in = nothing, .out = nothing,
                           .err = fileno(said), .own_group = 1};
    (void)fcntl(how.err, F_SETFD, FD_CLOEXEC);
    return cli_spawn(pid, &how);
}

static void fail_call(study_job *j, int64_t i, const char *what, int error)
{
    char why[256];
    (void)snprintf(why, sizeof why, "%s: %s", what, strerror(error));
    study_fail(j, i, why);
}

static void start_cell(pool *p, child *free_one, int64_t i)
{
    study_job *j = p->j;
    words w = {0};
    pid_t pid = 0;
    FILE *said = tmpfile();
    if (!said) {
        fail_call(j, i, "cannot create a temporary file", errno);
    } else if (make_words(&w, j, i) < 0) {
        study_fail(j, i, bl_error_last()->message);
    } else {
        const int error = w.failed ? ENOMEM : start(&pid, w.text, said);
        if (error) fail_call(j, i, "cannot start ballast train", error);
    }
    free_words(&w);
    if (pid <= 0) {
        if (said) (void)fclose(said);
        return;
    }
    *free_one = (child){pid, i, said};
    p->running[i] = 1;
    p->n++;
    if (!j->quiet)
        (void)fprintf(stderr, "cell %lld/%lld  %s: begun\n", (long long)i + 1,
                      (long long)j->n, bl_study_cell_at(j->study, i)->label);
}

/** line behind mark, NULL where it does not begin with that. */
static const char *behind(const char *line, const char *mark)
{
    const size_t n = strlen(mark);
    return strncmp(line, mark, n) == 0 ? line + n : NULL;
}

/** A child takes every key for one that its user has set, and warns of those
 *  it does not read.  Keys of a grid are for every cell; only those of --set
 *  were asked for here. */
static int is_asked_for(const study_job *j, int64_t i, const char *warning)
{
    const char *end = strstr(warning, " changes nothing here: ");
    char key[64];
    bl_config *config;
    if (!end) return 1;
    (void)snprintf(key, sizeof key, "%.*s", (int)(end - warning), warning);
    if (bl_study_config(&config, j->study, i) < 0) return 1;
    const int asked = bl_config_origin(config, key) == BL_ORIGIN_OPTION;
    bl_config_free(config);
    return asked;
}

/** warning: without the words that mark it as one. */
static void warn(const study_job *j, int64_t i, const char *warning)
{
    if (!is_asked_for(j, i, warning)) return;
    (void)fprintf(stderr, "ballast: warning: cell %lld/%lld: %s\n",
                  (long long)i + 1, (long long)j->n, warning);
}

/** Passes on the warnings of a child; out: the last line of what else it said,
 *  without its own name in front. */
static void take_said(char out[LINE], const study_job *j, const child *c)
{
    char line[LINE];
    out[0] = '\0';
    rewind(c->said);
    while (fgets(line, sizeof line, c->said)) {
        line[strcspn(line, "\n")] = '\0';
        const char *warning = behind(line, "ballast: warning: ");
        const char *why = behind(line, "ballast train: ");
        if (warning)
            warn(j, c->i, warning);
        else if (line[0])
            (void)snprintf(out, LINE, "%s", why ? why : line);
    }
}

static void end_cell(pool *p, child *c, int status)
{
    study_job *j = p->j;
    char why[LINE];
    const int64_t i = c->i;
    take_said(why, j, c);
    (void)fclose(c->said);
    *c = (child){0};
    p->running[i] = 0;
    p->n--;
    if (bl_study_look(j->study, i) < 0) {
        study_fail(j, i, bl_error_last()->message);
        return;
    }
    if (bl_study_cell_at(j->study, i)->state == BL_CELL_FINISHED) {
        study_pace_learn(j, i);
        study_done(j, i, study_pace_rest(j, NULL) / (double)j->jobs);
        return;
    }
    if (p->told) return; /* stopped, as it was asked to */
    if (WIFEXITED(status) && WEXITSTATUS(status) == CLI_BUSY) {
        study_leave(j, i);
        return;
    }
    if (WIFSIGNALED(status))
        (void)snprintf(why, sizeof why, "was killed by signal %d",
                       WTERMSIG(status));
    if (!why[0])
        (void)snprintf(why, sizeof why, "ended with status %d and said "
                       "nothing", WEXITSTATUS(status));
    study_fail(j, i, why);
}

/* ---- all of them -------------------------------------------------------- */

static void reap(pool *p)
{
    for (int64_t k = 0; k < p->j->jobs; k++) {
        child *c = &p->children[k];
        int status = 0;
        if (c->pid && waitpid(c->pid, &status, WNOHANG) == c->pid)
            end_cell(p, c, status);
    }
}

static void pass_signal(pool *p)
{
    const int number = cli_stop_signal();
    if (!number || p->told) return;
    p->told = number;
    for (int64_t k = 0; k < p->j->jobs; k++)
        if (p->children[k].pid) (void)kill(p->children[k].pid, number);
}

static child *free_child(const pool *p)
{
    for (int64_t k = 0; k < p->j->jobs; k++)
        if (!p->children[k].pid) return &p->children[k];
    return NULL;
}

/** Starts what can be started; gives whether there was anything. */
static int start_cells(pool *p)
{
    study_job *j = p->j;
    int any = 0;
    for (int64_t i = 0; i < j->n && p->n < j->jobs; i++) {
        if (p->running[i] || !study_ready(j, i)) continue;
        any = 1;
        if (bl_study_look(j->study, i) < 0)
            study_fail(j, i, bl_error_last()->message);
        else if (!study_ready(j, i))
            continue;
        else if (bl_study_cell_at(j->study, i)->average)
            study_average(j, i);
        else
            start_cell(p, free_child(p), i);
    }
    return any;
}

static void work(pool *p)
{
    const struct timespec pause = {0, PAUSE_MS * 1000000L};
    for (;;) {
        pass_signal(p);
        reap(p);
        const int any = !p->told && start_cells(p);
        if (p->n == 0 && !any) return;
        (void)nanosleep(&pause, NULL);
    }
}

int study_run_jobs(study_job *j)
{
    pool p = {.j = j};
    p.children = calloc((size_t)j->jobs, sizeof *p.children);
    p.running = calloc((size_t)j->n, sizeof *p.running);
    if (p.children && p.running) work(&p);
    const int made = p.children && p.running;
    free(p.children);
    free(p.running);
    if (!made) return cli_say(j->args, CLI_FAILED, "out of memory");
    return cli_stop_signal() ? 128 + cli_stop_signal() : CLI_DONE;
}
