/* A preloaded library that kills its process, or makes a call fail, at a chosen write below a chosen folder.
 *
 * Counted are the calls that change files: open with O_CREAT or O_TRUNC, write, pwrite, fsync, fdatasync, ftruncate,
 * rename, link, unlink, mkdir, rmdir, utimensat, in all threads of the process. From the environment:
 *   LLM_FAULT_PATH   the folder; nothing is counted without it
 *   LLM_FAULT_AT     the number of the call (1: the first) at which it happens; 0: never
 *   LLM_FAULT_ERRNO  0: SIGKILL before the call; else the errno with which the call fails
 *   LLM_FAULT_TORN   1: half of the bytes of a write are written before the kill
 *   LLM_FAULT_STICKY 1: every later call fails too (a disk that stays full or read-only)
 *   LLM_FAULT_LOG    a file that gets a line for each counted call
 *   LLM_FAULT_ARM    a file before whose existence nothing is counted
 * A disk that is full refuses what needs room, and lets unlink, rmdir, utimensat and fsync pass.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char folder[PATH_MAX], log_path[PATH_MAX], arm_path[PATH_MAX];
static size_t folder_length;
static long fault_at, calls;
static int fault_errno, is_torn, is_sticky, is_armed;
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

static void copy_of(char *target, const char *name) {
    const char *value = getenv(name);
    snprintf(target, PATH_MAX, "%s", value ? value : "");
}

static long number_of(const char *name) {
    const char *value = getenv(name);
    return value ? atol(value) : 0;
}

/* Read the environment anew and begin to count: also called by a forked child that was given another one. */
__attribute__((constructor)) void llm_fault_configure(void) {
    copy_of(folder, "LLM_FAULT_PATH");
    copy_of(log_path, "LLM_FAULT_LOG");
    copy_of(arm_path, "LLM_FAULT_ARM");
    folder_length = strlen(folder);
    fault_at = number_of("LLM_FAULT_AT");
    fault_errno = (int)number_of("LLM_FAULT_ERRNO");
    is_torn = (int)number_of("LLM_FAULT_TORN");
    is_sticky = (int)number_of("LLM_FAULT_STICKY");
    is_armed = !arm_path[0];
    calls = 0;
}

static int below(const char *path) {
    return strncmp(path, folder, folder_length) == 0 && (path[folder_length] == '/' || !path[folder_length]);
}

/* The path of a descriptor; "" where it has none. */
static void path_of_descriptor(int descriptor, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length < 0 ? 0 : length] = 0;
}

static void path_at(int directory, const char *name, char *path) {
    if (name[0] == '/') {
        snprintf(path, PATH_MAX, "%s", name);
        return;
    }
    char base[PATH_MAX];
    if (directory == AT_FDCWD) {
        if (!getcwd(base, sizeof base)) base[0] = 0;
    } else {
        path_of_descriptor(directory, base);
    }
    if (snprintf(path, PATH_MAX, "%s/%s", base, name) >= PATH_MAX) path[0] = 0;
}

static void note(const char *name, const char *path) {
    if (!log_path[0]) return;
    char line[PATH_MAX + 64];
    int length = snprintf(line, sizeof line, "%ld %s %s\n", calls, name, path);
    int descriptor = (int)syscall(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (descriptor >= 0) {
        syscall(SYS_write, descriptor, line, (size_t)length);
        syscall(SYS_close, descriptor);
    }
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* Count a call: 0 for "go on", an errno for "fail with it", -1 for "write half, then die"; dies itself otherwise. */
static int counted(const char *name, const char *path, int needs_room, int can_tear) {
    if (!folder_length || !below(path)) return 0;
    if (!is_armed) {
        if (syscall(SYS_faccessat, AT_FDCWD, arm_path, F_OK) != 0) return 0;
        is_armed = 1;
    }
    pthread_mutex_lock(&guard);
    calls++;
    note(name, path);
    int is_due = fault_at && (calls == fault_at || (is_sticky && calls > fault_at));
    int result = 0;
    if (is_due && fault_errno) {
        result = fault_errno == ENOSPC && !needs_room ? 0 : fault_errno;
    } else if (is_due) {
        if (!(is_torn && can_tear)) die();
        result = -1;
    }
    pthread_mutex_unlock(&guard);
    return result;
}

#define REAL(type, name, ...)                                     \
    static type (*real)(__VA_ARGS__);                             \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

#define FAIL(fault) do { if (fault) { errno = (fault); return -1; } } while (0)

#define OPEN(function, name)                                                                  \
    int function(const char *path, int flags, ...) {                                          \
        REAL(int, name, const char *, int, ...);                                              \
        va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, mode_t); va_end(rest);\
        if (flags & (O_CREAT | O_TRUNC)) {                                                    \
            char whole[PATH_MAX]; path_at(AT_FDCWD, path, whole);                             \
            FAIL(counted("open", whole, 1, 0));                                               \
        }                                                                                     \
        return real(path, flags, mode);                                                       \
    }
OPEN(open, "open")
OPEN(open64, "open64")

#define OPENAT(function, name)                                                                \
    int function(int directory, const char *path, int flags, ...) {                           \
        REAL(int, name, int, const char *, int, ...);                                         \
        va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, mode_t); va_end(rest);\
        if (flags & (O_CREAT | O_TRUNC)) {                                                    \
            char whole[PATH_MAX]; path_at(directory, path, whole);                            \
            FAIL(counted("open", whole, 1, 0));                                               \
        }                                                                                     \
        return real(directory, path, flags, mode);                                            \
    }
OPENAT(openat, "openat")
OPENAT(openat64, "openat64")

ssize_t write(int descriptor, const void *bytes, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    char path[PATH_MAX];
    if (folder_length) {
        path_of_descriptor(descriptor, path);
        int fault = counted("write", path, 1, 1);
        if (fault < 0) { real(descriptor, bytes, size / 2); die(); }
        FAIL(fault);
    }
    return real(descriptor, bytes, size);
}

#define PWRITE(function, name)                                                 \
    ssize_t function(int descriptor, const void *bytes, size_t size, off_t at) {\
        REAL(ssize_t, name, int, const void *, size_t, off_t);                 \
        char path[PATH_MAX];                                                   \
        if (folder_length) {                                                   \
            path_of_descriptor(descriptor, path);                              \
            int fault = counted("pwrite", path, 1, 1);                         \
            if (fault < 0) { real(descriptor, bytes, size / 2, at); die(); }   \
            FAIL(fault);                                                       \
        }                                                                      \
        return real(descriptor, bytes, size, at);                              \
    }
PWRITE(pwrite, "pwrite")
PWRITE(pwrite64, "pwrite64")

#define BY_DESCRIPTOR(function, name)                        \
    int function(int descriptor) {                           \
        REAL(int, name, int);                                \
        char path[PATH_MAX];                                 \
        if (folder_length) {                                 \
            path_of_descriptor(descriptor, path);            \
            FAIL(counted(name, path, 0, 0));                 \
        }                                                    \
        return real(descriptor);                             \
    }
BY_DESCRIPTOR(fsync, "fsync")
BY_DESCRIPTOR(fdatasync, "fdatasync")

#define FTRUNCATE(function, name)                            \
    int function(int descriptor, off_t size) {               \
        REAL(int, name, int, off_t);                         \
        char path[PATH_MAX];                                 \
        if (folder_length) {                                 \
            path_of_descriptor(descriptor, path);            \
            FAIL(counted("ftruncate", path, 1, 0));          \
        }                                                    \
        return real(descriptor, size);                       \
    }
FTRUNCATE(ftruncate, "ftruncate")
FTRUNCATE(ftruncate64, "ftruncate64")

#define ON_PATH(function, name, needs_room, parameters, arguments, directory, path)  \
    int function parameters {                                                        \
        static int (*real) parameters;                                               \
        if (!real) real = (int (*) parameters)dlsym(RTLD_NEXT, name);                \
        char whole[PATH_MAX];                                                        \
        path_at(directory, path, whole);                                             \
        FAIL(counted(name, whole, needs_room, 0));                                   \
        return real arguments;                                                       \
    }
ON_PATH(rename, "rename", 1, (const char *from, const char *to), (from, to), AT_FDCWD, to)
ON_PATH(renameat, "renameat", 1, (int a, const char *from, int b, const char *to), (a, from, b, to), b, to)
ON_PATH(link, "link", 1, (const char *from, const char *to), (from, to), AT_FDCWD, to)
ON_PATH(linkat, "linkat", 1, (int a, const char *from, int b, const char *to, int flags), (a, from, b, to, flags), b, to)
ON_PATH(unlink, "unlink", 0, (const char *path), (path), AT_FDCWD, path)
ON_PATH(unlinkat, "unlinkat", 0, (int at, const char *path, int flags), (at, path, flags), at, path)
ON_PATH(mkdir, "mkdir", 1, (const char *path, mode_t mode), (path, mode), AT_FDCWD, path)
ON_PATH(mkdirat, "mkdirat", 1, (int at, const char *path, mode_t mode), (at, path, mode), at, path)
ON_PATH(rmdir, "rmdir", 0, (const char *path), (path), AT_FDCWD, path)

int utimensat(int directory, const char *path, const struct timespec times[2], int flags) {
    REAL(int, "utimensat", int, const char *, const struct timespec *, int);
    if (path) {
        char whole[PATH_MAX];
        path_at(directory, path, whole);
        FAIL(counted("utimensat", whole, 0, 0));
    }
    return real(directory, path, times, flags);
}
