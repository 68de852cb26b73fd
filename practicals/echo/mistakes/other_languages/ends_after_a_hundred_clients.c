/* An echo server. It keeps its threads in an array of 100, and joins them when the array is
   full. */

#include "server.h"

#define MAX_CLIENTS 100

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
    int listener = listen_on(argc, argv);
    pthread_t threads[MAX_CLIENTS];
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < MAX_CLIENTS; i++) {
        int client = accept(listener, NULL, NULL);
        if (client < 0)
            return 1;
        if (pthread_create(&threads[i], NULL, serve, (void *)(intptr_t)client) != 0)
            return 1;
    }
    for (int i = 0; i < MAX_CLIENTS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
