/* An echo server. It has room for 32 clients in its table for poll, and accepts no other until
   one of them has gone. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Steps 1 to 3: returns a listening socket, or ends the program with a message. */
static int listen_on(int argc, char **argv) {
    const char *host = argc > 1 ? argv[1] : "127.0.0.1";
    const char *port = argc > 2 ? argv[2] : "65432";
    char *end;
    long number = strtol(port, &end, 10);
    if (argc > 3 || *host == 0 || *port == 0 || *end != 0 || number < 0 || number > 65535) {
        fprintf(stderr, "usage: echo_server [HOST [PORT]]\n");
        exit(2);
    }
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    int error = getaddrinfo(host, port, &hints, &found);
    if (error != 0) {
        fprintf(stderr, "cannot find %s: %s\n", host, gai_strerror(error));
        exit(1);
    }
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, 128) < 0) {
        fprintf(stderr, "cannot listen on %s:%s: %s\n", host, port, strerror(errno));
        exit(1);
    }
    freeaddrinfo(found);
    return fd;
}

#define CLIENTS 32

/* A client reads while its buffer is empty, and writes while it is not. */
static struct { char bytes[16384]; size_t start, end; } buffers[CLIENTS + 1];
static struct pollfd polls[CLIENTS + 1];

static int serve(int i) {
    int fd = polls[i].fd;
    if (buffers[i].start == buffers[i].end) {
        ssize_t count = read(fd, buffers[i].bytes, sizeof buffers[i].bytes);
        if (count <= 0)
            return count < 0 && errno == EAGAIN ? 0 : -1;
        buffers[i].start = 0;
        buffers[i].end = count;
    }
    ssize_t sent = write(fd, buffers[i].bytes + buffers[i].start, buffers[i].end - buffers[i].start);
    if (sent < 0 && errno != EAGAIN)
        return -1;
    if (sent > 0)
        buffers[i].start += sent;
    polls[i].events = buffers[i].start == buffers[i].end ? POLLIN : POLLOUT;
    return 0;
}

int main(int argc, char **argv) {
    polls[0].fd = listen_on(argc, argv);
    fcntl(polls[0].fd, F_SETFL, O_NONBLOCK);
    signal(SIGPIPE, SIG_IGN);
    for (int i = 1; i <= CLIENTS; i++)
        polls[i].fd = -1;
    for (;;) {
        int room = 0;
        for (int i = 1; i <= CLIENTS; i++)
            if (polls[i].fd < 0)
                room = i;
        polls[0].events = room ? POLLIN : 0;
        if (poll(polls, CLIENTS + 1, -1) < 0)
            continue;
        for (int i = 1; i <= CLIENTS; i++)
            if (polls[i].fd >= 0 && polls[i].revents && serve(i) < 0) {
                close(polls[i].fd);
                polls[i].fd = -1;
            }
        if (room && polls[0].revents & POLLIN && polls[room].fd < 0) {
            int client = accept4(polls[0].fd, NULL, NULL, SOCK_NONBLOCK);
            if (client >= 0) {
                polls[room].fd = client;
                polls[room].events = POLLIN;
                polls[room].revents = 0;
                buffers[room].start = buffers[room].end = 0;
            }
        }
    }
}
