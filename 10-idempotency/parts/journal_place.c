// journal_place.c: see journal_place.h.
#include "journal_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

bool journal_fail(struct journal *journal, const char *what, const char *path)
{
    snprintf(journal->error, sizeof journal->error, "cannot %s %.200s: %s", what, path,
             strerror(errno));
    return false;
}

static bool say(struct journal *journal, const char *before, const char *behind)
{
    snprintf(journal->error, sizeof journal->error, "%s%.200s%s", before, journal->path,
             behind);
    return false;
}

bool journal_find(struct journal *journal, const char *path)
{
    char folder[PATH_MAX];
    struct stat link;
    if (strlen(path) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return journal_fail(journal, "open", path);
    }
    if (!realpath(path, journal->path)) {
        strcpy(journal->path, path); // it does not exist yet
        if (!lstat(path, &link))
            return journal_fail(journal, "follow the link", path);
    }
    strcpy(folder, journal->path);
    char *slash = strrchr(folder, '/');
    if (slash == folder)
        slash++; // the folder is "/"
    const char *name = ".";
    if (slash) {
        *slash = '\0';
        name = folder;
    }
    journal->directory_fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return journal->directory_fd >= 0 || journal_fail(journal, "open the folder of", path);
}

int journal_open_beside(const struct journal *journal, const char *suffix, int flags)
{
    char path[PATH_MAX + 8];
    snprintf(path, sizeof path, "%s%s", journal->path, suffix);
    return open(path, flags | O_CLOEXEC, 0666);
}

bool journal_lock(struct journal *journal, int fd)
{
    if (!flock(fd, LOCK_EX | LOCK_NB))
        return true;
    if (errno != EWOULDBLOCK)
        return journal_fail(journal, "lock", journal->path);
    return say(journal, "another server has ", " (--journal FILE names another one)");
}

bool journal_is_in_place(struct journal *journal)
{
    struct stat named, opened;
    if (stat(journal->path, &named) || fstat(journal->fd, &opened))
        return journal_fail(journal, "find the journal that is open at", journal->path);
    if (named.st_dev == opened.st_dev && named.st_ino == opened.st_ino)
        return true;
    return say(journal, "", " is another file than the journal that is open");
}

bool journal_has_one_name(struct journal *journal)
{
    struct stat opened;
    if (fstat(journal->fd, &opened))
        return journal_fail(journal, "look at", journal->path);
    return opened.st_nlink == 1 || say(journal, "", " has a second name (a hard link)");
}
