/* Sockets: open, name, connect, send, receive, options. */
#include "sys.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool arg_address(napi_env env, napi_value value, struct sockaddr_storage *out, socklen_t *length) {
  struct bytes bytes;
  if (!arg_bytes(env, value, "address", &bytes)) return false;
  if (bytes.length > sizeof *out) return refuse(env, "address", "at most 128 bytes");
  memset(out, 0, sizeof *out);
  if (bytes.length > 0) memcpy(out, bytes.data, bytes.length);
  *length = (socklen_t)bytes.length;
  return true;
}

/* socket(domain, type, protocol) */
static napi_value sys_socket(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  int domain, type, protocol;
  if (!arg_int(env, argv[0], "domain", &domain) || !arg_int(env, argv[1], "type", &type) ||
      !arg_int(env, argv[2], "protocol", &protocol))
    return NULL;
  return answer(env, socket(domain, type | SOCK_CLOEXEC, protocol));
}

/* bind(fd, address) */
static napi_value sys_bind(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  int fd;
  struct sockaddr_storage address;
  socklen_t length;
  if (!arg_fd(env, argv[0], &fd) || !arg_address(env, argv[1], &address, &length)) return NULL;
  return answer(env, bind(fd, (struct sockaddr *)&address, length));
}

/* connect(fd, address) */
static napi_value sys_connect(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  int fd;
  struct sockaddr_storage address;
  socklen_t length;
  if (!arg_fd(env, argv[0], &fd) || !arg_address(env, argv[1], &address, &length)) return NULL;
  return answer(env, connect(fd, (struct sockaddr *)&address, length));
}

/* listen(fd, backlog) */
static napi_value sys_listen(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  int fd, backlog;
  if (!arg_fd(env, argv[0], &fd) || !arg_int(env, argv[1], "backlog", &backlog)) return NULL;
  return answer(env, listen(fd, backlog));
}

/* accept4(fd, flags) -> fd, close-on-exec */
static napi_value sys_accept4(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  int fd, flags;
  if (!arg_fd(env, argv[0], &fd) || !arg_int(env, argv[1], "flags", &flags)) return NULL;
  return answer(env, accept4(fd, NULL, NULL, flags | SOCK_CLOEXEC));
}

/* shutdown(fd, how) */
static napi_value sys_shutdown(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  int fd, how;
  if (!arg_fd(env, argv[0], &fd) || !arg_int(env, argv[1], "how", &how)) return NULL;
  return answer(env, shutdown(fd, how));
}

/* getsockname(fd, out) -> length */
static napi_value sys_getsockname(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  int fd;
  struct bytes out;
  if (!arg_fd(env, argv[0], &fd) || !arg_bytes(env, argv[1], "out", &out)) return NULL;
  socklen_t length = (socklen_t)out.length;
  return answer(env, getsockname(fd, (struct sockaddr *)out.data, &length) < 0 ? -1 : (long)length);
}

/* send(fd, bytes, flags) */
static napi_value sys_send(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  int fd, flags;
  struct bytes bytes;
  if (!arg_fd(env, argv[0], &fd) || !arg_bytes(env, argv[1], "bytes", &bytes) ||
      !arg_int(env, argv[2], "flags", &flags))
    return NULL;
  return answer(env, send(fd, bytes.data, bytes.length, flags | MSG_NOSIGNAL));
}

/* sendto(fd, bytes, flags, address) */
static napi_value sys_sendto(napi_env env, napi_callback_info info) {
  ARGUMENTS(4);
  int fd, flags;
  struct bytes bytes;
  struct sockaddr_storage address;
  socklen_t length;
  if (!arg_fd(env, argv[0], &fd) || !arg_bytes(env, argv[1], "bytes", &bytes) ||
      !arg_int(env, argv[2], "flags", &flags) || !arg_address(env, argv[3], &address, &length))
    return NULL;
  return answer(env, sendto(fd, bytes.data, bytes.length, flags | MSG_NOSIGNAL, (struct sockaddr *)&address, length));
}

/* recv(fd, into, flags) */
static napi_value sys_recv(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  int fd, flags;
  struct bytes into;
  if (!arg_fd(env, argv[0], &fd) || !arg_bytes(env, argv[1], "into", &into) || !arg_int(env, argv[2], "flags", &flags))
    return NULL;
  return answer(env, recv(fd, into.data, into.length, flags));
}

/* recvfrom(fd, into, flags) -> {n, address} or -errno */
static napi_value sys_recvfrom(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  int fd, flags;
  struct bytes into;
  if (!arg_fd(env, argv[0], &fd) || !arg_bytes(env, argv[1], "into", &into) || !arg_int(env, argv[2], "flags", &flags))
    return NULL;
  struct sockaddr_storage from;
  socklen_t length = sizeof from;
  ssize_t n = recvfrom(fd, into.data, into.length, flags, (struct sockaddr *)&from, &length);
  if (n < 0) return answer(env, -1);
  if (length > sizeof from) length = sizeof from;
  napi_value result, address;
  if (napi_create_object(env, &result) != napi_ok ||
      napi_create_buffer_copy(env, length, &from, NULL, &address) != napi_ok)
    return NULL;
  set_named(env, result, "n", number(env, (double)n));
  set_named(env, result, "address", address);
  return result;
}

/* setsockopt(fd, level, option, bytes) */
static napi_value sys_setsockopt(napi_env env, napi_callback_info info) {
  ARGUMENTS(4);
  int fd, level, option;
  struct bytes bytes;
  if (!arg_fd(env, argv[0], &fd) || !arg_int(env, argv[1], "level", &level) ||
      !arg_int(env, argv[2], "option", &option) || !arg_bytes(env, argv[3], "bytes", &bytes))
    return NULL;
  /* A socket filter holds a pointer, which no caller of ours can have: it would be read as an address. */
  if (level == SOL_SOCKET && (option == SO_ATTACH_FILTER || option == SO_ATTACH_REUSEPORT_CBPF)) {
    errno = EOPNOTSUPP;
    return answer(env, -1);
  }
  return answer(env, setsockopt(fd, level, option, bytes.data, (socklen_t)bytes.length));
}

/* getsockopt(fd, level, option, out) -> length */
static napi_value sys_getsockopt(napi_env env, napi_callback_info info) {
  ARGUMENTS(4);
  int fd, level, option;
  struct bytes out;
  if (!arg_fd(env, argv[0], &fd) || !arg_int(env, argv[1], "level", &level) ||
      !arg_int(env, argv[2], "option", &option) || !arg_bytes(env, argv[3], "out", &out))
    return NULL;
  socklen_t length = (socklen_t)out.length;
  return answer(env, getsockopt(fd, level, option, out.data, &length) < 0 ? -1 : (long)length);
}

void register_socket(napi_env env, napi_value exports) {
  export_function(env, exports, "socket", sys_socket);
  export_function(env, exports, "bind", sys_bind);
  export_function(env, exports, "connect", sys_connect);
  export_function(env, exports, "listen", sys_listen);
  export_function(env, exports, "accept4", sys_accept4);
  export_function(env, exports, "shutdown", sys_shutdown);
  export_function(env, exports, "getsockname", sys_getsockname);
  export_function(env, exports, "send", sys_send);
  export_function(env, exports, "sendto", sys_sendto);
  export_function(env, exports, "recv", sys_recv);
  export_function(env, exports, "recvfrom", sys_recvfrom);
  export_function(env, exports, "setsockopt", sys_setsockopt);
  export_function(env, exports, "getsockopt", sys_getsockopt);
}
