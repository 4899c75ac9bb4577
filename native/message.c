/* sendmsg and recvmsg with file descriptors (SCM_RIGHTS) and timestamps or packet data left alone. */
#include "sys.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* SCM_MAX_FD of the kernel. */
#define MOST_FDS 253

union control {
  struct cmsghdr align;
  uint8_t bytes[CMSG_SPACE(MOST_FDS * sizeof(int)) + 256];
};

static bool arg_fds(napi_env env, napi_value value, int *fds, size_t *count) {
  bool array = false;
  uint32_t length = 0;
  *count = 0;
  if (is_nullish(env, value)) return true;
  if (napi_is_array(env, value, &array) != napi_ok || !array ||
      napi_get_array_length(env, value, &length) != napi_ok || length > MOST_FDS)
    return refuse(env, "fds", "an array of at most 253 descriptors");
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    if (napi_get_element(env, value, i, &element) != napi_ok || !arg_fd(env, element, &fds[i])) return false;
  }
  *count = length;
  return true;
}

/* sendmsg(fd, bytes, fds, flags) */
static napi_value sys_sendmsg(napi_env env, napi_callback_info info) {
  ARGUMENTS(4);
  int fd, flags, fds[MOST_FDS];
  size_t count;
  struct bytes bytes;
  if (!arg_fd(env, argv[0], &fd) || !arg_bytes(env, argv[1], "bytes", &bytes) ||
      !arg_fds(env, argv[2], fds, &count) || !arg_int(env, argv[3], "flags", &flags))
    return NULL;
  union control control;
  memset(&control, 0, sizeof control);
  struct iovec part = {.iov_base = bytes.data, .iov_len = bytes.length};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (count > 0) {
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), fds, count * sizeof(int));
  }
  return answer(env, sendmsg(fd, &message, flags | MSG_NOSIGNAL));
}

static napi_value received_fds(napi_env env, struct msghdr *message) {
  napi_value list;
  if (napi_create_array(env, &list) != napi_ok) return NULL;
  uint32_t index = 0;
  for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL; header = CMSG_NXTHDR(message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int fd;
      memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
      napi_set_element(env, list, index++, number(env, fd));
    }
  }
  return list;
}

/* recvmsg(fd, into, flags) -> {n, flags, fds, address} or -errno; the descriptors are close-on-exec and the caller's */
static napi_value sys_recvmsg(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  int fd, flags;
  struct bytes into;
  if (!arg_fd(env, argv[0], &fd) || !arg_bytes(env, argv[1], "into", &into) || !arg_int(env, argv[2], "flags", &flags))
    return NULL;
  union control control;
  memset(&control, 0, sizeof control);
  struct sockaddr_storage from;
  struct iovec part = {.iov_base = into.data, .iov_len = into.length};
  struct msghdr message = {.msg_name = &from,
                           .msg_namelen = sizeof from,
                           .msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = sizeof control};
  ssize_t n = recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC);
  if (n < 0) return answer(env, -1);
  size_t length = message.msg_namelen > sizeof from ? sizeof from : message.msg_namelen;
  napi_value result, address;
  if (napi_create_object(env, &result) != napi_ok ||
      napi_create_buffer_copy(env, length, &from, NULL, &address) != napi_ok)
    return NULL;
  set_named(env, result, "n", number(env, (double)n));
  set_named(env, result, "flags", number(env, message.msg_flags));
  set_named(env, result, "fds", received_fds(env, &message));
  set_named(env, result, "address", address);
  return result;
}

void register_message(napi_env env, napi_value exports) {
  export_function(env, exports, "sendmsg", sys_sendmsg);
  export_function(env, exports, "recvmsg", sys_recvmsg);
}
