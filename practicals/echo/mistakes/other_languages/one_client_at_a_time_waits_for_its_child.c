/* An echo server. It forks a child for each client, and waits for this child before it accepts
   again. */

#include "server.h"

static void serve(int client) {
    char buffer[2000];
    ssize_t count;
    while ((count = recv(client, buffer, sizeof buffer, 0)) > 0)
        if (send_all(client, buffer, count) < 0)
            break;
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
        pid_t child = fork();
        if (child == 0) {
            close(listener);
            serve(client);
            close(client);
            _exit(0);
        }
        close(client);
        /* No zombies. */
        if (child > 0)
            waitpid(child, NULL, 0);
    }
}
