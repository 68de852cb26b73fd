/* An echo server. It moves the bytes from the socket into a pipe and back with splice, in a
   thread for each client. */

#include "server.h"

static void *serve(void *argument) {
    int client = (intptr_t)argument, ends[2];
    if (pipe(ends) == 0) {
        ssize_t count;
        while ((count = splice(client, NULL, ends[1], NULL, 65536, SPLICE_F_MOVE)) > 0) {
            while (count > 0) {
                ssize_t sent = splice(ends[0], NULL, client, NULL, count, SPLICE_F_MOVE);
                if (sent <= 0)
                    goto lost;
                count -= sent;
            }
        }
    lost:
        close(ends[0]);
        close(ends[1]);
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
