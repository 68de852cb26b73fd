/* An echo server with a thread for each client. Five times in a second, another thread starts a
   process that counts to a thousand, and no process waits for it. */

#include "server.h"

static void *start_helpers(void *argument) {
    (void)argument;
    for (;;) {
        usleep(200000);
        if (fork() == 0) {
            for (volatile int i = 0; i < 1000; i++)
                continue;
            _exit(0);
        }
    }
}

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
    signal(SIGCHLD, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    int listener = listen_on(argc, argv);
    pthread_t thread;
    if (pthread_create(&thread, NULL, start_helpers, NULL) != 0)
        return 1;
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client < 0)
            continue;
        if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)client) != 0)
            return 1;
        pthread_detach(thread);
    }
}
