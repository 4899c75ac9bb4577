/*
 * Namespaces. socketIn and openIn enter a network namespace for exactly one system call; if the way back fails, the
 * process aborts, because everything it would do afterwards would happen in the wrong network.
 */
#include "sys.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#define OWN_NAMESPACE "/proc/thread-self/ns/net"

static int enter(int namespace_fd, int *home) {
  *home = open(OWN_NAMESPACE, O_RDONLY | O_CLOEXEC);
  if (*home < 0) return -1;
  if (setns(namespace_fd, CLONE_NEWNET) == 0) return 0;
  int reason = errno;
  close(*home);
  errno = reason;
  return -1;
}

static void leave(int home) {
  int reason = errno;
  if (setns(home, CLONE_NEWNET) != 0) {
    fprintf(stderr, "weft: cannot return to the own network namespace (errno %d): aborting\n", errno);
    abort();
  }
  close(home);
  errno = reason;
}

/* socketIn(namespaceFd, domain, type, protocol) */
static napi_value sys_socket_in(napi_env env, napi_callback_info info) {
  ARGUMENTS(4);
  int namespace_fd, domain, type, protocol, home;
  if (!arg_fd(env, argv[0], &namespace_fd) || !arg_int(env, argv[1], "domain", &domain) ||
      !arg_int(env, argv[2], "type", &type) || !arg_int(env, argv[3], "protocol", &protocol))
    return NULL;
  if (enter(namespace_fd, &home) < 0) return answer(env, -1);
  int fd = socket(domain, type | SOCK_CLOEXEC, protocol);
  leave(home);
  return answer(env, fd);
}

/* openIn(namespaceFd, path, flags): /proc/sys/net and /proc/net show the opener's namespace */
static napi_value sys_open_in(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  int namespace_fd, flags, home;
  char path[PATH_MAX];
  if (!arg_fd(env, argv[0], &namespace_fd) || !arg_string(env, argv[1], "path", path, sizeof path) ||
      !arg_int(env, argv[2], "flags", &flags))
    return NULL;
  if (enter(namespace_fd, &home) < 0) return answer(env, -1);
  int fd = open(path, flags | O_CLOEXEC, 0600);
  leave(home);
  return answer(env, fd);
}

/* setns(fd, type) */
static napi_value sys_setns(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  int fd, type;
  if (!arg_fd(env, argv[0], &fd) || !arg_int(env, argv[1], "type", &type)) return NULL;
  return answer(env, setns(fd, type));
}

/* unshare(flags) */
static napi_value sys_unshare(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  int flags;
  if (!arg_int(env, argv[0], "flags", &flags)) return NULL;
  return answer(env, unshare(flags));
}

static void *make_namespace(void *out) {
  int *result = out;
  *result = unshare(CLONE_NEWNET) < 0 ? -1 : open(OWN_NAMESPACE, O_RDONLY | O_CLOEXEC);
  if (*result < 0) *result = -errno;
  return NULL;
}

/* newNetns() -> descriptor of a fresh network namespace, made on a thread that ends, so that ours never leaves home */
static napi_value sys_new_netns(napi_env env, napi_callback_info info) {
  (void)info;
  pthread_t thread;
  int result = -EAGAIN;
  int failed = pthread_create(&thread, NULL, make_namespace, &result);
  if (failed != 0) return number(env, -failed);
  pthread_join(thread, NULL);
  return number(env, result);
}

/* mount(source, target, type | null, flags, data | null) */
static napi_value sys_mount(napi_env env, napi_callback_info info) {
  ARGUMENTS(5);
  char source[PATH_MAX], target[PATH_MAX], type[64], data[PATH_MAX];
  char *type_or_null, *data_or_null;
  int64_t flags;
  if (!arg_string(env, argv[0], "source", source, sizeof source) ||
      !arg_string(env, argv[1], "target", target, sizeof target) ||
      !arg_optional_string(env, argv[2], "type", type, sizeof type, &type_or_null) ||
      !arg_integer(env, argv[3], "flags", 0, UINT32_MAX, &flags) ||
      !arg_optional_string(env, argv[4], "data", data, sizeof data, &data_or_null))
    return NULL;
  return answer(env, mount(source, target, type_or_null, (unsigned long)flags, data_or_null));
}

/* umount2(target, flags) */
static napi_value sys_umount2(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  char target[PATH_MAX];
  int flags;
  if (!arg_string(env, argv[0], "target", target, sizeof target) || !arg_int(env, argv[1], "flags", &flags))
    return NULL;
  return answer(env, umount2(target, flags));
}

void register_namespace(napi_env env, napi_value exports) {
  export_function(env, exports, "socketIn", sys_socket_in);
  export_function(env, exports, "openIn", sys_open_in);
  export_function(env, exports, "setns", sys_setns);
  export_function(env, exports, "unshare", sys_unshare);
  export_function(env, exports, "newNetns", sys_new_netns);
  export_function(env, exports, "mount", sys_mount);
  export_function(env, exports, "umount2", sys_umount2);
}
