/*
 * Readiness: one thread in epoll_wait tells JavaScript which descriptors became readable or writable. Every
 * registration is one-shot and carries a token, so that an event of a closed descriptor cannot reach its successor.
 */
#include "sys.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BATCH 64
#define STOP_TOKEN UINT64_MAX

struct watcher {
  int epoll;
  int stop;
  pthread_t thread;
  napi_threadsafe_function tell;
};

struct batch {
  int count;
  struct epoll_event events[BATCH];
};

/* On the JavaScript thread: onReady([token, events, token, events, ...]). */
static void deliver(napi_env env, napi_value callback, void *context, void *data) {
  (void)context;
  struct batch *batch = data;
  napi_value list, receiver;
  if (env != NULL && callback != NULL && napi_create_array(env, &list) == napi_ok &&
      napi_get_undefined(env, &receiver) == napi_ok) {
    for (int i = 0; i < batch->count; i++) {
      napi_set_element(env, list, (uint32_t)(2 * i), number(env, (double)batch->events[i].data.u64));
      napi_set_element(env, list, (uint32_t)(2 * i + 1), number(env, batch->events[i].events));
    }
    napi_call_function(env, receiver, callback, 1, &list, NULL);
  }
  free(batch);
}

static bool collect(struct watcher *watcher, struct batch *batch) {
  do batch->count = epoll_wait(watcher->epoll, batch->events, BATCH, -1);
  while (batch->count < 0 && errno == EINTR);
  if (batch->count < 0) return false;
  for (int i = 0; i < batch->count; i++)
    if (batch->events[i].data.u64 == STOP_TOKEN) return false;
  return true;
}

static void *run(void *data) {
  struct watcher *watcher = data;
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, NULL);
  for (;;) {
    struct batch *batch = malloc(sizeof *batch);
    if (batch == NULL) abort();
    if (!collect(watcher, batch) ||
        napi_call_threadsafe_function(watcher->tell, batch, napi_tsfn_nonblocking) != napi_ok) {
      free(batch);
      return NULL;
    }
  }
}

static void stop(void *data) {
  struct watcher *watcher = data;
  uint64_t one = 1;
  if (write(watcher->stop, &one, sizeof one) == sizeof one) pthread_join(watcher->thread, NULL);
  close(watcher->epoll);
  close(watcher->stop);
  napi_release_threadsafe_function(watcher->tell, napi_tsfn_abort);
  free(watcher);
}

static int prepare(struct watcher *watcher) {
  watcher->epoll = epoll_create1(EPOLL_CLOEXEC);
  watcher->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = STOP_TOKEN};
  if (watcher->epoll < 0 || watcher->stop < 0) return -1;
  return epoll_ctl(watcher->epoll, EPOLL_CTL_ADD, watcher->stop, &event);
}

/* watchStart(onReady): once per environment, before watch */
static napi_value sys_watch_start(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  napi_valuetype type;
  void *present = NULL;
  if (napi_typeof(env, argv[0], &type) != napi_ok || type != napi_function)
    return refuse(env, "onReady", "a function"), NULL;
  napi_get_instance_data(env, &present);
  if (present != NULL) return number(env, -EALREADY);
  struct watcher *watcher = calloc(1, sizeof *watcher);
  napi_value name;
  if (watcher == NULL) return number(env, -ENOMEM);
  if (prepare(watcher) < 0 || napi_create_string_utf8(env, "weft:watch", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_threadsafe_function(env, argv[0], NULL, name, 0, 1, NULL, NULL, NULL, deliver, &watcher->tell) !=
          napi_ok) {
    close(watcher->epoll);
    close(watcher->stop);
    return free(watcher), number(env, -EAGAIN);
  }
  napi_unref_threadsafe_function(env, watcher->tell);
  int failed = pthread_create(&watcher->thread, NULL, run, watcher);
  if (failed != 0) {
    napi_release_threadsafe_function(watcher->tell, napi_tsfn_abort);
    close(watcher->epoll);
    close(watcher->stop);
    return free(watcher), number(env, -failed);
  }
  napi_set_instance_data(env, watcher, NULL, NULL);
  napi_add_env_cleanup_hook(env, stop, watcher);
  return number(env, 0);
}

static napi_value control(napi_env env, napi_callback_info info, int operation) {
  ARGUMENTS(3);
  int fd;
  int64_t events, token;
  void *watcher = NULL;
  if (!arg_fd(env, argv[0], &fd) || !arg_integer(env, argv[1], "events", 0, UINT32_MAX, &events) ||
      !arg_integer(env, argv[2], "token", 0, INT64_C(1) << 52, &token))
    return NULL;
  napi_get_instance_data(env, &watcher);
  if (watcher == NULL) return number(env, -ENOTCONN);
  struct epoll_event event = {.events = (uint32_t)events | EPOLLONESHOT, .data.u64 = (uint64_t)token};
  return answer(env, epoll_ctl(((struct watcher *)watcher)->epoll, operation, fd, &event));
}

/* watch(fd, events, token), one-shot */
static napi_value sys_watch(napi_env env, napi_callback_info info) { return control(env, info, EPOLL_CTL_ADD); }

/* rearm(fd, events, token) after an event */
static napi_value sys_rearm(napi_env env, napi_callback_info info) { return control(env, info, EPOLL_CTL_MOD); }

/* unwatch(fd) */
static napi_value sys_unwatch(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  int fd;
  void *watcher = NULL;
  if (!arg_fd(env, argv[0], &fd)) return NULL;
  napi_get_instance_data(env, &watcher);
  if (watcher == NULL) return number(env, -ENOTCONN);
  return answer(env, epoll_ctl(((struct watcher *)watcher)->epoll, EPOLL_CTL_DEL, fd, NULL));
}

/* watchHold(hold: 0 | 1): does the watcher keep the program alive? */
static napi_value sys_watch_hold(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  int hold;
  void *data = NULL;
  if (!arg_int(env, argv[0], "hold", &hold)) return NULL;
  napi_get_instance_data(env, &data);
  if (data == NULL) return number(env, -ENOTCONN);
  struct watcher *watcher = data;
  if (hold != 0)
    napi_ref_threadsafe_function(env, watcher->tell);
  else
    napi_unref_threadsafe_function(env, watcher->tell);
  return number(env, 0);
}

void register_watch(napi_env env, napi_value exports) {
  export_function(env, exports, "watchStart", sys_watch_start);
  export_function(env, exports, "watch", sys_watch);
  export_function(env, exports, "rearm", sys_rearm);
  export_function(env, exports, "unwatch", sys_unwatch);
  export_function(env, exports, "watchHold", sys_watch_hold);
}
