// options.c: see options.h. getopt_long(3) finds the options; this file checks the values.
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX  32
#define HELP_COLUMN  24  // where an option's line of meaning begins
#define LINE_COLUMNS 80  // of the narrowest terminal
#define FIRST_CODE   256 // getopt_long() returns FIRST_CODE + index: no clash with a character

void options_reject(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s: ", program_invocation_short_name);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, " (see %s --help)\n", program_invocation_short_name);
    va_end(arguments);
    exit(2);
}

int options_choice(const char *option, const char *value, const char *const words[])
{
    char accepted[200] = "";
    for (int i = 0; words[i]; i++) {
        size_t length = strlen(accepted);
        const char *before = ", ";
        if (!strcmp(value, words[i]))
            return i;
        if (i == 0)
            before = "";
        else if (!words[i + 1])
            before = " or ";
        snprintf(accepted + length, sizeof accepted - length, "%s%s", before, words[i]);
    }
    options_reject("--%s takes %s, not '%s'", option, accepted, value);
}

// Prints a word behind those of its line, or, where the line has no room, in the next one.
static void print_word(const char *word, int length, int *column)
{
    if (*column > HELP_COLUMN && *column + 1 + length > LINE_COLUMNS) {
        printf("\n%*s", HELP_COLUMN, "");
        *column = HELP_COLUMN;
    }
    if (*column > HELP_COLUMN)
        *column += printf(" ");
    *column += printf("%.*s", length, word);
}

// What an option means, word by word, and its value, which stays whole.
static void print_meaning(const char *meaning, const char *value)
{
    int column = HELP_COLUMN;
    while (*meaning) {
        int length = (int)strcspn(meaning, " ");
        print_word(meaning, length, &column);
        meaning += length + (meaning[length] == ' ');
    }
    if (*value)
        print_word(value, (int)strlen(value), &column);
    printf("\n");
}

static void print_help(const struct command *command)
{
    printf("usage: %s [options]%s%s\n%s\n\n", program_invocation_short_name,
           *command->arguments ? " " : "", command->arguments, command->about);
    for (const struct option_spec *o = command->options; o->name; o++) {
        char left[64], value[128] = "";
        const char *takes = " N", *text = NULL;
        double number = 0;
        if (o->kind == OPTION_FLAG)
            takes = "";
        else if (o->kind == OPTION_INT)
            number = *(int *)o->value;
        else if (o->kind == OPTION_NUMBER)
            number = *(double *)o->value;
        else if (o->kind == OPTION_TEXT) {
            takes = " TEXT";
            text = *(const char **)o->value;
        } else if (o->kind == OPTION_CALL) {
            takes = " TEXT";
        }
        snprintf(left, sizeof left, "--%s%s", o->name, takes);
        if (text && *text)
            snprintf(value, sizeof value, "(default %s)", text);
        else if (o->max > 0 && number < o->min) // out of range means: not given
            snprintf(value, sizeof value, "(%.15g to %.15g)", o->min, o->max);
        else if (o->max > 0)
            snprintf(value, sizeof value, "(%.15g to %.15g, default %.15g)", o->min, o->max,
                     number);
        printf("  %-21s ", left);
        print_meaning(o->help, value);
    }
    printf("  %-21s %s\n", "--help", "print this");
    exit(0);
}

// Stores the value of one option, or says why it cannot be one. `source` names where it came
// from: "--port" or "$PORT".
static void store(const struct option_spec *o, const char *source, const char *text)
{
    char *end = NULL;
    if (o->kind == OPTION_FLAG) {
        *(bool *)o->value = true;
    } else if (o->kind == OPTION_TEXT) {
        *(const char **)o->value = text;
    } else if (o->kind == OPTION_CALL) {
        (*(option_call *)o->value)(text);
    } else {
        errno = 0;
        double number = strtod(text, &end);
        bool in_range = number >= o->min && number <= o->max; // a NaN is in no range
        bool whole = in_range && number == (double)(int64_t)number;
        if (end == text || *end || errno || !in_range || (o->kind == OPTION_INT && !whole))
            options_reject("%s takes a %s from %g to %.15g, not '%s'", source,
                           o->kind == OPTION_INT ? "whole number" : "number", o->min, o->max,
                           text);
        if (o->kind == OPTION_INT)
            *(int *)o->value = (int)number;
        else
            *(double *)o->value = number;
    }
}

// wire tells the programs that it starts where the server is: $HOST and $PORT. They count only
// beside $WIRE_PACKET_LOG, because some shells export a HOST of their own.
static void take_environment(const struct option_spec *options)
{
    if (!getenv("WIRE_PACKET_LOG"))
        return;
    for (const struct option_spec *o = options; o->name; o++) {
        if (!strcmp(o->name, "host") && getenv("HOST"))
            store(o, "$HOST", getenv("HOST"));
        if (!strcmp(o->name, "port") && getenv("PORT"))
            store(o, "$PORT", getenv("PORT"));
    }
}

int options_parse(int argc, char **argv, const struct command *command)
{
    struct option table[OPTIONS_MAX + 2] = {{"help", no_argument, NULL, FIRST_CODE - 1}};
    const struct option_spec *options = command->options;
    for (int i = 0; options[i].name; i++)
        table[i + 1] = (struct option){
            options[i].name, options[i].kind == OPTION_FLAG ? no_argument : required_argument,
            NULL, FIRST_CODE + i};
    take_environment(options);
    opterr = 0;
    optind = 1;
    for (int code; (code = getopt_long(argc, argv, ":", table, NULL)) != -1;) {
        if (code == FIRST_CODE - 1)
            print_help(command);
        else if (code == ':')
            options_reject("%s needs a value", argv[optind - 1]);
        else if (code == '?' && optopt && optopt < FIRST_CODE - 1)
            options_reject("unknown option '-%c'", optopt);
        else if (code == '?')
            options_reject("unknown option '%s', or not the whole of one", argv[optind - 1]);
        char source[40];
        snprintf(source, sizeof source, "--%s", options[code - FIRST_CODE].name);
        store(&options[code - FIRST_CODE], source, optarg);
    }
    int most = argc;
    if (*command->arguments == '\0')
        most = 0;
    else if (!strchr(command->arguments, ' ') && !strstr(command->arguments, "..."))
        most = 1;
    if (argc - optind > most)
        options_reject("unexpected argument '%s'", argv[optind + most]);
    return optind;
}
