/* An echo server. It uses epoll, edge-triggered, with one buffer for each client. */

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

struct client { int fd; size_t start, end; char bytes[32768]; };

/* Moves bytes until a call would block. Returns -1 when the conversation is over. */
static int serve(struct client *client) {
    for (;;) {
        while (client->start < client->end) {
            ssize_t sent = write(client->fd, client->bytes + client->start, client->end - client->start);
            if (sent < 0)
                return errno == EAGAIN ? 0 : -1;
            client->start += sent;
        }
        ssize_t count = read(client->fd, client->bytes, sizeof client->bytes);
        if (count < 0)
            return errno == EAGAIN ? 0 : -1;
        if (count == 0)
            return -1;
        client->start = 0;
        client->end = count;
    }
}

int main(int argc, char **argv) {
    int listener = listen_on(argc, argv), set = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET}, events[64];
    signal(SIGPIPE, SIG_IGN);
    fcntl(listener, F_SETFL, O_NONBLOCK);
    epoll_ctl(set, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = epoll_wait(set, events, 64, -1);
        for (int i = 0; i < count; i++) {
            struct client *client = events[i].data.ptr;
            if (client != NULL) {
                if (serve(client) < 0) {
                    close(client->fd);
                    free(client);
                }
                continue;
            }
            int fd;
            while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                client = calloc(1, sizeof *client);
                client->fd = fd;
                event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
                event.data.ptr = client;
                epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
            }
        }
    }
}
