/* An echo server. It forks three children at its start, and each of them serves one client
   after another. */

#include "server.h"

static void serve(int client) {
    char buffer[8192];
    ssize_t count;
    while ((count = read(client, buffer, sizeof buffer)) > 0)
        if (send_all(client, buffer, count) < 0)
            break;
    close(client);
}

int main(int argc, char **argv) {
    int listener = listen_on(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < 3; i++) {
        if (fork() != 0)
            continue;
        for (;;) {
            int client = accept(listener, NULL, NULL);
            if (client < 0)
                usleep(100000);
            else
                serve(client);
        }
    }
    while (wait(NULL) > 0)
        ;
    return 0;
}
