/* An echo server. It forks a process for each client and collects the ended ones in its handler
   of SIGCHLD. */

#include "server.h"

static void collect(int number) {
    int saved = errno;
    (void)number;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    errno = saved;
}

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
    struct sigaction action = {.sa_handler = collect};
    sigaction(SIGCHLD, &action, NULL);
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client < 0) {
            if (errno != EINTR)
                usleep(100000);
            continue;
        }
        if (fork() == 0) {
            signal(SIGPIPE, SIG_IGN);
            close(listener);
            serve(client);
            _exit(0);
        }
        close(client);
    }
}
