// nginx.h: a server that no one here wrote, to see what it does with its port.
#ifndef NGINX_H
#define NGINX_H

// Starts nginx with so many workers and this word behind "listen", counts the listening sockets
// of its port, and ends it. -1 if there is no nginx here, or it does not start.
int nginx_sockets(int workers, const char *word);

#endif
