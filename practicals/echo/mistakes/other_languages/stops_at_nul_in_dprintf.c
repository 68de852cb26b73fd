/* An echo server. It ends what it read with a NUL and prints it to the socket with dprintf and
   %s. */

#include "server.h"

static void *serve(void *argument) {
    int client = (intptr_t)argument;
    char buffer[2048];
    ssize_t count;
    while ((count = read(client, buffer, sizeof buffer - 1)) > 0) {
        buffer[count] = '\0';
        if (dprintf(client, "%s", buffer) < 0)
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
