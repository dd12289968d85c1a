// printer.h: an event on the terminal: its id, its delay, its name and its data.
#ifndef PRINTER_H
#define PRINTER_H

#include "http.h"

// Prints it, and writes it out. The delay is known of the events that the server makes itself:
// they say when they happened, by the clock of its machine.
void print_event(const char *id, struct http_text name, struct http_text data);

#endif
