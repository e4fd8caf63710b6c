/* test_skills_gpu.c - questions to the built-in model, as it is and in the other types: at least 99 of 100 answers must
 * be the ones it was trained to give. A sample of 100; all of ../shared's 1016 where CORVID_SKILLS is "all".
 *
 * Many conversations share each step: when one ends, the next question takes its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "support/model_case.h"
#include "support/temporary.h"

enum { SESSIONS = 32, MAX_QUESTIONS = 2048, MAX_LINE = 4096, MAX_ANSWER = 512, MAX_TOKENS = 128 };

struct question {
    json_t *line; /* {"skill", "prompt", "answer"} */
    char reply[MAX_ANSWER];
};

struct seat {
    corvid_session *session;
    struct question *question; /* NULL: free */
    int32_t *tokens;           /* of the prompt, until they are fed */
    size_t n_tokens, n_replied;
    int32_t next;
    float *logits;
};

static corvid_device *device;
static struct question questions[MAX_QUESTIONS];
static size_t n_questions;

static const char *text_of(const struct question *q, const char *key)
{
    const char *text = json_string_value(json_object_get(q->line, key));
    if (!text) fail_msg("a question has no %s", key);
    return text;
}

static int set_up(void **state)
{
    (void)state;
    const char *which = getenv("CORVID_SKILLS");
    bool all = which && !strcmp(which, "all");
    struct path path = all ? in_shared("golden/rwkv7-tiny/skills.jsonl") : in_source("tests/golden/skills-100.jsonl");
    FILE *file = fopen(path.text, "r");
    if (!file) fail_msg("%s cannot be opened", path.text);
    char line[MAX_LINE];
    for (n_questions = 0; n_questions < MAX_QUESTIONS && fgets(line, sizeof line, file); n_questions++) {
        questions[n_questions].line = json_loads(line, 0, NULL);
        if (!questions[n_questions].line) fail_msg("%s: line %zu is no JSON", path.text, n_questions + 1);
    }
    fclose(file);
    assert_in_range(n_questions, 100, MAX_QUESTIONS - 1);
    device = open_device(&(struct model_setup){.device = NULL});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_questions; i++) json_decref(questions[i].line);
    corvid_device_close(device);
    return 0;
}

static void sit_down(struct seat *s, struct question *q, const corvid_model *model)
{
    corvid_error err;
    const char *prompt = text_of(q, "prompt");
    reset(s->session);
    if (!corvid_tokenize(model, prompt, strlen(prompt), CORVID_TOKENIZE_BOS, &s->tokens, &s->n_tokens, &err))
        fail_msg("%s", err.message);
    s->question = q;
    s->n_replied = 0;
    *q->reply = 0;
}

/* Takes the best token; true if the reply ends with it. */
static bool reply(struct seat *s, const corvid_model *model)
{
    const char *piece;
    free(s->tokens);
    s->tokens = NULL;
    s->next = best_of(s->logits, corvid_model_describe(model)->vocabulary);
    if (corvid_ends_text(model, s->next) || s->next == 0) return true;
    size_t n = corvid_piece(model, s->next, &piece), length = strlen(s->question->reply);
    if (length + n >= MAX_ANSWER || ++s->n_replied == MAX_TOKENS) return true;
    memcpy(s->question->reply + length, piece, n);
    s->question->reply[length + n] = 0;
    char *end = strstr(s->question->reply, "\n\n");
    if (end) *end = 0;
    return end;
}

static void ask_all(corvid_model *model)
{
    struct seat seats[SESSIONS] = {{0}};
    size_t asked = 0;
    for (size_t i = 0; i < SESSIONS; i++)
        seats[i] = (struct seat){.session = new_session(model),
                                 .logits = new_floats(corvid_model_describe(model)->vocabulary)};
    for (;;) {
        corvid_input inputs[SESSIONS];
        struct seat *of[SESSIONS];
        size_t n = 0;
        for (size_t i = 0; i < SESSIONS; i++) {
            struct seat *s = &seats[i];
            if (!s->question && asked < n_questions) sit_down(s, &questions[asked++], model);
            if (!s->question) continue;
            inputs[n] = (corvid_input){s->session, s->tokens ? s->tokens : &s->next, s->tokens ? s->n_tokens : 1,
                                       s->logits, NULL};
            of[n++] = s;
        }
        corvid_error err;
        if (!n) break;
        if (!corvid_step(model, inputs, n, &err)) fail_msg("%s", err.message);
        for (size_t i = 0; i < n; i++)
            if (reply(of[i], model)) of[i]->question = NULL;
    }
    for (size_t i = 0; i < SESSIONS; i++) {
        corvid_session_destroy(seats[i].session);
        free(seats[i].logits);
    }
}

/* what counts of an answer: what follows "answer is" where there is that, else all of it */
static const char *essence(const char *answer, bool short_form)
{
    const char *at = short_form ? strstr(answer, "answer is") : NULL;
    at = at ? at + strlen("answer is") : answer;
    return at + strspn(at, " ");
}

static bool is_right(const struct question *q)
{
    const char *expected = text_of(q, "answer");
    bool short_form = strstr(expected, "answer is");
    return !strcmp(essence(expected, short_form), essence(q->reply, short_form));
}

static void check(const char *label, const char *path, bool exact)
{
    corvid_model *model = exact ? open_model(device, path, SESSIONS, 0, 0) : open_model_int8(device, path, SESSIONS);
    ask_all(model);
    corvid_model_close(model);
    size_t right = 0;
    for (size_t i = 0; i < n_questions; i++) {
        if (is_right(&questions[i])) right++;
        else
            print_message("    %s: \"%s\" instead of \"%s\"\n", text_of(&questions[i], "skill"), questions[i].reply,
                          text_of(&questions[i], "answer"));
    }
    print_message("    %s: %zu of %zu right, %.2f %%\n", label, right, n_questions,
                  100 * (double)right / (double)n_questions);
    assert_true(right * 100 >= n_questions * 99);
}

static struct path original(void)
{
    struct path path = in_shared("models/rwkv7-tiny-f16.gguf");
    if (is_there(path.text)) return path;
    print_message("skipped: %s is not there\n", path.text);
    skip();
    return path;
}

static void test_q8_0(void **state)
{
    (void)state;
    check("Q8_0, exact", in_source(built_in_model).text, true);
    check("Q8_0", in_source(built_in_model).text, false);
}

static void test_f16(void **state)
{
    (void)state;
    check("F16", original().text, true);
}

static void test_q4_k(void **state)
{
    (void)state;
    corvid_error err;
    struct path from = original(), to = temporary("q4_k.gguf");
    if (!corvid_quantize(from.text, to.text, "Q4_K", NULL, NULL, &err)) fail_msg("%s", err.message);
    check("Q4_K, exact", to.text, true);
    check("Q4_K", to.text, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_q8_0), cmocka_unit_test(test_f16),
                                       cmocka_unit_test(test_q4_k)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
