#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static const char *mode;
static int is(const char *word) { return strcmp(mode, word) == 0; }
static void ready(void) { puts("ready"); fflush(stdout); }
static void woken(int signal) { (void)signal; }

static int listener(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    bind(fd, (struct sockaddr *)&address, sizeof address);
    listen(fd, 5);
    return fd;
}

// Its other end said one byte, or nothing.
static int connection(int says) {
    int listening = listener();
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    getsockname(listening, (struct sockaddr *)&address, &length);
    int other = socket(AF_INET, SOCK_STREAM, 0);
    connect(other, (struct sockaddr *)&address, length);
    if (says) send(other, "x", 1, 0);
    return accept(listening, NULL, NULL);
}

static int pair(int with_timeout) {
    static int fds[2];
    struct timeval later = {60, 0};
    socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
    if (with_timeout) setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &later, sizeof later);
    return fds[0];
}

static void *work(void *leader) {
    char byte;
    pthread_join(*(pthread_t *)leader, NULL);
    int fd = is("zombie_leader_accepts") ? listener() : pair(is("zombie_leader_times_out"));
    ready();
    if (is("zombie_leader_accepts")) accept(fd, NULL, NULL);
    recv(fd, &byte, 1, 0);
    return NULL;
}

int main(int argc, char **argv) {
    char byte;
    sigset_t signals;
    struct itimerspec later = {.it_value = {60, 0}};
    mode = argc > 1 ? argv[1] : "";
    sigemptyset(&signals);
    sigaddset(&signals, SIGALRM);
    if (strncmp(mode, "zombie_leader", 13) == 0) {
        static pthread_t leader, thread;
        leader = pthread_self();
        pthread_create(&thread, NULL, work, &leader);
        pthread_exit(NULL);
    }
    if (is("sigwait")) {
        int number;
        sigprocmask(SIG_BLOCK, &signals, NULL);
        alarm(60);
        ready();
        sigwait(&signals, &number);
    } else if (is("signalfd")) {
        sigprocmask(SIG_BLOCK, &signals, NULL);
        struct signalfd_siginfo came;
        int fd = signalfd(-1, &signals, 0);
        alarm(60);
        ready();
        return read(fd, &came, sizeof came);
    } else if (is("timerfd")) {
        uint64_t times;
        int fd = timerfd_create(CLOCK_MONOTONIC, 0);
        timerfd_settime(fd, 0, &later, NULL);
        ready();
        return read(fd, &times, sizeof times);
    } else if (is("timerfd_in_epoll")) {
        int fd = timerfd_create(CLOCK_MONOTONIC, 0), loop = epoll_create1(0);
        struct epoll_event event = {.events = EPOLLIN};
        timerfd_settime(fd, 0, &later, NULL);
        epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event);
        ready();
        epoll_wait(loop, &event, 1, -1);
    } else if (is("alarm")) {
        struct sigaction action = {.sa_handler = woken};
        sigaction(SIGALRM, &action, NULL);
        alarm(60);
        ready();
        return recv(pair(0), &byte, 1, 0);
    } else if (is("posix_timer")) {
        struct sigaction action = {.sa_handler = woken};
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
        timer_t timer;
        sigaction(SIGUSR1, &action, NULL);
        timer_create(CLOCK_MONOTONIC, &event, &timer);
        timer_settime(timer, 0, &later, NULL);
        ready();
        return recv(pair(0), &byte, 1, 0);
    } else if (is("receive_timeout")) {
        ready();
        return recv(pair(1), &byte, 1, 0);
    } else if (is("poll_timeout")) {
        struct pollfd asked = {.fd = pair(0), .events = POLLIN};
        ready();
        poll(&asked, 1, 60000);
    } else if (is("select_timeout")) {
        fd_set set;
        struct timeval time = {60, 0};
        int fd = pair(0);
        FD_ZERO(&set);
        FD_SET(fd, &set);
        ready();
        select(fd + 1, &set, NULL, NULL, &time);
    } else if (is("epoll_timeout") || is("epoll_forever")) {
        int loop = epoll_create1(0);
        struct epoll_event event = {.events = EPOLLIN};
        epoll_ctl(loop, EPOLL_CTL_ADD, pair(0), &event);
        epoll_ctl(loop, EPOLL_CTL_ADD, listener(), &event);
        ready();
        epoll_wait(loop, &event, 1, is("epoll_forever") ? -1 : 60000);
    } else if (is("condition_timeout")) {
        pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
        pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
        struct timespec time;
        clock_gettime(CLOCK_REALTIME, &time);
        time.tv_sec += 60;
        pthread_mutex_lock(&mutex);
        ready();
        pthread_cond_timedwait(&condition, &mutex, &time);
    } else if (is("sleep_between")) {
        struct timespec time = {60, 0};
        ready();
        nanosleep(&time, NULL);
    } else if (is("forgets_to_write") || is("forgets_to_read")) {
        struct epoll_event event = {.events = EPOLLET | (is("forgets_to_write") ? EPOLLOUT : EPOLLIN)};
        int poller = epoll_create1(0);
        int fd = connection(is("forgets_to_read"));
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
        epoll_wait(poller, &event, 1, -1);
        ready();
        epoll_wait(poller, &event, 1, -1);
    } else if (is("poll_forever")) {
        struct pollfd asked[2] = {{.fd = pair(0), .events = POLLIN}, {.fd = listener(), .events = POLLIN}};
        ready();
        poll(asked, 2, -1);
    } else if (is("select_forever")) {
        fd_set set;
        int fd = pair(0);
        FD_ZERO(&set);
        FD_SET(fd, &set);
        ready();
        select(fd + 1, &set, NULL, NULL, NULL);
    }
    return 0;
}
