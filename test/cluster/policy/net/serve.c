/* Says its name to whoever asks. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net.h"

#define MOST_CLIENTS 512

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

void serve(const char *name, char **ports, int port_count) {
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
