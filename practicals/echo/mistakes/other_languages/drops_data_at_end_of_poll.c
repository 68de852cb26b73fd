/* An echo server. It looks for POLLRDHUP before it reads, so what came together with the end of
   stream is never read. */

#include "server.h"

static void *serve(void *argument) {
    int client = (intptr_t)argument;
    struct pollfd wait_for = {.fd = client, .events = POLLIN | POLLRDHUP};
    char buffer[4096];
    while (poll(&wait_for, 1, -1) > 0) {
        if (wait_for.revents & (POLLRDHUP | POLLHUP | POLLERR))
            break;
        ssize_t count = read(client, buffer, sizeof buffer);
        if (count <= 0 || send_all(client, buffer, count) < 0)
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
