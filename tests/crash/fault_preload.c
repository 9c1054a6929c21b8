// Preloaded into a program (LD_PRELOAD), fails or kills it at a chosen file system call.
//
//   SVI_FAULT_FOLDER  only calls on paths and descriptors below it count
//   SVI_FAULT_CALL    n: the fault strikes at the n-th such call, from 1; 0: never (then it only counts)
//   SVI_FAULT_ACTION  kill: SIGKILL before the call; half: SIGKILL after the call, of a write after half of
//   it;
//                     ENOSPC, EIO: this call and all later ones that could fail so do fail
//   SVI_FAULT_REPORT  a file outside of the folder that gets one line "n name path" for each call
//
// A descriptor's path is asked of /proc each time: no table to keep, and whoever opened it counts.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static long call_count = 0;

enum effect { effect_none, effect_fail, effect_half };

static int lies_below(const char* path, const char* folder) {
  const size_t length = strlen(folder);
  return length > 0 && strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

// By the system call itself, so that reporting is not reported.
static void report(const char* name, const char* path) {
  const char* file = getenv("SVI_FAULT_REPORT");
  if (!file) return;
  char line[PATH_MAX + 64];
  const int length = snprintf(line, sizeof line, "%ld %s %s\n", call_count, name, path);
  const int descriptor = (int)syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (descriptor < 0) abort();
  if (syscall(SYS_write, descriptor, line, (size_t)length) != length) abort();
  syscall(SYS_close, descriptor);
}

static int fault_error(void) {
  const char* action = getenv("SVI_FAULT_ACTION");
  if (action && strcmp(action, "ENOSPC") == 0) return ENOSPC;
  if (action && strcmp(action, "EIO") == 0) return EIO;
  return 0;
}

// What is to happen at this call. `can_fail`: whether a full or broken disk makes such a call fail.
static enum effect next_call(const char* name, const char* path, int can_fail) {
  const char* folder = getenv("SVI_FAULT_FOLDER");
  const char* number = getenv("SVI_FAULT_CALL");
  const char* action = getenv("SVI_FAULT_ACTION");
  if (!folder || !lies_below(path, folder)) return effect_none;
  const long call = __atomic_add_fetch(&call_count, 1, __ATOMIC_SEQ_CST);
  report(name, path);
  const long fault = number ? atol(number) : 0;
  if (fault == 0 || call < fault) return effect_none;
  if (fault_error()) {
    if (!can_fail) return effect_none;
    errno = fault_error();
    return effect_fail;
  }
  if (action && strcmp(action, "half") == 0) return effect_half;
  die();
  return effect_none;
}

static enum effect next_call_on(const char* name, int descriptor, int can_fail) {
  char link[64];
  char path[PATH_MAX];
  const int saved_errno = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  errno = saved_errno;
  if (length < 0) return effect_none;
  path[length] = '\0';
  return next_call(name, path, can_fail);
}

static void* real(const char* name) {
  void* function = dlsym(RTLD_NEXT, name);
  if (!function) abort();
  return function;
}

// Calls the real function and ends the process after it when that was asked for.
#define PASS_ON(type, effect, call)     \
  do {                                  \
    const type result_ = (call);        \
    if ((effect) == effect_half) die(); \
    return result_;                     \
  } while (0)

static int mode_of(int flags, va_list arguments) {
  return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, int) : 0;
}

#define DEFINE_OPEN(name)                                                                   \
  int name(const char* path, int flags, ...) {                                              \
    va_list arguments;                                                                      \
    va_start(arguments, flags);                                                             \
    const int mode = mode_of(flags, arguments);                                             \
    va_end(arguments);                                                                      \
    const enum effect effect = next_call(#name, path, (flags & O_CREAT) != 0);              \
    if (effect == effect_fail) return -1;                                                   \
    PASS_ON(int, effect, ((int (*)(const char*, int, ...))real(#name))(path, flags, mode)); \
  }
DEFINE_OPEN(open)
DEFINE_OPEN(open64)

#define DEFINE_OPENAT(name)                                                                              \
  int name(int folder, const char* path, int flags, ...) {                                               \
    va_list arguments;                                                                                   \
    va_start(arguments, flags);                                                                          \
    const int mode = mode_of(flags, arguments);                                                          \
    va_end(arguments);                                                                                   \
    const enum effect effect = next_call(#name, path, (flags & O_CREAT) != 0);                           \
    if (effect == effect_fail) return -1;                                                                \
    PASS_ON(int, effect, ((int (*)(int, const char*, int, ...))real(#name))(folder, path, flags, mode)); \
  }
DEFINE_OPENAT(openat)
DEFINE_OPENAT(openat64)

#define DEFINE_CREAT(name)                                                         \
  int name(const char* path, mode_t mode) {                                        \
    const enum effect effect = next_call(#name, path, 1);                          \
    if (effect == effect_fail) return -1;                                          \
    PASS_ON(int, effect, ((int (*)(const char*, mode_t))real(#name))(path, mode)); \
  }
DEFINE_CREAT(creat)
DEFINE_CREAT(creat64)

ssize_t write(int descriptor, const void* bytes, size_t count) {
  const enum effect effect = next_call_on("write", descriptor, 1);
  if (effect == effect_fail) return -1;
  if (effect == effect_half) count /= 2;
  PASS_ON(ssize_t, effect, ((ssize_t(*)(int, const void*, size_t))real("write"))(descriptor, bytes, count));
}

ssize_t writev(int descriptor, const struct iovec* parts, int count) {
  const enum effect effect = next_call_on("writev", descriptor, 1);
  if (effect == effect_fail) return -1;
  if (effect == effect_half) count = 1;
  PASS_ON(ssize_t, effect,
          ((ssize_t(*)(int, const struct iovec*, int))real("writev"))(descriptor, parts, count));
}

#define DEFINE_PWRITE(name, offset_type)                                                                     \
  ssize_t name(int descriptor, const void* bytes, size_t count, offset_type offset) {                        \
    const enum effect effect = next_call_on(#name, descriptor, 1);                                           \
    if (effect == effect_fail) return -1;                                                                    \
    if (effect == effect_half) count /= 2;                                                                   \
    PASS_ON(                                                                                                 \
        ssize_t, effect,                                                                                     \
        ((ssize_t(*)(int, const void*, size_t, offset_type))real(#name))(descriptor, bytes, count, offset)); \
  }
DEFINE_PWRITE(pwrite, off_t)
DEFINE_PWRITE(pwrite64, off64_t)

#define DEFINE_TRUNCATE(name, offset_type)                                              \
  int name(int descriptor, offset_type length) {                                        \
    const enum effect effect = next_call_on(#name, descriptor, 1);                      \
    if (effect == effect_fail) return -1;                                               \
    PASS_ON(int, effect, ((int (*)(int, offset_type))real(#name))(descriptor, length)); \
  }
DEFINE_TRUNCATE(ftruncate, off_t)
DEFINE_TRUNCATE(ftruncate64, off64_t)

#define DEFINE_ON_DESCRIPTOR(name)                                 \
  int name(int descriptor) {                                       \
    const enum effect effect = next_call_on(#name, descriptor, 1); \
    if (effect == effect_fail) return -1;                          \
    PASS_ON(int, effect, ((int (*)(int))real(#name))(descriptor)); \
  }
DEFINE_ON_DESCRIPTOR(fsync)
DEFINE_ON_DESCRIPTOR(fdatasync)

// As on Linux: the descriptor is gone even where close reports an error.
int close(int descriptor) {
  const enum effect effect = next_call_on("close", descriptor, 1);
  const int error = errno;
  const int result = ((int (*)(int))real("close"))(descriptor);
  if (effect == effect_half) die();
  if (effect != effect_fail) return result;
  errno = error;
  return -1;
}

int rename(const char* from, const char* to) {
  const enum effect effect = next_call("rename", from, 1);
  if (effect == effect_fail) return -1;
  PASS_ON(int, effect, ((int (*)(const char*, const char*))real("rename"))(from, to));
}

int renameat(int from_folder, const char* from, int to_folder, const char* to) {
  const enum effect effect = next_call("renameat", from, 1);
  if (effect == effect_fail) return -1;
  PASS_ON(int, effect,
          ((int (*)(int, const char*, int, const char*))real("renameat"))(from_folder, from, to_folder, to));
}

// Removing is what mends a full disk: it is counted, and can be where a process dies, but never fails.
int unlink(const char* path) {
  const enum effect effect = next_call("unlink", path, 0);
  PASS_ON(int, effect, ((int (*)(const char*))real("unlink"))(path));
}

int unlinkat(int folder, const char* path, int flags) {
  const enum effect effect = next_call("unlinkat", path, 0);
  PASS_ON(int, effect, ((int (*)(int, const char*, int))real("unlinkat"))(folder, path, flags));
}

int remove(const char* path) {
  const enum effect effect = next_call("remove", path, 0);
  PASS_ON(int, effect, ((int (*)(const char*))real("remove"))(path));
}
