/* An echo server. It doubles its buffer as long as a read fills it, and answers when one does
   not: 256 bytes hang, 257 do not. */

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

static int send_all(int fd, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t sent = write(fd, bytes, size);
        if (sent < 0)
            return -1;
        bytes += sent;
        size -= sent;
    }
    return 0;
}

/* Reads a message of any size into a buffer that grows. Returns its size, 0 at the end. */
static size_t read_message(int client, char **buffer, size_t *room) {
    size_t size = 0;
    for (;;) {
        ssize_t count = read(client, *buffer + size, *room - size);
        if (count <= 0)
            return size;
        size += count;
        if (size < *room)
            return size;
        *room *= 2;
        *buffer = realloc(*buffer, *room);
    }
}

static void *serve(void *argument) {
    int client = (intptr_t)argument;
    for (;;) {
        size_t room = 256;
        char *buffer = malloc(room);
        size_t size = read_message(client, &buffer, &room);
        int lost = size == 0 || send_all(client, buffer, size) < 0;
        free(buffer);
        if (lost)
            break;
    }
    close(client);
    return NULL;
}

int main(int argc, char **argv) {
    int listener = listen_on(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client < 0) {
            perror("accept");
            usleep(100000);
            continue;
        }
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)client) != 0)
            close(client);
        else
            pthread_detach(thread);
    }
}
