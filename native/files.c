/* Calls on any descriptor: ioctl, ethtool's ioctl, flock, duplicate, close. */
#include "sys.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The kernel trusts the caller's sizes in an ioctl: it gets this much room, whatever the caller's buffer holds. */
#define ROOM 65536

struct room {
  _Alignas(16) uint8_t bytes[ROOM];
};

static struct room *room_with(napi_env env, const struct bytes *bytes) {
  if (bytes->length > ROOM / 2) {
    refuse(env, "data", "at most 32768 bytes");
    return NULL;
  }
  struct room *room = calloc(1, sizeof *room);
  if (room == NULL) {
    napi_throw_error(env, "WEFT_SYS_MEMORY", "out of memory");
    return NULL;
  }
  if (bytes->length > 0) memcpy(room->bytes, bytes->data, bytes->length);
  return room;
}

static napi_value give_back(napi_env env, struct room *room, const struct bytes *bytes, int result) {
  int reason = errno;
  if (bytes->length > 0) memcpy(bytes->data, room->bytes, bytes->length);
  free(room);
  errno = reason;
  return answer(env, result);
}

/* ioctl(fd, request, data: bytes | integer | undefined); bytes are read and written */
static napi_value sys_ioctl(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  int fd;
  int64_t request, integer = 0;
  if (!arg_fd(env, argv[0], &fd) || !arg_integer(env, argv[1], "request", 0, UINT32_MAX, &request)) return NULL;
  napi_valuetype type;
  if (napi_typeof(env, argv[2], &type) != napi_ok) return NULL;
  if (type == napi_undefined || type == napi_number) {
    /* An integer is never a pointer of ours: 31 bits cannot reach the heap of a 64-bit program. */
    if (type == napi_number && !arg_integer(env, argv[2], "data", 0, INT32_MAX, &integer)) return NULL;
    return answer(env, ioctl(fd, (unsigned long)request, integer));
  }
  struct bytes bytes;
  if (!arg_bytes(env, argv[2], "data", &bytes)) return NULL;
  struct room *room = room_with(env, &bytes);
  if (room == NULL) return NULL;
  return give_back(env, room, &bytes, ioctl(fd, (unsigned long)request, room->bytes));
}

/* ethtool(fd, interface, data): SIOCETHTOOL; data begins with the command and is read and written */
static napi_value sys_ethtool(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  int fd;
  struct ifreq request;
  struct bytes bytes;
  memset(&request, 0, sizeof request);
  if (!arg_fd(env, argv[0], &fd) || !arg_string(env, argv[1], "interface", request.ifr_name, IFNAMSIZ) ||
      !arg_bytes(env, argv[2], "data", &bytes))
    return NULL;
  struct room *room = room_with(env, &bytes);
  if (room == NULL) return NULL;
  request.ifr_data = (char *)room->bytes;
  return give_back(env, room, &bytes, ioctl(fd, SIOCETHTOOL, &request));
}

/* flock(fd, operation) */
static napi_value sys_flock(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  int fd, operation;
  if (!arg_fd(env, argv[0], &fd) || !arg_int(env, argv[1], "operation", &operation)) return NULL;
  return answer(env, flock(fd, operation));
}

/* dup(fd) -> descriptor, close-on-exec */
static napi_value sys_dup(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  int fd;
  if (!arg_fd(env, argv[0], &fd)) return NULL;
  return answer(env, fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

/* close(fd) */
static napi_value sys_close(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  int fd;
  if (!arg_fd(env, argv[0], &fd)) return NULL;
  return answer(env, close(fd));
}

void register_files(napi_env env, napi_value exports) {
  export_function(env, exports, "ioctl", sys_ioctl);
  export_function(env, exports, "ethtool", sys_ethtool);
  export_function(env, exports, "flock", sys_flock);
  export_function(env, exports, "dup", sys_dup);
  export_function(env, exports, "close", sys_close);
}
