/*
 * Preloaded into a process: writes down, in one order, every change that the process makes to files under one directory,
 * every sync of them, and what it acknowledges. From that log a test makes the disks that a power cut may leave.
 *
 * RECORD_ROOT is the directory, RECORD_ACKS the file whose writes are acknowledgements, RECORD_LOG where the log goes.
 * RECORD_DIE_AFTER, when set, is the number of events after which the process is killed.
 * An event and its call happen under one lock, so that the log's order is the order of the calls. What only starts
 * writing (sync_file_range) makes nothing durable and is not written down.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { OPENED = 1, WRITTEN, TRUNCATED, SYNCED, RENAMED, REMOVED, DIR_MADE, ACKNOWLEDGED };

/* In front of each event; a path and data follow. */
struct head {
    uint32_t kind, path_len;
    uint64_t inode, offset, data_len;
};

#define MAX_TRACKED 4096
static uint64_t tracked[MAX_TRACKED];
static size_t tracked_count;
static uint64_t acks_inode;
static const char *root, *acks;
static size_t root_len;
static int log_fd = -1;
static long events_left = LONG_MAX;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void give_up(const char *why) {
    fprintf(stderr, "recorder: %s\n", why);
    abort();
}

__attribute__((constructor)) static void begin(void) {
    const char *log = getenv("RECORD_LOG");
    root = getenv("RECORD_ROOT");
    acks = getenv("RECORD_ACKS");
    if (!log || !root || !acks) give_up("RECORD_LOG, RECORD_ROOT and RECORD_ACKS must be set");
    root_len = strlen(root);
    if (getenv("RECORD_DIE_AFTER")) events_left = atol(getenv("RECORD_DIE_AFTER"));
    log_fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_fd < 0) give_up("the log cannot be opened");
}

#define NEXT(name) \
    static __typeof__(&name) next; \
    if (!next) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static int inside(const char *path) {
    return root && strncmp(path, root, root_len) == 0 && (path[root_len] == '/' || path[root_len] == 0);
}

/* What the lock guards: the log, and which inodes are of the directory. */
static void put(enum kind kind, const char *path, uint64_t inode, uint64_t offset, const void *data, size_t len) {
    struct head head = { kind, path ? (uint32_t)strlen(path) : 0, inode, offset, len };
    struct iovec parts[3] = { { &head, sizeof head }, { (void *)path, head.path_len }, { (void *)data, len } };
    if (syscall(SYS_writev, log_fd, parts, 3) != (long)(sizeof head + head.path_len + len)) give_up("the log is cut");
    if (--events_left == 0) kill(getpid(), SIGKILL);
}

static uint64_t inode_of(int fd) {
    struct stat stat;
    return fstat(fd, &stat) == 0 && (S_ISREG(stat.st_mode) || S_ISDIR(stat.st_mode)) ? stat.st_ino : 0;
}

static int is_tracked(uint64_t inode) {
    for (size_t n = 0; inode && n < tracked_count; n++)
        if (tracked[n] == inode) return 1;
    return 0;
}

static int opened(int fd, const char *path, int flags) {
    int error = errno;
    if (fd >= 0 && inside(path)) {
        uint64_t inode = inode_of(fd);
        if (!is_tracked(inode)) {
            if (tracked_count == MAX_TRACKED) give_up("too many files");
            tracked[tracked_count++] = inode;
        }
        put(OPENED, path, inode, (flags & O_TRUNC) != 0, NULL, 0);
    } else if (fd >= 0 && acks && strcmp(path, acks) == 0) {
        acks_inode = inode_of(fd);
    }
    errno = error;
    return fd;
}

static ssize_t written(int fd, const void *data, ssize_t len, off_t offset) {
    int error = errno;
    if (len > 0) {
        uint64_t inode = inode_of(fd);
        if (inode && inode == acks_inode) {
            put(ACKNOWLEDGED, NULL, 0, 0, data, (size_t)len);
        } else if (is_tracked(inode)) {
            if (offset < 0) offset = lseek(fd, 0, SEEK_CUR) - len;
            put(WRITTEN, NULL, inode, (uint64_t)offset, data, (size_t)len);
        }
    }
    errno = error;
    return len;
}

static int done(int result, enum kind kind, int fd, uint64_t offset) {
    int error = errno;
    uint64_t inode = inode_of(fd);
    if (result == 0 && is_tracked(inode)) put(kind, NULL, inode, offset, NULL, 0);
    errno = error;
    return result;
}

#define LOCKED(type, call) \
    pthread_mutex_lock(&lock); \
    type result = (call); \
    pthread_mutex_unlock(&lock); \
    return result

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { \
        va_list rest; \
        va_start(rest, flags); \
        mode = va_arg(rest, mode_t); \
        va_end(rest); \
    }

int open(const char *path, int flags, ...) {
    NEXT(open);
    MODE(flags)
    LOCKED(int, opened(next(path, flags, mode), path, flags));
}

int open64(const char *path, int flags, ...) {
    NEXT(open64);
    MODE(flags)
    LOCKED(int, opened(next(path, flags, mode), path, flags));
}

/* Paths of the process are absolute, so that the directory's descriptor does not matter. */
int openat(int dir, const char *path, int flags, ...) {
    NEXT(openat);
    MODE(flags)
    LOCKED(int, opened(next(dir, path, flags, mode), path, flags));
}

int openat64(int dir, const char *path, int flags, ...) {
    NEXT(openat64);
    MODE(flags)
    LOCKED(int, opened(next(dir, path, flags, mode), path, flags));
}

int creat(const char *path, mode_t mode) {
    NEXT(creat);
    LOCKED(int, opened(next(path, mode), path, O_TRUNC));
}

ssize_t write(int fd, const void *data, size_t len) {
    NEXT(write);
    LOCKED(ssize_t, written(fd, data, next(fd, data, len), -1));
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset) {
    NEXT(pwrite);
    LOCKED(ssize_t, written(fd, data, next(fd, data, len, offset), offset));
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t offset) {
    NEXT(pwrite64);
    LOCKED(ssize_t, written(fd, data, next(fd, data, len, offset), offset));
}

/* Of several buffers only the first is written: a short write, which every caller must bear. */
ssize_t writev(int fd, const struct iovec *parts, int count) {
    return count > 0 ? write(fd, parts[0].iov_base, parts[0].iov_len) : 0;
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    return count > 0 ? pwrite(fd, parts[0].iov_base, parts[0].iov_len, offset) : 0;
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) {
    return count > 0 ? pwrite64(fd, parts[0].iov_base, parts[0].iov_len, offset) : 0;
}

int ftruncate(int fd, off_t len) {
    NEXT(ftruncate);
    LOCKED(int, done(next(fd, len), TRUNCATED, fd, (uint64_t)len));
}

int ftruncate64(int fd, off64_t len) {
    NEXT(ftruncate64);
    LOCKED(int, done(next(fd, len), TRUNCATED, fd, (uint64_t)len));
}

int fsync(int fd) {
    NEXT(fsync);
    LOCKED(int, done(next(fd), SYNCED, fd, 0));
}

int fdatasync(int fd) {
    NEXT(fdatasync);
    LOCKED(int, done(next(fd), SYNCED, fd, 0));
}

static int moved(int result, enum kind kind, const char *path, const char *to) {
    int error = errno;
    if (result == 0 && inside(path)) put(kind, path, 0, 0, to, to ? strlen(to) : 0);
    errno = error;
    return result;
}

int rename(const char *from, const char *to) {
    NEXT(rename);
    LOCKED(int, moved(next(from, to), RENAMED, from, to));
}

int unlink(const char *path) {
    NEXT(unlink);
    LOCKED(int, moved(next(path), REMOVED, path, NULL));
}

int mkdir(const char *path, mode_t mode) {
    NEXT(mkdir);
    LOCKED(int, moved(next(path, mode), DIR_MADE, path, NULL));
}
