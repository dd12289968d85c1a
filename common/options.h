// options.h: the command line, described by one table and the same in every program.
//
//     static const char *host = "127.0.0.1";
//     static int port = 8009;
//     static const struct option_spec options[] = {
//         {"host", OPTION_TEXT, &host, .help = "address of the server"},
//         {"port", OPTION_INT, &port, .max = 65535, .help = "its port"},
//         {0}};
//     int first = options_parse(argc, argv, &(struct command){"[SCENE]", "What ...", options});
//
// The variable's initial value is the default that --help prints. Under `wire`, "host" and
// "port" take their defaults from $HOST and $PORT.
#ifndef OPTIONS_H
#define OPTIONS_H

enum option_kind {
    OPTION_FLAG,   // bool *: --name sets it
    OPTION_INT,    // int *: --name N, min <= N <= max
    OPTION_NUMBER, // double *: --name X, min <= X <= max
    OPTION_TEXT,   // const char **: --name TEXT
    OPTION_CALL,   // option_call *: --name TEXT calls it, in the order of the command line
};

typedef void (*option_call)(const char *text);

struct option_spec {
    const char *name;
    enum option_kind kind;
    void *value;     // where the value is kept; what is there at first is the default
    double min, max; // for numbers
    const char *help;
};

struct command {
    // What follows the options: "" nothing, one word such as "[SCENE]" one argument, "PATH..."
    // or several words any number. In brackets: it may be left out.
    const char *arguments;
    const char *about;                 // what the program is, for --help
    const struct option_spec *options; // ends with an entry without a name
};

// Parses argv as the table says. --help prints the table and exits 0; an unknown option or a
// value out of range prints what was wrong and what is accepted, and exits 2; so do more
// arguments than `arguments` allows.
// Returns the index in argv of the first argument that is no option.
int options_parse(int argc, char **argv, const struct command *command);

// Returns the place of the value of --OPTION among the accepted words, which end with NULL; if
// it is none of them, prints which are accepted, and exits 2.
int options_choice(const char *option, const char *value, const char *const words[]);

// For what the table cannot check: prints what was wrong and what is accepted, and exits 2.
//
//     options_reject("--tls takes 1.2, 1.3 or any, not '%s'", version);
_Noreturn void options_reject(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
