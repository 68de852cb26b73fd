/* What the servers in C have in common: the arguments, steps 1 to 3, and a send of all bytes. */

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

/* Returns the address in the arguments, or ends the program with a message. */
static inline struct addrinfo *address_of(int argc, char **argv) {
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
    return found;
}

/* Steps 1 to 3: returns a listening socket, or ends the program with a message. */
static inline int listen_on(int argc, char **argv) {
    struct addrinfo *found = address_of(argc, argv);
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, 128) < 0) {
        fprintf(stderr, "cannot listen: %s\n", strerror(errno));
        exit(1);
    }
    freeaddrinfo(found);
    return fd;
}

/* Sends all of these bytes. Returns -1 if an error has ended the connection. */
static inline int send_all(int fd, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t sent = write(fd, bytes, size);
        if (sent < 0)
            return -1;
        bytes += sent;
        size -= sent;
    }
    return 0;
}
