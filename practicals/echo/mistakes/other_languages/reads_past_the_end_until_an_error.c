/* An echo server. Each thread loops while read does not return a negative number, so a read of
   0 bytes is followed by the next for ever. */

#include "server.h"

static void *serve(void *argument) {
    int client = (intptr_t)argument;
    char buffer[1500];
    ssize_t count;
    while ((count = read(client, buffer, sizeof buffer)) >= 0)
        if (send_all(client, buffer, count) < 0)
            break;
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
