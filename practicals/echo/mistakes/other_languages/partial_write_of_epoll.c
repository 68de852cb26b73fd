/* An echo server. It uses epoll with sockets that do not block, and calls write once for what
   it has read. */

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

int main(int argc, char **argv) {
    int listener = listen_on(argc, argv), set = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[64];
    static char buffer[65536];
    signal(SIGPIPE, SIG_IGN);
    fcntl(listener, F_SETFL, O_NONBLOCK);
    epoll_ctl(set, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = epoll_wait(set, events, 64, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                event.events = EPOLLIN;
                event.data.fd = client;
                if (client >= 0)
                    epoll_ctl(set, EPOLL_CTL_ADD, client, &event);
                continue;
            }
            ssize_t size = read(fd, buffer, sizeof buffer);
            if (size > 0)
                size = write(fd, buffer, size) < 0 && errno != EAGAIN ? -1 : size;
            if (size == 0 || (size < 0 && errno != EAGAIN))
                close(fd);
        }
    }
}
