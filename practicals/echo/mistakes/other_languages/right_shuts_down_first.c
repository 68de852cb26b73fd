/* An echo server. It shuts both directions down when all is sent, and closes then. */

#include "server.h"

static void *serve(void *argument) {
    int client = (intptr_t)argument;
    char buffer[4096];
    ssize_t count;
    while ((count = recv(client, buffer, sizeof buffer, 0)) > 0)
        if (send_all(client, buffer, count) < 0)
            break;
    shutdown(client, SHUT_RDWR);
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
