/* What the files of the addon share: argument checks and the entry points each file registers. */
#ifndef WEFT_SYS_H
#define WEFT_SYS_H

#include <errno.h>
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARGUMENTS(count)                                                                                               \
  napi_value argv[count];                                                                                              \
  size_t argc = (count);                                                                                               \
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok) return NULL

struct bytes {
  uint8_t *data;
  size_t length;
};

/* Each returns false after throwing a TypeError with the code WEFT_SYS_ARGUMENT. */
bool arg_integer(napi_env env, napi_value value, const char *name, int64_t low, int64_t high, int64_t *out);
bool arg_int(napi_env env, napi_value value, const char *name, int *out);
bool arg_fd(napi_env env, napi_value value, int *out);
bool arg_bytes(napi_env env, napi_value value, const char *name, struct bytes *out);
bool arg_optional_string(napi_env env, napi_value value, const char *name, char *out, size_t size, char **result);
bool arg_string(napi_env env, napi_value value, const char *name, char *out, size_t size);
bool refuse(napi_env env, const char *name, const char *expected);

napi_value number(napi_env env, double value);
napi_value answer(napi_env env, long result);
bool is_nullish(napi_env env, napi_value value);
void set_named(napi_env env, napi_value object, const char *name, napi_value value);
void export_function(napi_env env, napi_value exports, const char *name, napi_callback callback);

void register_socket(napi_env env, napi_value exports);
void register_message(napi_env env, napi_value exports);
void register_namespace(napi_env env, napi_value exports);
void register_files(napi_env env, napi_value exports);
void register_watch(napi_env env, napi_value exports);
void register_blocking(napi_env env, napi_value exports);

#endif
