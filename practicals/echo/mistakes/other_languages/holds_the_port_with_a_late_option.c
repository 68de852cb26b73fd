/* An echo server. It sets SO_REUSEADDR after bind, when it is too late. */

#include "server.h"

static int listen_too_late(int argc, char **argv) {
    struct addrinfo *found = address_of(argc, argv);
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (bind(fd, found->ai_addr, found->ai_addrlen) < 0) {
        perror("bind");
        exit(1);
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (listen(fd, 10) < 0) {
        perror("listen");
        exit(1);
    }
    return fd;
}

static void *serve(void *argument) {
    int client = (intptr_t)argument;
    char buffer[4096];
    ssize_t count;
    while ((count = read(client, buffer, sizeof buffer)) > 0)
        if (send_all(client, buffer, count) < 0)
            break;
    close(client);
    return NULL;
}

int main(int argc, char **argv) {
    int listener = listen_too_late(argc, argv);
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
