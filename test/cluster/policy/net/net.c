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
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net.h"

int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

void fail(const char *what) {
  fprintf(stderr, "net: %s: %s\n", what, strerror(errno));
  exit(2);
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  if (argc > 3 && strcmp(argv[1], "serve") == 0) serve(argv[2], argv + 3, argc - 3);
  if (argc == 2 && strcmp(argv[1], "ask") == 0) {
    ask_for_lines();
    return 0;
  }
  if (argc > 2) {
    for (int i = 2; i < argc; i++)
      if (!add_target(argv[i])) return 2;
    if (strcmp(argv[1], "once") == 0) return ask(0, false) ? 0 : 1;
    if (strcmp(argv[1], "ask") == 0)
      for (;;) ask(0, false);
  }
  fputs("usage: net serve <name> <port> … | net ask [<target> …] | net once <target> …\n", stderr);
  return 2;
}
