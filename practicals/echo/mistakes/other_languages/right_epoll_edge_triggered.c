/* An echo server. It uses epoll, edge-triggered, with one buffer for each client. */

#include "server.h"

struct client { int fd; size_t start, end; char bytes[32768]; };

/* Moves bytes until a call would block. Returns -1 when the conversation is over. */
static int serve(struct client *client) {
    for (;;) {
        while (client->start < client->end) {
            ssize_t sent = write(client->fd, client->bytes + client->start, client->end - client->start);
            if (sent < 0)
                return errno == EAGAIN ? 0 : -1;
            client->start += sent;
        }
        ssize_t count = read(client->fd, client->bytes, sizeof client->bytes);
        if (count < 0)
            return errno == EAGAIN ? 0 : -1;
        if (count == 0)
            return -1;
        client->start = 0;
        client->end = count;
    }
}

int main(int argc, char **argv) {
    int listener = listen_on(argc, argv), set = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET}, events[64];
    signal(SIGPIPE, SIG_IGN);
    fcntl(listener, F_SETFL, O_NONBLOCK);
    epoll_ctl(set, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = epoll_wait(set, events, 64, -1);
        for (int i = 0; i < count; i++) {
            struct client *client = events[i].data.ptr;
            if (client != NULL) {
                if (serve(client) < 0) {
                    close(client->fd);
                    free(client);
                }
                continue;
            }
            int fd;
            while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                client = calloc(1, sizeof *client);
                client->fd = fd;
                event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
                event.data.ptr = client;
                epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
            }
        }
    }
}
