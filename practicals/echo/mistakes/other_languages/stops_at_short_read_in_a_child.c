/* An echo server. Each child echoes until a read does not fill its 4096 bytes, and then closes. */

#include "server.h"

static void serve(int client) {
    char buffer[4096];
    ssize_t count;
    do {
        count = read(client, buffer, sizeof buffer);
        if (count <= 0 || send_all(client, buffer, count) < 0)
            break;
    } while (count == sizeof buffer);
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
        close(client);
    }
}
