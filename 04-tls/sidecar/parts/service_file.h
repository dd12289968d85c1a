// service_file.h: the file that says where the services are:
//
//     # NAME  ADDRESS:PORT of the sidecar of each of its instances
//     stock   10.0.0.2:8114 10.0.0.3:8114
//     price   [::1]:8114
//     end
//
// The last line is there because a writer may be interrupted: a file without it is not whole,
// and is not used.
#ifndef SERVICE_FILE_H
#define SERVICE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define SERVICES_MAX       64
#define SERVICE_NAME       64 // bytes of a name, a label of RFC 1123: letters, digits, '-'
#define INSTANCES_MAX      16 // of a service
#define SERVICE_FILE_BYTES 65536
#define SERVICE_FILE_WHY   120

struct service_file {
    int count;
    struct service_line {
        char name[SERVICE_NAME];
        int count;
        struct sockaddr_storage addresses[INSTANCES_MAX];
    } services[SERVICES_MAX];
};

// Reads a whole file. False: it is malformed, and `why` says where and how.
bool service_file_read(const char *text, size_t length, struct service_file *file,
                       char why[SERVICE_FILE_WHY]);

// True for what may be a service's name.
bool service_name_is_good(const char *name);

// Reads "ADDRESS:PORT" or "[ADDRESS]:PORT", in digits: no names.
bool service_address_read(const char *text, struct sockaddr_storage *address);

#endif
