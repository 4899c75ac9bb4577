/* A question to one address. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net.h"

bool parse(char *text, Target *target) {
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

static uint16_t checksum(const void *bytes, size_t length) {
  const uint16_t *words = bytes;
  uint32_t sum = 0;
  for (size_t i = 0; i < length / 2; i++) sum += words[i];
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)~sum;
}

/* Echo requests are told apart by their number: the target's. */
static bool ping(const Target *target) {
  struct icmphdr echo = {.type = ICMP_ECHO, .un.echo = {.id = htons((uint16_t)getpid()), .sequence = htons(target->number)}};
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
         echo.un.echo.sequence == htons(target->number);
}

void finish(Target *target, char result) {
  if (target->fd >= 0) close(target->fd);
  target->fd = -1;
  target->result = result;
  target->answered = now();
}

/* Datagrams get lost. */
void inquire(Target *target) {
  target->asked = now();
  if (target->fd < 0) return;
  if (target->kind == UDP && send(target->fd, "?", 1, 0) > 0) target->sent = true;
  if (target->kind == ICMP && ping(target)) target->sent = true;
}

void begin(Target *target) {
  static const int types[] = {[TCP] = SOCK_STREAM, [UDP] = SOCK_DGRAM, [ICMP] = SOCK_RAW};
  int family = target->address.any.sa_family;
  int protocol = target->kind != ICMP ? 0 : family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
  finish(target, 0);
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

void hear(Target *target, short events) {
  char bytes[2048];
  bool is_first = target->kind == TCP && !target->sent && (events & POLLOUT);
  /* A refusal is told once: by the first call that meets it. */
  if (is_first) target->sent = send(target->fd, "GET / HTTP/1.0\r\n\r\n", 18, MSG_NOSIGNAL) > 0;
  if (is_first && target->sent) return;
  ssize_t length = is_first ? -1 : recv(target->fd, bytes, sizeof bytes - 1, 0);
  if (length < 0) {
    if (errno == ECONNREFUSED || errno == ECONNRESET) finish(target, 'r');
    /* Any other error is as good as silence: it is tried again, or not, when its time is over. */
    else if (errno != EAGAIN) close(target->fd), target->fd = -1;
    return;
  }
  if (target->kind == ICMP) {
    if (is_pong(target, bytes, length)) finish(target, 'y');
    return;
  }
  bytes[length] = '\0';
  char *body = strstr(bytes, "\r\n\r\n");
  char *name = body == NULL ? bytes : body + 4;
  name[strcspn(name, "\n")] = '\0';
  finish(target, strcmp(name, target->name) == 0 ? 'y' : 'o');
}
