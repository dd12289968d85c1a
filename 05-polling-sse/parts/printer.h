// printer.h: an event on the terminal: its id, its delay, its name and its data.
#ifndef PRINTER_H
#define PRINTER_H

#include "http.h"

// Prints an event as one line. Only events that the server itself makes have a delay: they say
// when they happened, by the clock of the server's machine.
void print_event(const char *id, struct http_text name, struct http_text data);

#endif
