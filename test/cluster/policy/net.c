/*
 * The program of pods that policies are tried on: it serves, and it asks others. Static, so that an image needs no more.
 *
 *   net serve <name> <port> …   says its name to whoever asks, by TCP (as HTTP does) and UDP; prints who asked by UDP
 *   net ask <target> …          asks again and again, and prints what came; ends never
 *   net ask                     the same, told by lines of standard input; ends with it
 *   net once <target> …         asks once; its exit status says whether all came as expected
 *
 * A target is <tcp|udp|icmp>,<address>,<port>,<name>,<no|yes|news>: who should answer, and whether. What should be silent and
 * what is news is asked at once, all else bit by bit: hundreds of connections at a time are more than a switch in user
 * space takes when its machine is busy. A line of input is
 * <number> <target> …, and takes the place of the one before; a number alone: ask nobody. Each round prints
 * <number> <start> <last> <results>, in milliseconds since 1970: when it began, and when the last answer came for which a
 * question had to be repeated. A result is y (the right one answered), o (another one), r (refused), n (silence).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST_TARGETS 1024
#define MOST_CLIENTS 512
#define BUDGET 1000 /* silence for so long is a no */
#define LONGEST 4000 /* what should be answered is waited for: a busy machine is no policy */
#define REPEAT 300  /* what should be answered is asked again after so long; the kernel does it for TCP */
#define SPREAD 600 /* so long it takes until everybody was asked */
#define PAUSE 100  /* between two rounds */

typedef union {
  struct sockaddr any;
  struct sockaddr_in four;
  struct sockaddr_in6 six;
} Address;

typedef struct {
  enum { TCP, UDP, ICMP } kind;
  Address address;
  socklen_t length;
  char name[64];
  bool expected, is_news;
  int fd; /* -1: none */
  bool sent;
  char result;
  int64_t begun, asked; /* when it was asked first and last */
  int64_t answered;
} Target;

static Target targets[MOST_TARGETS];
static size_t count;

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void fail(const char *what) {
  fprintf(stderr, "net: %s: %s\n", what, strerror(errno));
  exit(2);
}

/* ---- serving ---- */

static int listener(int type, int port) {
  int fd = socket(AF_INET6, type | SOCK_NONBLOCK, 0), on = 1, off = 0;
  if (fd < 0) fail("socket");
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = in6addr_any};
  if (bind(fd, (struct sockaddr *)&any, sizeof any) < 0) fail("bind");
  if (type == SOCK_STREAM && listen(fd, MOST_CLIENTS) < 0) fail("listen");
  return fd;
}

/* Prints an address the first time that it is seen. */
static void note(const struct sockaddr_in6 *from) {
  static struct in6_addr seen[1024];
  static size_t known;
  for (size_t i = 0; i < known; i++)
    if (memcmp(&seen[i], &from->sin6_addr, sizeof seen[i]) == 0) return;
  if (known == sizeof seen / sizeof *seen) return;
  seen[known++] = from->sin6_addr;
  char text[INET6_ADDRSTRLEN];
  inet_ntop(AF_INET6, &from->sin6_addr, text, sizeof text);
  printf("asked by %s\n", strncmp(text, "::ffff:", 7) == 0 ? text + 7 : text);
  fflush(stdout);
}

static void greet_datagrams(int fd, const char *name) {
  char bytes[64];
  struct sockaddr_in6 from;
  socklen_t length = sizeof from;
  while (recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &length) >= 0) {
    note(&from);
    sendto(fd, name, strlen(name), 0, (struct sockaddr *)&from, length);
    length = sizeof from;
  }
}

static void serve(const char *name, char **ports, int port_count) {
  struct pollfd polled[2 * 16 + MOST_CLIENTS];
  int fixed = 0, next = 0;
  for (int i = 0; i < port_count && i < 16; i++) {
    polled[fixed++] = (struct pollfd){.fd = listener(SOCK_STREAM, atoi(ports[i])), .events = POLLIN};
    polled[fixed++] = (struct pollfd){.fd = listener(SOCK_DGRAM, atoi(ports[i])), .events = POLLIN};
  }
  struct pollfd *clients = polled + fixed;
  for (int i = 0; i < MOST_CLIENTS; i++) clients[i] = (struct pollfd){.fd = -1, .events = POLLIN};
  printf("%s serves\n", name);
  fflush(stdout);
  for (;;) {
    if (poll(polled, (nfds_t)(fixed + MOST_CLIENTS), -1) < 0 && errno != EINTR) fail("poll");
    for (int i = 0; i < MOST_CLIENTS; i++) {
      if (clients[i].fd < 0 || clients[i].revents == 0) continue;
      char bytes[2048];
      if (read(clients[i].fd, bytes, sizeof bytes) > 0) {
        int size = snprintf(bytes, sizeof bytes, "HTTP/1.0 200 OK\r\nContent-Length: %zu\r\n\r\n%s\n", strlen(name) + 1, name);
        if (write(clients[i].fd, bytes, (size_t)size) < 0) clients[i].revents = 0;
      }
      close(clients[i].fd);
      clients[i].fd = -1;
    }
    for (int i = 0; i < fixed; i += 2) {
      for (int fd; (fd = accept4(polled[i].fd, NULL, NULL, SOCK_NONBLOCK)) >= 0; next = (next + 1) % MOST_CLIENTS) {
        /* Whoever was silent for longest makes room. */
        if (clients[next].fd >= 0) close(clients[next].fd);
        clients[next] = (struct pollfd){.fd = fd, .events = POLLIN};
      }
      greet_datagrams(polled[i + 1].fd, name);
    }
  }
}

/* ---- asking ---- */

static bool parse(char *text, Target *target) {
  char *kind = strsep(&text, ","), *address = strsep(&text, ","), *port = strsep(&text, ","), *name = strsep(&text, ",");
  if (kind == NULL || address == NULL || port == NULL || name == NULL || text == NULL) return false;
  *target = (Target){.kind = *kind == 't' ? TCP : *kind == 'u' ? UDP : ICMP, .expected = strcmp(text, "no") != 0, .is_news = strcmp(text, "news") == 0, .fd = -1};
  snprintf(target->name, sizeof target->name, "%s", name);
  bool is_six = strchr(address, ':') != NULL;
  /* A raw socket has a protocol where others have a port. */
  in_port_t number = target->kind == ICMP ? 0 : htons((uint16_t)atoi(port));
  if (is_six) {
    target->address.six.sin6_family = AF_INET6;
    target->address.six.sin6_port = number;
    target->length = sizeof target->address.six;
    return inet_pton(AF_INET6, address, &target->address.six.sin6_addr) == 1;
  }
  target->address.four.sin_family = AF_INET;
  target->address.four.sin_port = number;
  target->length = sizeof target->address.four;
  return inet_pton(AF_INET, address, &target->address.four.sin_addr) == 1;
}

static void take(char *list) {
  count = 0;
  for (char *word; (word = strsep(&list, " \n")) != NULL;) {
    if (*word == '\0') continue;
    if (count == MOST_TARGETS || !parse(word, &targets[count++])) {
      fprintf(stderr, "net: %s is no target\n", word);
      exit(2);
    }
  }
}

static uint16_t checksum(const void *bytes, size_t length) {
  const uint16_t *words = bytes;
  uint32_t sum = 0;
  for (size_t i = 0; i < length / 2; i++) sum += words[i];
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)~sum;
}

/* Echo requests are told apart by their number: the target's. */
static bool ping(const Target *target) {
  struct icmphdr echo = {.type = ICMP_ECHO, .un.echo = {.id = htons((uint16_t)getpid()), .sequence = htons((uint16_t)(target - targets))}};
  if (target->address.any.sa_family == AF_INET6) echo.type = ICMP6_ECHO_REQUEST;
  else echo.checksum = checksum(&echo, sizeof echo);
  return send(target->fd, &echo, sizeof echo, 0) > 0;
}

static bool is_pong(const Target *target, const char *bytes, ssize_t length) {
  bool is_six = target->address.any.sa_family == AF_INET6;
  if (!is_six && length > 0) {
    ssize_t header = (bytes[0] & 0xf) * 4;
    bytes += header, length -= header;
  }
  struct icmphdr echo;
  if (length < (ssize_t)sizeof echo) return false;
  memcpy(&echo, bytes, sizeof echo);
  return echo.type == (is_six ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY) && echo.un.echo.id == htons((uint16_t)getpid()) &&
         echo.un.echo.sequence == htons((uint16_t)(target - targets));
}

static void end(Target *target, char result) {
  if (target->fd >= 0) close(target->fd);
  target->fd = -1;
  target->result = result;
  target->answered = now();
}

/* Datagrams get lost. */
static void inquire(Target *target) {
  target->asked = now();
  if (target->fd < 0) return;
  if (target->kind == UDP && send(target->fd, "?", 1, 0) > 0) target->sent = true;
  if (target->kind == ICMP && ping(target)) target->sent = true;
}

static void begin(Target *target) {
  static const int types[] = {[TCP] = SOCK_STREAM, [UDP] = SOCK_DGRAM, [ICMP] = SOCK_RAW};
  int family = target->address.any.sa_family;
  int protocol = target->kind != ICMP ? 0 : family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
  end(target, 0);
  target->sent = false;
  target->begun = now();
  target->fd = socket(family, types[target->kind] | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  if (target->fd < 0) fail("socket");
  /* Without a route there is silence, too. */
  /* Left to itself the kernel gives connections to a service and to its endpoint ports that follow each other: whoever got one
     for the endpoint gets the same for the service soon after, and the switch has only one connection of such ends. */
  Address own = {.any.sa_family = (sa_family_t)family};
  if (target->kind == TCP && bind(target->fd, &own.any, target->length) < 0) fail("bind");
  if (connect(target->fd, &target->address.any, target->length) < 0 && errno != EINPROGRESS) close(target->fd), target->fd = -1;
  inquire(target);
}

static void hear(Target *target, short events) {
  char bytes[2048];
  bool is_first = target->kind == TCP && !target->sent && (events & POLLOUT);
  /* A refusal is told once: by the first call that meets it. */
  if (is_first) target->sent = send(target->fd, "GET / HTTP/1.0\r\n\r\n", 18, MSG_NOSIGNAL) > 0;
  if (is_first && target->sent) return;
  ssize_t length = is_first ? -1 : recv(target->fd, bytes, sizeof bytes - 1, 0);
  if (length < 0) {
    if (errno == ECONNREFUSED || errno == ECONNRESET) end(target, 'r');
    /* Any other error is as good as silence: it is tried again, or not, when its time is over. */
    else if (errno != EAGAIN) close(target->fd), target->fd = -1;
    return;
  }
  if (target->kind == ICMP) {
    if (is_pong(target, bytes, length)) end(target, 'y');
    return;
  }
  bytes[length] = '\0';
  char *body = strstr(bytes, "\r\n\r\n");
  char *name = body == NULL ? bytes : body + 4;
  name[strcspn(name, "\n")] = '\0';
  end(target, strcmp(name, target->name) == 0 ? 'y' : 'o');
}

/* One round, or a part of one when there is input. */
static bool ask(long number, bool has_input) {
  static struct pollfd polled[MOST_TARGETS + 1];
  int64_t start = now(), last = 0;
  for (size_t i = 0; i < count; i++) {
    targets[i].begun = 0;
    if (!targets[i].expected || targets[i].is_news) begin(&targets[i]);
  }
  for (bool is_over = false; !is_over;) {
    int64_t time = now();
    bool is_wrong = false, is_open = false;
    for (size_t i = 0; i < count; i++) {
      Target *target = &targets[i];
      if (target->begun == 0) {
        if (time - start >= (int64_t)i * SPREAD / (int64_t)count) begin(target);
        is_open = true;
      } else if (target->result != 0) is_wrong |= !target->expected;
      else if (time - target->begun < (target->expected ? LONGEST : BUDGET)) {
        if (time - target->asked >= REPEAT) inquire(target);
        is_open = true;
      }
      short events = target->kind == TCP && !target->sent ? POLLIN | POLLOUT : POLLIN;
      polled[i] = (struct pollfd){.fd = target->begun != 0 && target->result == 0 ? target->fd : -1, .events = events};
    }
    /* What should be silent and is not decides the round. */
    if ((is_over = is_wrong || !is_open)) break;
    polled[count] = (struct pollfd){.fd = has_input ? STDIN_FILENO : -1, .events = POLLIN};
    if (poll(polled, (nfds_t)count + 1, 10) < 0 && errno != EINTR) fail("poll");
    if (polled[count].revents != 0) {
      for (size_t i = 0; i < count; i++) end(&targets[i], 0);
      return false;
    }
    for (size_t i = 0; i < count; i++)
      if (polled[i].revents != 0) hear(&targets[i], polled[i].revents);
  }
  printf("%ld %lld ", number, (long long)start);
  for (size_t i = 0; i < count; i++)
    if (targets[i].result != 0 && targets[i].answered - targets[i].begun > REPEAT && targets[i].answered > last) last = targets[i].answered;
  printf("%lld ", (long long)(last > start ? last : start));
  for (size_t i = 0; i < count; i++) putchar(targets[i].result == 0 ? 'n' : targets[i].result);
  putchar('\n');
  bool is_right = true;
  for (size_t i = 0; i < count; i++) {
    is_right &= targets[i].result == (targets[i].expected ? 'y' : 0);
    end(&targets[i], 0);
  }
  if (fflush(stdout) != 0) exit(1);
  return is_right;
}

static void ask_for_lines(void) {
  static char line[256 * 1024];
  size_t length = 0;
  long number = 0;
  for (;;) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    if (poll(&input, 1, count == 0 ? -1 : PAUSE) > 0) {
      ssize_t got = read(STDIN_FILENO, line + length, sizeof line - 1 - length);
      if (got <= 0) return;
      length += (size_t)got;
      line[length] = '\0';
      for (char *end; (end = strchr(line, '\n')) != NULL;) {
        char *list = line;
        *end = '\0';
        number = strtol(line, &list, 10);
        take(list);
        length -= (size_t)(end + 1 - line);
        memmove(line, end + 1, length + 1);
      }
    }
    /* A line that comes in parts is not waited for with rounds that nobody wants. */
    if (count > 0 && length == 0) ask(number, true);
  }
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  if (argc > 3 && strcmp(argv[1], "serve") == 0) serve(argv[2], argv + 3, argc - 3);
  if (argc == 2 && strcmp(argv[1], "ask") == 0) {
    ask_for_lines();
    return 0;
  }
  if (argc > 2) {
    for (int i = 2; i < argc && count < MOST_TARGETS; i++)
      if (!parse(argv[i], &targets[count++])) return 2;
    if (strcmp(argv[1], "once") == 0) return ask(0, false) ? 0 : 1;
    if (strcmp(argv[1], "ask") == 0)
      for (;;) ask(0, false);
  }
  fputs("usage: net serve <name> <port> … | net ask [<target> …] | net once <target> …\n", stderr);
  return 2;
}
