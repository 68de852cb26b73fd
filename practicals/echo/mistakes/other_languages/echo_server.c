/* The echo server in C: a thread for each client.   cc -O1 -pthread echo_server.c -o echo_server
 *
 * It is correct. Its full marks show that the grader works for any language. */

#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 16 * 1024, FAILURE = 1, USAGE = 2 };

static int is_port(const char *word)
{
    size_t length = strlen(word);
    return length >= 1 && length <= 5 && strspn(word, "0123456789") == length && atol(word) <= 65535;
}

/* Returns a listening socket, or -1 after a message. */
static int listen_on(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    int error = getaddrinfo(host, port, &hints, &found);
    if (error != 0) {
        fprintf(stderr, "cannot find the host %s: %s\n", host, gai_strerror(error));
        return -1;
    }
    int yes = 1;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 ||
        bind(listener, found->ai_addr, found->ai_addrlen) < 0 || listen(listener, SOMAXCONN) < 0) {
        fprintf(stderr, "cannot listen on %s:%s: %s\n", host, port, strerror(errno));
        listener = -1;
    }
    freeaddrinfo(found);
    return listener;
}

/* Sends all of it: one send may take only a part. */
static int send_all(int client, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t sent = send(client, bytes, count, 0);
        if (sent < 0 && errno != EINTR)
            return -1;
        if (sent > 0) {
            bytes += sent;
            count -= (size_t)sent;
        }
    }
    return 0;
}

/* Serves one client in its thread, until it has closed or is lost. */
static void *echo(void *argument)
{
    int client = (int)(intptr_t)argument; /* by value: the accepting loop reuses one variable */
    char buffer[BUFFER];
    for (;;) {
        ssize_t count = recv(client, buffer, sizeof buffer, 0);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0 || send_all(client, buffer, (size_t)count) < 0)
            break;
    }
    close(client);
    return NULL;
}

static void serve(int listener)
{
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client < 0) {
            /* Usually no descriptor is free, and the next attempt would fail as fast. */
            nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
            continue;
        }
        pthread_t thread;
        if (pthread_create(&thread, NULL, echo, (void *)(intptr_t)client) == 0)
            pthread_detach(thread);
        else
            close(client);
    }
}

int main(int argc, char **argv)
{
    const char *host = argc > 1 ? argv[1] : "127.0.0.1";
    const char *port = argc > 2 ? argv[2] : "65432";
    if (argc > 3 || !is_port(port)) {
        fprintf(stderr, "usage: %s [HOST [PORT]]\n", argv[0]);
        return USAGE;
    }
    signal(SIGPIPE, SIG_IGN); /* a client that has gone makes send fail: no reason to end */
    int listener = listen_on(host, port);
    if (listener < 0)
        return FAILURE;
    serve(listener);
}
