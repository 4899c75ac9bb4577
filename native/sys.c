/*
 * Weft's system calls for TypeScript: a Node-API addon and nothing above the call. A result is a number >= 0 or
 * -errno; a wrong argument throws a TypeError with the code WEFT_SYS_ARGUMENT. No libuv: Bun aborts on it.
 */
#include "sys.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>

bool refuse(napi_env env, const char *name, const char *expected) {
  char text[160];
  snprintf(text, sizeof text, "argument %s: expected %s", name, expected);
  napi_throw_type_error(env, "WEFT_SYS_ARGUMENT", text);
  return false;
}

bool arg_integer(napi_env env, napi_value value, const char *name, int64_t low, int64_t high, int64_t *out) {
  double given;
  if (napi_get_value_double(env, value, &given) != napi_ok || isnan(given) || given != trunc(given) ||
      given < (double)low || given > (double)high)
    return refuse(env, name, "an integer in range");
  *out = (int64_t)given;
  return true;
}

bool arg_int(napi_env env, napi_value value, const char *name, int *out) {
  int64_t wide;
  if (!arg_integer(env, value, name, INT_MIN, UINT_MAX, &wide)) return false;
  *out = (int)(uint32_t)wide;
  return true;
}

bool arg_fd(napi_env env, napi_value value, int *out) {
  int64_t wide;
  if (!arg_integer(env, value, "fd", 0, INT_MAX, &wide)) return false;
  *out = (int)wide;
  return true;
}

bool arg_bytes(napi_env env, napi_value value, const char *name, struct bytes *out) {
  bool typed = false;
  napi_typedarray_type type;
  void *data;
  size_t length;
  if (napi_is_typedarray(env, value, &typed) != napi_ok || !typed ||
      napi_get_typedarray_info(env, value, &type, &length, &data, NULL, NULL) != napi_ok ||
      type != napi_uint8_array || length > INT_MAX)
    return refuse(env, name, "a Uint8Array");
  out->data = data;
  out->length = data == NULL ? 0 : length;
  return true;
}

bool is_nullish(napi_env env, napi_value value) {
  napi_valuetype type;
  return napi_typeof(env, value, &type) == napi_ok && (type == napi_undefined || type == napi_null);
}

bool arg_string(napi_env env, napi_value value, const char *name, char *out, size_t size) {
  size_t length;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) return refuse(env, name, "a string");
  if (length >= size) return refuse(env, name, "a shorter string");
  if (napi_get_value_string_utf8(env, value, out, size, &length) != napi_ok) return refuse(env, name, "a string");
  for (size_t i = 0; i < length; i++)
    if (out[i] == '\0') return refuse(env, name, "a string without NUL");
  return true;
}

bool arg_optional_string(napi_env env, napi_value value, const char *name, char *out, size_t size, char **result) {
  *result = NULL;
  if (is_nullish(env, value)) return true;
  if (!arg_string(env, value, name, out, size)) return false;
  *result = out;
  return true;
}

napi_value number(napi_env env, double value) {
  napi_value out = NULL;
  napi_create_double(env, value, &out);
  return out;
}

/* The convention of every call: what it returned, or -errno. */
napi_value answer(napi_env env, long result) { return number(env, result < 0 ? -(double)errno : (double)result); }

void set_named(napi_env env, napi_value object, const char *name, napi_value value) {
  napi_set_named_property(env, object, name, value);
}

void export_function(napi_env env, napi_value exports, const char *name, napi_callback callback) {
  napi_value function;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, NULL, &function) == napi_ok)
    set_named(env, exports, name, function);
}

NAPI_MODULE_INIT() {
  register_socket(env, exports);
  register_message(env, exports);
  register_namespace(env, exports);
  register_files(env, exports);
  register_watch(env, exports);
  register_blocking(env, exports);
  return exports;
}
