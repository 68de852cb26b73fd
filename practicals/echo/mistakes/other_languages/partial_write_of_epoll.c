/* An echo server. It uses epoll with sockets that do not block, and calls write once for what
   it has read. */

#include "server.h"

int main(int argc, char **argv) {
    int listener = listen_on(argc, argv), set = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[64];
    static char buffer[65536];
    signal(SIGPIPE, SIG_IGN);
    fcntl(listener, F_SETFL, O_NONBLOCK);
    epoll_ctl(set, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = epoll_wait(set, events, 64, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                event.events = EPOLLIN;
                event.data.fd = client;
                if (client >= 0)
                    epoll_ctl(set, EPOLL_CTL_ADD, client, &event);
                continue;
            }
            ssize_t size = read(fd, buffer, sizeof buffer);
            if (size > 0)
                size = write(fd, buffer, size) < 0 && errno != EAGAIN ? -1 : size;
            if (size == 0 || (size < 0 && errno != EAGAIN))
                close(fd);
        }
    }
}
