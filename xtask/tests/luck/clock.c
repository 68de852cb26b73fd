/* Preloaded into the grader: the time of day jumps by JUMP_BY seconds after JUMP_AFTER ms. */

#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long milliseconds(void) {
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    static long first;
    int status = syscall(SYS_clock_gettime, clock, time);
    const char *after = getenv("JUMP_AFTER"), *by = getenv("JUMP_BY");
    if (first == 0) first = milliseconds();
    if (clock == CLOCK_REALTIME && after && by && milliseconds() - first > atol(after))
        time->tv_sec += atol(by);
    return status;
}
