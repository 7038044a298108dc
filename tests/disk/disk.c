/* A disk that misbehaves, put between a program and the C library with LD_PRELOAD.
 *
 * CLOUDCAM_DISK_FOLDER  files whose paths begin so are on this disk; all others are left alone
 * CLOUDCAM_DISK_FAULT   a file that says what is wrong, looked at on each call; none: nothing is
 *
 *   hang        writes and syncs do not return until the fault is another one
 *   full        writes fail with ENOSPC
 *   sync-error  syncs fail with EIO
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum fault { NONE, HANG, FULL, SYNC_ERROR };

static enum fault fault_now(void) {
    const char *path = getenv("CLOUDCAM_DISK_FAULT");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return NONE;
    char text[16] = {0};
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length <= 0)
        return NONE;
    return !strcmp(text, "hang") ? HANG : !strcmp(text, "full") ? FULL : !strcmp(text, "sync-error") ? SYNC_ERROR : NONE;
}

static int is_ours(int fd) {
    const char *folder = getenv("CLOUDCAM_DISK_FOLDER");
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = folder ? readlink(link, path, sizeof path - 1) : -1;
    if (length < 0)
        return 0;
    path[length] = 0;
    return !strncmp(path, folder, strlen(folder));
}

/* The error that a call on this file ends with; 0: none. */
static int trouble(int fd, enum fault fails, int error) {
    int kept = errno, result = 0;
    if (fault_now() != NONE && is_ours(fd)) {
        while (fault_now() == HANG)
            nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        result = fault_now() == fails ? error : 0;
    }
    errno = kept;
    return result;
}

#define CALL(result, name, parameters, arguments, fails, error)                                                        \
    result name parameters {                                                                                           \
        static result(*real) parameters;                                                                               \
        if (!real)                                                                                                     \
            real = (result(*) parameters)dlsym(RTLD_NEXT, #name);                                                      \
        int failure = trouble(fd, fails, error);                                                                       \
        if (failure) {                                                                                                 \
            errno = failure;                                                                                           \
            return -1;                                                                                                 \
        }                                                                                                              \
        return real arguments;                                                                                         \
    }

CALL(ssize_t, write, (int fd, const void *data, size_t length), (fd, data, length), FULL, ENOSPC)
CALL(ssize_t, writev, (int fd, const struct iovec *parts, int count), (fd, parts, count), FULL, ENOSPC)
CALL(ssize_t, pwrite, (int fd, const void *data, size_t length, off_t at), (fd, data, length, at), FULL, ENOSPC)
CALL(ssize_t, pwrite64, (int fd, const void *data, size_t length, off64_t at), (fd, data, length, at), FULL, ENOSPC)
CALL(int, fsync, (int fd), (fd), SYNC_ERROR, EIO)
CALL(int, fdatasync, (int fd), (fd), SYNC_ERROR, EIO)
