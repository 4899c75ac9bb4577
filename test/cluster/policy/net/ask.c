/* Rounds of questions. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net.h"

#define BUDGET 1000  /* silence for so long is a no */
#define LONGEST 4000 /* what should be answered is waited for: a busy machine is no policy */
#define SPREAD 600   /* so long it takes until everybody was asked */
#define PAUSE 100    /* between two rounds */

static Target targets[MOST_TARGETS];
static size_t count;

bool add_target(char *text) {
  if (count == MOST_TARGETS || !parse(text, &targets[count])) return false;
  targets[count].number = (uint16_t)count;
  count++;
  return true;
}

static void take(char *list) {
  count = 0;
  for (char *word; (word = strsep(&list, " \n")) != NULL;) {
    if (*word == '\0') continue;
    if (!add_target(word)) {
      fprintf(stderr, "net: %s is no target\n", word);
      exit(2);
    }
  }
}

bool ask(long number, bool has_input) {
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
      for (size_t i = 0; i < count; i++) finish(&targets[i], 0);
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
    finish(&targets[i], 0);
  }
  if (fflush(stdout) != 0) exit(1);
  return is_right;
}

void ask_for_lines(void) {
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
