/*
 * The CNI plugin: hands environment, standard input and the network namespace to the agent and prints its answer. Under the
 * name of a plugin that needs no agent it becomes the whole program where none runs. It decides nothing. The protocol is described in src/cni/wire.ts, every text comes from src/cni/error-table.ts.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "forwarder_texts.h"

#define SOCKET_PATH "/run/weft/cni.sock"
#define INPUT_SECONDS 10   /* the runtime has the input at hand: one that does not end is a mistake */
#define ANSWER_SECONDS 120 /* the agent makes links and waits for the switch */
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

static int64_t milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What WEFT_CNI_TIMEOUT says, from 1 to 120, or `otherwise`. */
static int timeout_seconds(int otherwise) {
  const char *text = getenv("WEFT_CNI_TIMEOUT");
  int seconds = text == NULL ? 0 : atoi(text);
  if (seconds <= 0) return otherwise;
  return seconds < ANSWER_SECONDS ? seconds : ANSWER_SECONDS;
}

static int64_t deadline_after(int seconds) { return milliseconds() + seconds * INT64_C(1000); }

/* Waits until there is something to read, an end or an error included; false if there is nothing by the deadline. */
static bool readable(int fd, int64_t deadline) {
  for (;;) {
    int64_t left = deadline - milliseconds();
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int ready = poll(&wait, 1, left > 0 ? (int)left : 0);
    if (ready >= 0 || errno != EINTR) return ready > 0;
  }
}

/* Reads standard input to its end; an errno, E2BIG or ETIMEDOUT. */
static int read_input(void) {
  int64_t deadline = deadline_after(timeout_seconds(INPUT_SECONDS));
  while (input_length <= WIRE_MAX_INPUT) {
    if (!readable(STDIN_FILENO, deadline)) return ETIMEDOUT;
    ssize_t count = read(STDIN_FILENO, input + input_length, sizeof input - input_length);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
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

/* A connected socket, or -1 with errno. Connecting and sending end after the time limit. */
static int connect_agent(void) {
  const char *path = getenv("WEFT_CNI_SOCKET");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct timeval limit = {.tv_sec = timeout_seconds(ANSWER_SECONDS)};
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

/* The length of the agent's answer: 0 if it went away, -1 if it took too long. */
static ssize_t receive_answer(int fd, int64_t deadline) {
  ssize_t length;
  do {
    if (!readable(fd, deadline)) return -1;
    length = recv(fd, answer, sizeof answer, MSG_TRUNC);
  } while (length < 0 && errno == EINTR);
  return length < 0 ? 0 : length;
}

static bool is_agentless(const char *program) {
  static const char *const names[] = {AGENTLESS};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(program, names[i]) == 0) return true;
  return false;
}

/*
 * Becomes the whole program under this name, with the input that was read; returns where that is not installed. It is never
 * looked for: not in PATH, not in the runtime's folder.
 */
static void become_program(const char *program) {
  const char *path = getenv("WEFT_PROGRAM");
  char *arguments[] = {(char *)program, NULL};
  if (path == NULL || *path != '/') path = PROGRAM_PATH;
  int file = memfd_create("cni-input", MFD_CLOEXEC);
  if (file < 0) return;
  print(file, input, input_length);
  if (lseek(file, 0, SEEK_SET) != 0 || dup2(file, STDIN_FILENO) < 0) return;
  signal(SIGPIPE, SIG_DFL);
  execv(path, arguments);
  signal(SIGPIPE, SIG_IGN);
}

static _Noreturn void fail_unconnected(int error, const char *program, const char *verb) {
  bool is_absent = error != EAGAIN && error != EACCES && error != EPERM;
  if (is_absent && is_agentless(program)) become_program(program);
  if (error == EAGAIN) fail(TEXT_AGENT_TIMEOUT);
  if (error == EACCES || error == EPERM) fail(TEXT_AGENT_FORBIDDEN);
  fail(strcmp(verb, "STATUS") == 0 ? TEXT_STATUS_AGENT_NOT_RUNNING : TEXT_AGENT_NOT_RUNNING);
}

int main(int argc, char **argv) {
  const char *verb = getenv("CNI_COMMAND"), *netns_path = getenv("CNI_NETNS");
  const char *program = argc > 0 ? argv[0] : "weft";
  size_t environment_length;
  signal(SIGPIPE, SIG_IGN);
  /* A descriptor below 3 that is closed would be given to the socket, which then were standard input or output. */
  for (int fd = 0; fd < 3; fd++)
    if (fcntl(fd, F_GETFD) < 0) open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
  if (strrchr(program, '/') != NULL) program = strrchr(program, '/') + 1;
  if (verb == NULL || *verb == '\0') return print(STDERR_FILENO, TEXT_ABOUT, strlen(TEXT_ABOUT)), 0;
  if (strcmp(verb, "VERSION") == 0) return read_input(), say(scan_version(NEWEST_VERSION), TEXT_VERSION), 0;

  int unread = read_input();
  /* What DEL has to free is in the environment; a DEL that fails is repeated for ever. */
  if (unread != 0 && unread != ETIMEDOUT && strcmp(verb, "DEL") == 0) input_length = 0, unread = 0;
  if (unread != 0) fail(unread == E2BIG ? TEXT_INPUT_TOO_LARGE : TEXT_INPUT_UNREADABLE);
  if (!collect_environment(&environment_length)) fail(TEXT_ENVIRONMENT_TOO_LARGE);

  /* Only now, with the input at hand: neither the agent nor its time limit waits for the runtime. */
  int64_t deadline = deadline_after(timeout_seconds(ANSWER_SECONDS));
  int agent = connect_agent();
  if (agent < 0) fail_unconnected(errno, program, verb);
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
