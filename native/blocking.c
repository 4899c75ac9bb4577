/* A send that may block for milliseconds (deleting a link, moving one between namespaces), on a pool thread. */
#include "sys.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct send_job {
  napi_async_work work;
  napi_deferred deferred;
  int fd; /* a duplicate: closing or reusing the caller's number cannot misdirect the send */
  long result;
  size_t length;
  uint8_t bytes[];
};

static void execute(napi_env env, void *data) {
  (void)env;
  struct send_job *job = data;
  ssize_t n = send(job->fd, job->bytes, job->length, MSG_NOSIGNAL);
  job->result = n < 0 ? -errno : n;
}

static void complete(napi_env env, napi_status status, void *data) {
  struct send_job *job = data;
  close(job->fd);
  long result = status == napi_ok ? job->result : -ECANCELED;
  if (env != NULL) {
    napi_resolve_deferred(env, job->deferred, number(env, (double)result));
    napi_delete_async_work(env, job->work);
  }
  free(job);
}

/* sendBlocking(fd, bytes) -> Promise of bytes sent or -errno */
static napi_value sys_send_blocking(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  int fd;
  struct bytes bytes;
  if (!arg_fd(env, argv[0], &fd) || !arg_bytes(env, argv[1], "bytes", &bytes)) return NULL;
  struct send_job *job = calloc(1, sizeof *job + bytes.length);
  if (job == NULL) return napi_throw_error(env, "WEFT_SYS_MEMORY", "out of memory"), NULL;
  job->length = bytes.length;
  if (bytes.length > 0) memcpy(job->bytes, bytes.data, bytes.length);
  napi_value promise, name;
  if (napi_create_promise(env, &job->deferred, &promise) != napi_ok) return free(job), NULL;
  job->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (job->fd < 0) {
    napi_resolve_deferred(env, job->deferred, number(env, -errno));
    return free(job), promise;
  }
  if (napi_create_string_utf8(env, "weft:send", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_async_work(env, NULL, name, execute, complete, job, &job->work) != napi_ok ||
      napi_queue_async_work(env, job->work) != napi_ok) {
    napi_resolve_deferred(env, job->deferred, number(env, -EAGAIN));
    close(job->fd);
    return free(job), promise;
  }
  return promise;
}

void register_blocking(napi_env env, napi_value exports) {
  export_function(env, exports, "sendBlocking", sys_send_blocking);
}
