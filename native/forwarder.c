/*
 * The CNI plugin: hands environment, standard input and the network namespace to the agent and prints its answer.
 * It decides nothing. The protocol is described in src/cni/wire.ts, every text comes from src/cni/error-table.ts.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "forwarder_texts.h"

#define SOCKET_PATH "/run/weft/cni.sock"
#define TIMEOUT_SECONDS 120
#define SMALL_MESSAGE 131072 /* fits into the default send buffer of every kernel */

extern char **environ;

static unsigned char input[WIRE_MAX_INPUT + 1], answer[WIRE_MAX_REPLY];
static char environment[WIRE_MAX_ENVIRONMENT];
static size_t input_length;

static void print(int fd, const void *bytes, size_t length) {
  for (const char *at = bytes; length > 0;) {
    ssize_t count = write(fd, at, length);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) _exit(1);
    at += count, length -= (size_t)count;
  }
}

static size_t skip_space(size_t at) {
  while (at < input_length && (input[at] == ' ' || (input[at] >= '\t' && input[at] <= '\r'))) at++;
  return at;
}

static bool input_has(size_t at, const char *text) {
  size_t length = strlen(text);
  return at <= input_length && input_length - at >= length && memcmp(input + at, text, length) == 0;
}

static size_t string_end(size_t at) { /* `at` is behind the opening quote; the answer is behind the closing one */
  for (; at < input_length; at++) {
    if (input[at] == '"') return at + 1;
    if (input[at] == '\\') at++;
  }
  return input_length;
}

/* The known version in the outermost object's cniVersion, or `otherwise`. */
static const char *scan_version(const char *otherwise) {
  static const char *const versions[] = {VERSIONS};
  const char *found = otherwise;
  unsigned depth = 0;
  for (size_t at = 0; at < input_length;) {
    size_t key = at;
    unsigned char byte = input[at++];
    if (byte == '{' || byte == '[') depth++;
    if ((byte == '}' || byte == ']') && depth-- <= 1) break;
    if (byte != '"') continue;
    at = string_end(at);
    if (depth != 1 || !input_has(key, "\"cniVersion\"")) continue;
    size_t value = skip_space(at);
    if (value >= input_length || input[value] != ':') continue;
    value = skip_space(value + 1);
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
      if (input_has(value, "\"") && input_has(value + 1, versions[i]) && input_has(value + 1 + strlen(versions[i]), "\""))
        found = versions[i];
  }
  return found;
}

static void say(const char *version, const char *text) {
  print(STDOUT_FILENO, TEXT_HEAD, strlen(TEXT_HEAD));
  print(STDOUT_FILENO, version, strlen(version));
  print(STDOUT_FILENO, text, strlen(text));
}

static _Noreturn void fail(const char *text) {
  say(scan_version(FALLBACK_VERSION), text);
  _exit(1);
}

/* Reads standard input to its end; an errno, or E2BIG. */
static int read_input(void) {
  while (input_length <= WIRE_MAX_INPUT) {
    ssize_t count = read(STDIN_FILENO, input + input_length, sizeof input - input_length);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    if (count == 0) return 0;
    input_length += (size_t)count;
  }
  return E2BIG;
}

/* All CNI_ variables, each ended by a NUL; false if they do not fit. */
static bool collect_environment(size_t *length) {
  *length = 0;
  for (char **variable = environ; *variable != NULL; variable++) {
    size_t size = strlen(*variable) + 1;
    if (strncmp(*variable, "CNI_", 4) != 0 || strchr(*variable, '=') == NULL) continue;
    if (size > sizeof environment - *length) return false;
    memcpy(environment + *length, *variable, size);
    *length += size;
  }
  return true;
}

static int timeout_seconds(void) {
  const char *text = getenv("WEFT_CNI_TIMEOUT");
  int seconds = text == NULL ? 0 : atoi(text);
  return seconds > 0 && seconds < TIMEOUT_SECONDS ? seconds : TIMEOUT_SECONDS;
}

/* A connected socket, or -1 with errno. Connecting and sending end after the time limit. */
static int connect_agent(void) {
  const char *path = getenv("WEFT_CNI_SOCKET");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct timeval limit = {.tv_sec = timeout_seconds()};
  if (path == NULL || *path == '\0') path = SOCKET_PATH;
  if (strlen(path) >= sizeof address.sun_path) return errno = ENAMETOOLONG, -1;
  memcpy(address.sun_path, path, strlen(path));
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  while (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
    if (errno != EINTR) return -1;
  return fd;
}

static void put32(unsigned char *at, size_t value) {
  for (int i = 0; i < 4; i++) at[i] = (unsigned char)(value >> (8 * i));
}

/* Sends the request in one message; 0 or an errno. */
static int send_request(int fd, const char *program, size_t environment_length, int netns) {
  unsigned char header[WIRE_HEADER] = WIRE_MAGIC;
  size_t program_length = strnlen(program, WIRE_MAX_PROGRAM);
  struct iovec parts[] = {{header, sizeof header},
                          {(char *)program, program_length},
                          {environment, environment_length},
                          {input, input_length}};
  union {
    char bytes[CMSG_SPACE(sizeof netns)];
    struct cmsghdr aligned;
  } control = {{0}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = sizeof parts / sizeof *parts};
  int size = (int)(sizeof header + program_length + environment_length + input_length + 4096);
  put32(header + 8, netns >= 0 ? WIRE_FLAG_NETNS : 0);
  put32(header + 12, program_length);
  put32(header + 16, environment_length);
  put32(header + 20, input_length);
  if (netns >= 0) {
    message.msg_control = &control;
    message.msg_controllen = sizeof control.bytes;
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof netns);
    memcpy(CMSG_DATA(rights), &netns, sizeof netns);
  }
  if (size > SMALL_MESSAGE && setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) != 0)
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  while (sendmsg(fd, &message, MSG_NOSIGNAL) < 0)
    if (errno != EINTR) return errno;
  return 0;
}

static int64_t milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The length of the agent's answer: 0 if it went away, -1 if it took too long. */
static ssize_t receive_answer(int fd, int64_t deadline) {
  for (;;) {
    int64_t left = deadline - milliseconds();
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int ready = poll(&wait, 1, left > 0 ? (int)left : 0);
    if (ready == 0) return -1;
    if (ready > 0) {
      ssize_t length = recv(fd, answer, sizeof answer, MSG_TRUNC);
      if (length >= 0) return length;
    }
    if (errno != EINTR) return 0;
  }
}

static _Noreturn void fail_unconnected(int error, const char *verb) {
  if (error == EAGAIN) fail(TEXT_AGENT_TIMEOUT);
  if (error == EACCES || error == EPERM) fail(TEXT_AGENT_FORBIDDEN);
  fail(strcmp(verb, "STATUS") == 0 ? TEXT_STATUS_AGENT_NOT_RUNNING : TEXT_AGENT_NOT_RUNNING);
}

int main(int argc, char **argv) {
  const char *verb = getenv("CNI_COMMAND"), *netns_path = getenv("CNI_NETNS");
  const char *program = argc > 0 ? argv[0] : "weft";
  int64_t deadline = milliseconds() + timeout_seconds() * INT64_C(1000);
  size_t environment_length;
  signal(SIGPIPE, SIG_IGN);
  /* A descriptor below 3 that is closed would be given to the socket, which then were standard input or output. */
  for (int fd = 0; fd < 3; fd++)
    if (fcntl(fd, F_GETFD) < 0) open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
  if (strrchr(program, '/') != NULL) program = strrchr(program, '/') + 1;
  if (verb == NULL || *verb == '\0') return print(STDERR_FILENO, TEXT_ABOUT, strlen(TEXT_ABOUT)), 0;
  if (strcmp(verb, "VERSION") == 0) return read_input(), say(scan_version(NEWEST_VERSION), TEXT_VERSION), 0;

  int agent = connect_agent(), unconnected = agent < 0 ? errno : 0;
  int unread = read_input();
  if (unread != 0) fail(unread == E2BIG ? TEXT_INPUT_TOO_LARGE : TEXT_INPUT_UNREADABLE);
  if (unconnected != 0) fail_unconnected(unconnected, verb);
  if (!collect_environment(&environment_length)) fail(TEXT_ENVIRONMENT_TOO_LARGE);

  /* Opened here, as the path may mean something else where the agent runs. Without O_NONBLOCK a pipe would stop us. */
  int netns = netns_path == NULL ? -1 : open(netns_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  int unsent = send_request(agent, program, environment_length, netns);
  if (unsent == EMSGSIZE || unsent == ENOBUFS || unsent == ENOMEM) fail(TEXT_REQUEST_UNSENDABLE);
  if (unsent != 0) fail(unsent == EAGAIN ? TEXT_AGENT_TIMEOUT : TEXT_AGENT_VANISHED);
  ssize_t length = receive_answer(agent, deadline);
  if (length <= 0) fail(length == 0 ? TEXT_AGENT_VANISHED : TEXT_AGENT_TIMEOUT);
  if ((size_t)length > sizeof answer) fail(TEXT_REPLY_INVALID);
  print(STDOUT_FILENO, answer + 1, (size_t)length - 1);
  return answer[0];
}
