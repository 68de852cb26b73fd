/* An echo server. It forks a child for each client, and the parent does not close its own copy
   of the socket. */

#include "server.h"

static void serve(int client) {
    char buffer[4096];
    ssize_t count;
    while ((count = read(client, buffer, sizeof buffer)) > 0)
        if (send_all(client, buffer, count) < 0)
            break;
    close(client);
}

int main(int argc, char **argv) {
    int listener = listen_on(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client < 0) {
            perror("accept");
            usleep(100000);
            continue;
        }
        if (fork() == 0) {
            close(listener);
            serve(client);
            _exit(0);
        }
    }
}
