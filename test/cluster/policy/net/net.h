/* What the parts of the pods' program share: see net.c. */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define MOST_TARGETS 1024
#define REPEAT 300 /* what should be answered is asked again after so long, in ms; the kernel does it for TCP */

typedef union {
  struct sockaddr any;
  struct sockaddr_in four;
  struct sockaddr_in6 six;
} Address;

typedef struct {
  enum { TCP, UDP, ICMP } kind;
  Address address;
  socklen_t length;
  uint16_t number; /* tells its echo requests from others */
  char name[64];
  bool expected, is_news;
  int fd; /* -1: none */
  bool sent;
  char result;
  int64_t begun, asked; /* when it was asked first and last */
  int64_t answered;
} Target;

int64_t now(void); /* milliseconds since 1970 */
void fail(const char *what) __attribute__((noreturn));

void serve(const char *name, char **ports, int port_count) __attribute__((noreturn));

bool parse(char *text, Target *target);
void begin(Target *target);
void inquire(Target *target);
void hear(Target *target, short events);
void finish(Target *target, char result);

bool add_target(char *text);
bool ask(long number, bool has_input);
void ask_for_lines(void);
